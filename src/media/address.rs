//! Which IP addresses pictures may be fetched from.
//!
//! A post's author chooses a picture's URL, so it may point at services that this machine can reach
//! and the author can't (SSRF). The tables follow IANA's registries of special-purpose addresses
//! (RFC 6890 and its successors). IPv4 is a deny list; in IPv6 only global unicast (`2000::/3`) is
//! allowed, except its special ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(segments: [u16; 3], prefix: u8) -> Ipv6Net {
    let [a, b, c] = segments;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// Refused IPv4 networks, each with the text that completes "which is ..." in the error.
const SPECIAL_V4: [(Ipv4Net, &str); 18] = [
    (v4(0, 0, 0, 0, 32), "unspecified"),
    (v4(0, 0, 0, 0, 8), "an address of this network"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared by a provider's customers"),
    (v4(127, 0, 0, 0, 8), "a loopback address"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "reserved"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 88, 99, 0, 24), "reserved"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(198, 18, 0, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    (v4(224, 0, 0, 0, 4), "a multicast address"),
    (v4(255, 255, 255, 255, 32), "a broadcast address"),
    (v4(240, 0, 0, 0, 4), "reserved"),
    // AS112: name servers for leaked reverse lookups of private addresses.
    (v4(192, 175, 48, 0, 24), "reserved"),
];

/// Refused IPv6 networks inside and outside `2000::/3`; the first match gives the text. Tunnels and
/// translators are refused since another machine forwards to an IPv4 address embedded in the IPv6
/// one; where they are still in use, they serve no public pictures.
const SPECIAL_V6: [(Ipv6Net, &str); 12] = [
    (v6([0, 0, 0], 128), "unspecified"),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "a loopback address"),
    (v6([0, 0, 0], 96), "an IPv4 address in an abandoned form"),
    (v6([0x64, 0xff9b, 1], 48), "a local translator's to IPv4"),
    (v6([0x2001, 0, 0], 32), "a Teredo tunnel's"),
    (v6([0x2001, 0xdb8, 0], 32), "for documentation"),
    (v6([0x2001, 0, 0], 23), "reserved"),
    (v6([0x2002, 0, 0], 16), "a 6to4 tunnel's"),
    (v6([0x3fff, 0, 0], 20), "for documentation"),
    (v6([0xfc00, 0, 0], 7), "private (unique local)"),
    (v6([0xfe80, 0, 0], 10), "link-local"),
    (v6([0xff00, 0, 0], 8), "a multicast address"),
];

const GLOBAL_UNICAST: Ipv6Net = v6([0x2000, 0, 0], 3);

/// The well-known NAT64 prefix (RFC 6052). In an IPv6-only network, DNS64 returns such addresses for
/// every IPv4-only host, so the embedded IPv4 address is checked.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

/// Cloud metadata services, which give a machine its credentials. Some are in public ranges. They
/// are refused even inside an allowed network.
const METADATA: [IpAddr; 9] = [
    // Amazon, Google, Microsoft and most others; Amazon's containers (ECS, EKS).
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    // Google over IPv6.
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
    // Alibaba, Microsoft's wire server, Oracle.
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
];

/// `None` if pictures may come from the address, else what it is, to complete "which is ...".
/// Networks in `allowed` pass; cloud metadata addresses never do.
pub(super) fn forbidden(address: IpAddr, allowed: &[IpNet]) -> Option<&'static str> {
    let meant = meant(address);
    if METADATA.contains(&meant) {
        return Some("where a cloud keeps a machine's credentials");
    }
    if allowed.iter().any(|network| network.contains(&meant) || network.contains(&address)) {
        return None;
    }
    match meant {
        IpAddr::V4(address) => word_for(&SPECIAL_V4, |network| network.contains(&address)),
        IpAddr::V6(address) => word_for(&SPECIAL_V6, |network| network.contains(&address))
            .or_else(|| (!GLOBAL_UNICAST.contains(&address)).then_some("not handed out to the public")),
    }
}

