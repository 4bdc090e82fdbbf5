//! The address of a client whose requests come through proxies.

use std::net::IpAddr;

use actix_web::http::header::{self, HeaderMap, HeaderName};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The networks of trusted proxies.
#[derive(Debug, Clone)]
pub(crate) struct Proxies(Vec<IpNet>);

impl Proxies {
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        Self(networks.to_vec())
    }

    /// The address of the client. It is the peer's, unless the peer is a trusted proxy: then it is
    /// the address that the proxy names, and so on. If a name is unreadable, it is the address of
    /// the proxy that wrote it.
    pub(crate) fn sender(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trust(peer) {
            return peer;
        }
        let x_forwarded_for = self.follow(peer, &elements(headers, &X_FORWARDED_FOR), Some);
        let forwarded = self.follow(peer, &elements(headers, &header::FORWARDED), for_parameter);
        match (headers.contains_key(X_FORWARDED_FOR), headers.contains_key(header::FORWARDED)) {
            (_, false) => x_forwarded_for,
            (false, true) => forwarded,
            (true, true) if x_forwarded_for == forwarded => x_forwarded_for,
            // A proxy writes one of the two headers; the other may be a forgery of the client.
            (true, true) => peer,
        }
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Follows the hops from the nearest proxy to the first address that is not trusted.
    fn follow<'a>(
        &self,
        peer: IpAddr,
        hops: &[&'a str],
        name: impl Fn(&'a str) -> Option<&'a str>,
    ) -> IpAddr {
        let mut address = peer;
        for hop in hops.iter().rev() {
            if !self.trust(address) {
                break;
            }
            let Some(next) = name(hop).and_then(parse) else { break };
            address = next;
        }
        address
    }
}

/// The elements of all lines of a list header. A line that is not ASCII is one unreadable element.
fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Vec<&'a str> {
    headers.get_all(name).flat_map(|line| line.to_str().unwrap_or_default().split(',')).collect()
}

/// The parameter `for` of an element of `Forwarded` (RFC 7239).
fn for_parameter(element: &str) -> Option<&str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("for")).map(|(_, value)| value)
}

/// An address, with or without a port, brackets and quotes.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let address = match text.strip_prefix('[') {
        Some(text) => text.split_once(']')?.0,
        // An IPv6 address without brackets has more than one colon.
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    address.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;
    use proptest::prelude::*;

    use super::*;
    use crate::network::network;

    fn proxies() -> Proxies {
        Proxies::new(
            &["10.0.0.0/8", "::1", "::ffff:192.0.2.0/120"].map(|text| network(text).unwrap()),
        )
    }

    fn sender(peer: &str, lines: &[(&str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name.parse().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        proxies().sender(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_can_name_the_client() {
        for peer in ["203.0.113.9", "::ffff:203.0.113.9", "11.0.0.1"] {
            let expected = peer.trim_start_matches("::ffff:");
            assert_eq!(sender(peer, &[("x-forwarded-for", "198.51.100.1")]), expected);
            assert_eq!(sender(peer, &[("forwarded", "for=198.51.100.1")]), expected);
        }
        for peer in ["10.1.2.3", "::ffff:10.1.2.3", "::1", "192.0.2.7"] {
            assert_eq!(sender(peer, &[("x-forwarded-for", "198.51.100.1")]), "198.51.100.1");
        }
    }

    #[test]
    fn the_last_address_that_is_not_a_proxy_is_the_client() {
        for (list, expected) in [
            ("203.0.113.9", "203.0.113.9"),
            // What the client forged comes before what the proxies added.
            ("1.1.1.1, 203.0.113.9", "203.0.113.9"),
            ("10.9.9.9, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
            ("10.0.0.4 ,10.0.0.3,10.0.0.2", "10.0.0.4"),
            ("1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("1.1.1.1, _hidden", "10.0.0.1"),
            ("", "10.0.0.1"),
            ("203.0.113.9:1234", "203.0.113.9"),
            ("[2001:db8::1]:1234", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(sender("10.0.0.1", &[("x-forwarded-for", list)]), expected, "{list}");
        }
        // Several header lines are one list.
        let lines = [("x-forwarded-for", "1.1.1.1"), ("x-forwarded-for", "203.0.113.9, 10.0.0.2")];
        assert_eq!(sender("10.0.0.1", &lines), "203.0.113.9");
    }

    #[test]
    fn forwarded_is_read_too_and_headers_that_disagree_are_ignored() {
        for (list, expected) in [
            ("for=203.0.113.9;proto=https", "203.0.113.9"),
            ("for=1.1.1.1, proto=https;For=\"[2001:db8::1]:47011\"", "2001:db8::1"),
            ("for=1.1.1.1, by=10.0.0.2", "10.0.0.1"),
            ("for=unknown", "10.0.0.1"),
        ] {
            assert_eq!(sender("10.0.0.1", &[("forwarded", list)]), expected, "{list}");
        }
        let both =
            |one, other| sender("10.0.0.1", &[("x-forwarded-for", one), ("forwarded", other)]);
        assert_eq!(both("203.0.113.9", "for=203.0.113.9"), "203.0.113.9");
        assert_eq!(both("203.0.113.9", "for=198.51.100.1"), "10.0.0.1");
    }

    proptest! {
        #[test]
        fn addresses_that_the_client_forges_never_count(
            forged in "[0-9a-f.:,\\[\\]\"; =for]{0,40}", client in any::<std::net::Ipv4Addr>(),
        ) {
            prop_assume!(!proxies().trust(client.into()));
            let list = format!("{forged}, {client}");
            prop_assert_eq!(sender("10.0.0.1", &[("x-forwarded-for", &list)]), client.to_string());
        }
    }
}
