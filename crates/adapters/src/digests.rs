//! Digests of 16 bytes. An external reference is found by them, because its texts may be longer
//! than an index takes, and so is a stored answer; and the body of a repeat is compared by one.
//!
//! Each of the three texts of a reference has its own, so that the index serves every filter: by
//! provider, by type and by id. Nobody finds two texts with the same 128 bits, and they would only
//! meet within one organization.

use sha2::{Digest, Sha256};
use timelog_domain::{ExternalRef, ExternalRefPart, InvoiceRef};

use crate::types::DigestValue;

/// The digest of each part of a reference: provider, type and id.
pub(crate) fn of_reference(reference: &ExternalRef) -> [DigestValue; 3] {
    let ExternalRef { provider, external_type, external_id } = reference;
    [provider, external_type, external_id].map(of_part)
}

pub(crate) fn of_part(part: &ExternalRefPart) -> DigestValue {
    DigestValue(digest_external_ref_part(part.as_str()))
}

/// The digest of the name of an invoice.
pub(crate) fn of_invoice(invoice: &InvoiceRef) -> DigestValue {
    DigestValue(digest_external_ref_part(invoice.as_str()))
}

/// The digest by which a part of an external reference is found: the first 16 bytes of its SHA-256.
/// On PostgreSQL the function `external_digest` computes the same.
#[must_use]
pub fn digest_external_ref_part(text: &str) -> [u8; 16] {
    digest(&[text.as_bytes()])
}

/// The first 16 bytes of the SHA-256 of all the parts.
#[must_use]
pub fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let whole = parts.iter().fold(Sha256::new(), Sha256::chain_update).finalize();
    let mut digest = [0; 16];
    digest.copy_from_slice(&whole[..16]);
    digest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_what_other_programs_compute() {
        // printf jira | sha256sum
        assert_eq!(
            u128::from_be_bytes(digest_external_ref_part("jira")),
            0x1e32_8477_69dc_4a15_8800_4a1d_fdf1_0041
        );
    }
}
