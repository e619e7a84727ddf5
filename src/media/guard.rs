//! The guard: which URLs are asked for, and which addresses are connected to.
//!
//! A host's name is resolved here, every address that it has is judged, and the connection goes to
//! those very addresses: a name that is resolved once to be checked and once more to connect could
//! change in between (DNS rebinding). A URL that holds an address in place of a name never gets as
//! far as a resolver, so it is judged when the URL is; the `url` crate has turned every odd way to
//! write it (`0x7f.1`, `2130706433`, `0177.0.0.1`, `127.1`) into the plain one by then.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::forbidden;
use super::outcome::Refusal;

/// Ports from 1024 up that a browser does not fetch from either, since something else listens
/// there ("bad ports" of the WHATWG's Fetch standard).
const BAD_PORTS: [u16; 18] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697,
];
/// One more of them.
const AMANDA: u16 = 10_080;

/// Judges URLs and addresses. Clones share the list of networks.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    allowed: Arc<[IpNet]>,
}

impl Guard {
    /// A guard that lets public addresses through, and those of the networks named.
    pub(super) fn new(allowed: &[IpNet]) -> Self {
        Self { allowed: allowed.into() }
    }

    /// Reads a URL and judges all of it that can be judged without asking anybody.
    pub(super) fn check(&self, url: &str) -> Result<Checked, Refusal> {
        self.check_url(Url::parse(url).map_err(|error| Refusal::NotAUrl(error.to_string()))?)
    }

    /// Judges where a redirect leads from a URL.
    pub(super) fn check_redirect(&self, from: &Checked, location: &str) -> Result<Checked, Refusal> {
        self.check_url(from.url.join(location).map_err(|error| Refusal::NotAUrl(error.to_string()))?)
    }

