//! Networks of addresses, as settings name them.

use std::net::IpAddr;

use ipnet::IpNet;

const EXAMPLE: &str = "must be a network such as 10.0.0.0/8, or an address";

/// Reads a network such as `10.0.0.0/8`, or one address.
pub(crate) fn network(text: &str) -> Result<IpNet, &'static str> {
    let text = text.trim();
    let network = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| EXAMPLE)?;
    // Addresses are compared in their shortest form.
    if let IpNet::V6(mapped) = network
        && let (Some(address), Some(length)) =
            (mapped.addr().to_ipv4_mapped(), mapped.prefix_len().checked_sub(96))
    {
        return IpNet::new(address.into(), length)
            .map(|network| network.trunc())
            .map_err(|_| EXAMPLE);
    }
    Ok(network.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_read_in_any_form() {
        for (text, shown) in [
            ("10.1.2.3/8", "10.0.0.0/8"),
            (" 10.1.2.3 ", "10.1.2.3/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::ffff:10.1.2.3/104", "10.0.0.0/8"),
        ] {
            assert_eq!(network(text).unwrap().to_string(), shown);
        }
        for text in ["", "10.0.0.0/33", "ten", "10.0.0.0/8/8", "10.0.0", "localhost"] {
            assert!(network(text).is_err(), "{text}");
        }
    }
}