fn word_for<N>(table: &[(N, &'static str)], holds: impl Fn(&N) -> bool) -> Option<&'static str> {
    table.iter().find(|(network, _)| holds(network)).map(|(_, word)| *word)
}

/// The IPv4 address inside an IPv4-mapped (the kernel connects by IPv4) or NAT64 address; any other
/// address unchanged.
pub(super) fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return v4.into();
    }
    if NAT64.contains(&v6) {
        let [.., a, b, c, d] = v6.octets();
        return Ipv4Addr::new(a, b, c, d).into();
    }
    address
}

/// Lengths that a translator's prefix may have (RFC 6052, 2.2).
pub(super) const NAT64_LENGTHS: [u8; 6] = [32, 40, 48, 56, 64, 96];

/// The IPv4 address that a translator with one of these prefixes leads to.
pub(super) fn translated(address: IpAddr, prefixes: &[Ipv6Net]) -> Option<IpAddr> {
    let IpAddr::V6(v6) = address else { return None };
    let prefix = prefixes.iter().find(|prefix| prefix.contains(&v6))?;
    let octets = v6.octets();
    // Octet 8 is skipped: it is zero in every form but the longest, which begins behind it.
    let mut behind =
        (usize::from(prefix.prefix_len() / 8)..16).filter(|place| *place != 8).map(|place| octets[place]);
    let mut next = || behind.next();
    Some(Ipv4Addr::new(next()?, next()?, next()?, next()?).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn judge(address: &str) -> Option<&'static str> {
        forbidden(address.parse().unwrap(), &[])
    }

    #[test]
    fn public_addresses_may_pass() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001:800::200e",
            "2001:4860:4860::8888",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
        ] {
            assert_eq!(judge(address), None, "{address}");
        }
    }

    #[test]
    fn every_special_address_has_its_word() {
        for (address, word) in [
            ("0.0.0.0", "unspecified"),
            ("0.1.2.3", "an address of this network"),
            ("10.0.0.1", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("100.64.0.1", "shared by a provider's customers"),
            ("100.127.255.255", "shared by a provider's customers"),
            ("127.0.0.1", "a loopback address"),
            ("127.255.255.255", "a loopback address"),
            ("169.254.1.1", "link-local"),
            ("192.0.0.8", "reserved"),
            ("192.0.2.1", "for documentation"),
            ("198.51.100.1", "for documentation"),
            ("203.0.113.1", "for documentation"),
            ("198.18.0.1", "for benchmarks"),
            ("198.19.255.255", "for benchmarks"),
            ("224.0.0.1", "a multicast address"),
            ("239.255.255.255", "a multicast address"),
            ("240.0.0.1", "reserved"),
            ("255.255.255.255", "a broadcast address"),
            ("169.254.169.254", "where a cloud keeps a machine's credentials"),
            ("169.254.170.2", "where a cloud keeps a machine's credentials"),
            ("100.100.100.200", "where a cloud keeps a machine's credentials"),
            ("168.63.129.16", "where a cloud keeps a machine's credentials"),
            ("fd00:ec2::254", "where a cloud keeps a machine's credentials"),
            ("fd20:ce::254", "where a cloud keeps a machine's credentials"),
            ("::ffff:169.254.169.254", "where a cloud keeps a machine's credentials"),
            ("64:ff9b::a9fe:a9fe", "where a cloud keeps a machine's credentials"),
            ("::", "unspecified"),
            ("::1", "a loopback address"),
            ("::ffff:127.0.0.1", "a loopback address"),
            ("::ffff:10.0.0.1", "private"),
            ("::10.0.0.1", "an IPv4 address in an abandoned form"),
            ("::1.1.1.1", "an IPv4 address in an abandoned form"),
            ("64:ff9b::10.0.0.1", "private"),
            ("64:ff9b:1::1.1.1.1", "a local translator's to IPv4"),
            ("2002:a00:1::", "a 6to4 tunnel's"),
            ("2002:101:101::1", "a 6to4 tunnel's"),
            ("2001:0:1234::1", "a Teredo tunnel's"),
            ("2001:10::1", "reserved"),
            ("2001:db8::1", "for documentation"),
            ("3fff:1::1", "for documentation"),
            ("fc00::1", "private (unique local)"),
            ("fdff::1", "private (unique local)"),
            ("fe80::1", "link-local"),
            ("fec0::1", "not handed out to the public"),
            ("ff02::1", "a multicast address"),
            ("100::1", "not handed out to the public"),
            ("5f00::1", "not handed out to the public"),
            ("4000::1", "not handed out to the public"),
        ] {
            assert_eq!(judge(address), Some(word), "{address}");
        }
    }

    #[test]
    fn a_named_network_may_pass_in_every_form_but_no_metadata_in_it() {
        let allowed = ["10.1.0.0/16".parse().unwrap(), "0.0.0.0/0".parse().unwrap()];
        for address in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"] {
            assert_eq!(forbidden(address.parse().unwrap(), &allowed[..1]), None, "{address}");
        }
        for address in ["10.2.0.1", "::ffff:10.2.0.1", "::10.1.2.3", "2002:a01:203::"] {
            assert!(forbidden(address.parse().unwrap(), &allowed[..1]).is_some(), "{address}");
        }
        for address in ["169.254.169.254", "::ffff:100.100.100.200"] {
            assert!(forbidden(address.parse().unwrap(), &allowed).is_some(), "{address}");
        }
    }

    #[test]
    fn the_address_behind_a_translator_is_found_for_every_length_of_its_prefix() {
        // The examples of RFC 6052, 2.4, for 192.0.2.33.
        for (prefix, address) in [
            ("2001:db8::/32", "2001:db8:c000:221::"),
            ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
            ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
            ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
            ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
            ("2001:db8:122:344::/96", "2001:db8:122:344::c000:221"),
        ] {
            let prefixes = [prefix.parse().unwrap()];
            let found = translated(address.parse().unwrap(), &prefixes);
            assert_eq!(found, Some("192.0.2.33".parse().unwrap()), "{prefix}");
            assert_eq!(translated("2001:4860::1".parse().unwrap(), &prefixes), None);
        }
    }

    prop_compose! {
        fn in_a_special_network()(index in 0..SPECIAL_V4.len(), bits: u32) -> Ipv4Addr {
            let network = SPECIAL_V4[index].0;
            Ipv4Addr::from(u32::from(network.network()) | (bits & u32::from(network.hostmask())))
        }
    }

    proptest! {
        #[test]
        fn a_special_ipv4_address_is_refused_in_every_disguise(address in in_a_special_network()) {
            let [a, b, c, d] = address.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            let disguises = [
                IpAddr::V4(address),
                IpAddr::V6(address.to_ipv6_mapped()),
                IpAddr::V6(address.to_ipv6_compatible()),
                IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low)),
                IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low)),
                IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 1, high, c, d << 8, 0, 0)),
                IpAddr::V6(Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1)),
                IpAddr::V6(Ipv6Addr::new(0x2001, 0, high, low, 0, 0, 0, 0)),
                IpAddr::V6(Ipv6Addr::new(0x2001, 0, 1, 1, 0, 0, !high, !low)),
            ];
            for disguise in disguises {
                prop_assert!(forbidden(disguise, &[]).is_some(), "{disguise}");
            }
        }

        #[test]
        fn what_the_standard_library_knows_to_be_special_is_refused(bits: u32) {
            let v4 = Ipv4Addr::from(bits);
            if v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_multicast()
                || v4.is_broadcast() || v4.is_documentation() || v4.is_unspecified()
            {
                prop_assert!(forbidden(v4.into(), &[]).is_some());
            }
        }

        #[test]
        fn only_global_unicast_passes_in_ipv6(bits: u128) {
            let v6 = Ipv6Addr::from(bits);
            if v6.is_loopback() || v6.is_multicast() || v6.is_unique_local() || v6.is_unicast_link_local() {
                prop_assert!(forbidden(v6.into(), &[]).is_some());
            }
            if forbidden(v6.into(), &[]).is_none() && meant(v6.into()).is_ipv6() {
                prop_assert_eq!(v6.segments()[0] >> 13, 1);
            }
        }
    }
}
