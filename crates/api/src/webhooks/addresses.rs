//! Which addresses events may be sent to.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Networks that are not of the public internet, from the registries of special-purpose addresses
/// (`iana-ipv4-special-registry`), and multicast.
const NOT_PUBLIC_V4: [([u8; 4], u8); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

/// What is handed out of the public internet, and what of it has another purpose
/// (`iana-ipv6-special-registry`): addresses of protocols, of examples, and of tunnels, which may
/// lead to any IPv4 address.
const PUBLIC_V6: ([u16; 8], u8) = ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3);
const NOT_PUBLIC_V6: [([u16; 8], u8); 4] = [
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
];

/// Whether an address is one of the public internet. An IPv4 address may be written as an IPv6 one.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !NOT_PUBLIC_V4.iter().any(|(network, length)| {
            Ipv4Net::new_assert((*network).into(), *length).contains(&address)
        }),
        IpAddr::V6(address) => {
            let is_in = |(network, length): &([u16; 8], u8)| {
                Ipv6Net::new_assert((*network).into(), *length).contains(&address)
            };
            is_in(&PUBLIC_V6) && !NOT_PUBLIC_V6.iter().any(is_in)
        }
    }
}

/// What is allowed beside the public internet.
#[derive(Debug, Clone)]
pub(super) struct Addresses(Vec<IpNet>);

impl Addresses {
    pub(super) fn allowing(networks: &[IpNet]) -> Self {
        Self(networks.to_vec())
    }

    /// Whether events may be sent to an address. What is sent in the clear may go only where that
    /// was allowed.
    pub(super) fn permit(&self, address: IpAddr, is_plain: bool) -> bool {
        let address = address.to_canonical();
        let is_allowed = self.0.iter().any(|network| network.contains(&address));
        is_allowed || (!is_plain && is_public(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::network;

    #[test]
    fn only_addresses_of_the_public_internet_are_public() {
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00::1",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.19.255.255",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_in_the_clear_too_and_nothing_else_is() {
        let networks = ["10.1.0.0/16", "::1"].map(|text| network(text).unwrap());
        let addresses = Addresses::allowing(&networks);
        for (text, secure, plain) in [
            ("10.1.2.3", true, true),
            ("::ffff:10.1.2.3", true, true),
            ("::1", true, true),
            ("10.2.0.1", false, false),
            ("127.0.0.1", false, false),
            ("1.1.1.1", true, false),
        ] {
            let address = text.parse().unwrap();
            let permitted = (addresses.permit(address, false), addresses.permit(address, true));
            assert_eq!(permitted, (secure, plain), "{text}");
        }
    }
}
