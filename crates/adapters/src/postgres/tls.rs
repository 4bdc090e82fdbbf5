//! TLS to PostgreSQL, without a library of the system.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::url::{PostgresUrl, Verification};
use crate::error::DbError;

/// What makes a plain connection a TLS one, as the URL wants it.
pub(super) fn connector(url: &PostgresUrl) -> Result<MakeRustlsConnect, DbError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| DbError::Failed(error.to_string()))?;
    let config = match url.verification {
        Verification::Server => config.with_root_certificates(authorities(url)?),
        Verification::Nobody => {
            config.dangerous().with_custom_certificate_verifier(Arc::new(AcceptAnyServer(provider)))
        }
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn authorities(url: &PostgresUrl) -> Result<RootCertStore, DbError> {
    let mut authorities = RootCertStore::empty();
    if let Some(path) = url.root_certificates() {
        let unusable = |error: &dyn std::fmt::Display| {
            DbError::Failed(format!("{}: {error}", crate::shown::path(path)))
        };
        for certificate in CertificateDer::pem_file_iter(path).map_err(|error| unusable(&error))? {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            authorities.add(certificate).map_err(|error| unusable(&error))?;
        }
    } else {
        // Certificates of the system that cannot be read are left out.
        authorities.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if authorities.is_empty() {
        return Err(DbError::Failed(
            "sslmode=verify-full finds no certificate authority to trust".to_owned(),
        ));
    }
    Ok(authorities)
}

/// Believes any certificate, as libpq does unless it is told to verify. What is sent is encrypted,
/// to whoever answers.
#[derive(Debug)]
struct AcceptAnyServer(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAnyServer {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