    fn check_url(&self, url: Url) -> Result<Checked, Refusal> {
        if !["http", "https"].contains(&url.scheme()) {
            return Err(Refusal::Scheme(url.scheme().chars().take(20).collect()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::UserInfo);
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if ![80, 443].contains(&port) && (port < 1024 || BAD_PORTS.contains(&port) || port == AMANDA) {
            return Err(Refusal::Port(port));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => self.judge(&address.to_string(), address.into())?,
            Some(Host::Ipv6(address)) => self.judge(&address.to_string(), address.into())?,
            None => return Err(Refusal::NotAUrl("it names no host".to_owned())),
        };
        Ok(Checked { url, host })
    }

    fn judge(&self, host: &str, address: IpAddr) -> Result<String, Refusal> {
        match forbidden(address, &self.allowed) {
            None => Ok(host.to_owned()),
            Some(word) => Err(Refusal::Address { host: host.to_owned(), address, word }),
        }
    }

    /// All addresses of a host; a refusal if pictures may not come from one of them. One is enough:
    /// a host that leads outside and inside at once was not set up to serve the public.
    async fn resolve_host(&self, host: &str) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        // The client puts the URL's port in place of 0.
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
        for address in &addresses {
            self.judge(host, address.ip())?;
        }
        Ok(addresses)
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let addresses = guard.resolve_host(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// A URL that may be asked for, as far as it alone tells.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    url: Url,
    host: String,
}

impl Checked {
    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The host in lower case: a name, or an address without brackets.
    pub(super) fn host(&self) -> &str {
        &self.host
    }
}

/// The refusal inside an error of the client, if the guard was what stopped it.
pub(super) fn refusal_in(error: &(dyn Error + 'static)) -> Option<Refusal> {
    std::iter::successors(Some(error), |&error| error.source())
        .find_map(|error| error.downcast_ref().cloned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(url: &str) -> Result<Checked, Refusal> {
        Guard::new(&[]).check(url)
    }

    #[test]
    fn ordinary_addresses_may_be_asked_for() {
        for (url, host) in [
            ("https://cdn.example/a.jpg", "cdn.example"),
            ("HTTP://CDN.Example:8080/a.jpg?size=1", "cdn.example"),
            ("http://1.1.1.1/", "1.1.1.1"),
            ("https://[2606:4700::1111]:8443/", "2606:4700::1111"),
            ("https://bücher.example/ü.png", "xn--bcher-kva.example"),
        ] {
            assert_eq!(check(url).unwrap().host(), host, "{url}");
        }
    }

    #[test]
    fn other_schemes_and_user_names_are_refused() {
        for url in
            ["ftp://a.example/b.png", "file:///etc/passwd", "data:image/png;base64,AAAA", "gopher://a/"]
        {
            assert!(matches!(check(url), Err(Refusal::Scheme(_))), "{url}");
        }
        for url in ["http://me@a.example/", "http://:secret@a.example/", "http://a.example:80@127.0.0.1/"] {
            assert_eq!(check(url).unwrap_err(), Refusal::UserInfo, "{url}");
        }
        for url in ["", "a.png", "//a.example/b.png", "http://", "http://a b/", "http://[::1%25eth0]/"] {
            assert!(matches!(check(url), Err(Refusal::NotAUrl(_))), "{url}");
        }
    }

    #[test]
    fn ports_of_other_services_are_refused() {
        for port in [1, 22, 25, 81, 110, 445, 1023, 2049, 6000, 6667, 10_080] {
            assert_eq!(check(&format!("http://a.example:{port}/")).unwrap_err(), Refusal::Port(port));
        }
    }

    #[test]
    fn an_address_in_place_of_a_name_is_judged_however_it_is_written() {
        for url in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://0x7f.1/",
            "http://0x7f000001/",
            "http://2130706433/",
            "http://0177.0.0.1/",
            "http://017700000001/",
            "http://127.0.0.1./",
            "http://%31%32%37.0.0.1/",
            "http://１２７.０.０.１/",
            "http://①②⑦.0.0.1/",
            "http://127。0。0。1/",
            "http:127.0.0.1/",
            "http:\\\\127.0.0.1\\",
            "http:///127.0.0.1/",
            "http://1\t27.0.0.1/",
            "http://0/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[0:0:0:0:0:ffff:7f00:1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://[::127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://0xa9fea9fe/",
            "http://[fd00:ec2::254]/",
        ] {
            assert!(matches!(check(url), Err(Refusal::Address { .. })), "{url}");
        }
    }

    #[test]
    fn a_redirect_is_judged_like_an_address() {
        let guard = Guard::new(&[]);
        let from = guard.check("https://a.example/b/c.png?d").unwrap();
        assert_eq!(guard.check_redirect(&from, "e.png").unwrap().url().as_str(), "https://a.example/b/e.png");
        assert_eq!(guard.check_redirect(&from, "//f.example/").unwrap().host(), "f.example");
        assert!(matches!(guard.check_redirect(&from, "//127.0.0.1/"), Err(Refusal::Address { .. })));
        assert!(matches!(guard.check_redirect(&from, "file:///etc/passwd"), Err(Refusal::Scheme(_))));
        assert!(matches!(guard.check_redirect(&from, "//me@f.example/"), Err(Refusal::UserInfo)));
    }

    #[tokio::test]
    async fn every_address_that_a_name_has_is_judged() {
        let error = Guard::new(&[]).resolve_host("localhost").await.unwrap_err();
        let refusal = refusal_in(&*error).unwrap();
        assert!(matches!(&refusal, Refusal::Address { host, .. } if host == "localhost"), "{refusal}");
        let loopback = ["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        assert!(!Guard::new(&loopback).resolve_host("localhost").await.unwrap().is_empty());
    }

    proptest! {
        #[test]
        fn whatever_is_let_through_is_http_to_a_host_that_is_not_private(url in "(http|https|ftp)://[0-9a-fx.:@\\[\\]%]{1,24}/?") {
            if let Ok(checked) = check(&url) {
                prop_assert!(["http", "https"].contains(&checked.url().scheme()));
                prop_assert!(checked.url().username().is_empty());
                if let Ok(address) = checked.host().parse::<IpAddr>() {
                    prop_assert_eq!(forbidden(address, &[]), None);
                }
            }
        }
    }
}
