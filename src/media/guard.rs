//! The guard: which URLs may be requested, and which IP addresses may be connected to.
//!
//! The guard is the HTTP client's DNS resolver. It checks every address of a host, and the client
//! connects to those same addresses; a second lookup could return others (DNS rebinding). A URL
//! whose host is an IP address never reaches the resolver, so it is checked with the URL. By then
//! the `url` crate has normalised odd notations (`0x7f.1`, `2130706433`, `0177.0.0.1`, `127.1`).

use std::collections::HashMap;
use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ipnet::{IpNet, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::address::{forbidden, meant, translated};
use super::outcome::Refusal;

/// Ports from 1024 up that belong to other protocols and that browsers refuse too ("bad ports" in
/// the WHATWG's Fetch standard).
const BAD_PORTS: [u16; 18] = [
    1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679,
    6697,
];
/// Another bad port.
const AMANDA: u16 = 10_080;

/// Longest name in the DNS.
const LONGEST_NAME: usize = 253;

/// When a name was resolved, and to which addresses.
type Resolved = (Instant, Vec<SocketAddr>);

/// Checks URLs and IP addresses. Clones share the lists of networks and the resolved names.
#[derive(Clone, Debug)]
pub(super) struct Guard {
    allowed: Arc<[IpNet]>,
    denied: Arc<[IpNet]>,
    nat64: Arc<[Ipv6Net]>,
    resolved: Arc<Mutex<HashMap<String, Resolved>>>,
}

/// How long a name's addresses are used again: counting its requests and connecting ask for the same
/// ones.
const RESOLVED_FOR: Duration = Duration::from_secs(5);
/// Most names whose addresses are kept.
const MOST_RESOLVED: usize = 1_000;

impl Guard {
    /// A guard that lets public addresses through, and those of the networks named.
    pub(super) fn new(allowed: &[IpNet]) -> Self {
        Self {
            allowed: allowed.into(),
            denied: Arc::default(),
            nat64: Arc::default(),
            resolved: Arc::default(),
        }
    }

    /// Lets nothing of these networks through, and knows these prefixes of translators to IPv4.
    pub(super) fn with(self, denied: &[IpNet], nat64: &[Ipv6Net]) -> Self {
        Self { denied: denied.into(), nat64: nat64.into(), ..self }
    }

    /// Parses a URL and checks all that can be checked without a DNS lookup.
    pub(super) fn check(&self, url: &str) -> Result<Checked, Refusal> {
        self.check_url(Url::parse(url).map_err(|error| Refusal::NotAUrl(error.to_string()))?)
    }

    /// Resolves a redirect's `Location` against the URL that sent it, and checks the result.
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
            Some(Host::Domain(name)) if name.len() > LONGEST_NAME => {
                let reason = format!("its host's name is longer than {LONGEST_NAME} characters");
                return Err(Refusal::NotAUrl(reason));
            }
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => self.judge(&address.to_string(), address.into())?,
            Some(Host::Ipv6(address)) => self.judge(&address.to_string(), address.into())?,
            None => return Err(Refusal::NotAUrl("it names no host".to_owned())),
        };
        Ok(Checked { url, host })
    }

    fn judge(&self, host: &str, address: IpAddr) -> Result<String, Refusal> {
        let behind = meant(translated(address, &self.nat64).unwrap_or(address));
        if self.denied.iter().any(|network| network.contains(&address) || network.contains(&behind)) {
            return Err(Refusal::Denied { host: host.to_owned(), address });
        }
        // What is not behind a prefix of our own is judged as it is written.
        let judged = translated(address, &self.nat64).unwrap_or(address);
        match forbidden(judged, &self.allowed) {
            None => Ok(host.to_owned()),
            Some(word) => Err(Refusal::Address { host: host.to_owned(), address, word }),
        }
    }

    /// All addresses of a host; a refusal if pictures may not come from one of them. One is enough:
    /// a host that leads outside and inside at once was not set up to serve the public.
    pub(super) async fn resolve_host(
        &self,
        host: &str,
    ) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
        if let Some((at, addresses)) = self.resolved().get(host)
            && at.elapsed() < RESOLVED_FOR
        {
            return Ok(addresses.clone());
        }
        // The client puts the URL's port in place of 0.
        let addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
        for address in &addresses {
            self.judge(host, address.ip())?;
        }
        let mut resolved = self.resolved();
        if resolved.len() >= MOST_RESOLVED {
            resolved.retain(|_, (at, _)| at.elapsed() < RESOLVED_FOR);
        }
        if resolved.len() < MOST_RESOLVED {
            resolved.insert(host.to_owned(), (Instant::now(), addresses.clone()));
        }
        Ok(addresses)
    }

    fn resolved(&self) -> MutexGuard<'_, HashMap<String, (Instant, Vec<SocketAddr>)>> {
        self.resolved.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A URL that passed the checks that need no DNS lookup.
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

/// The guard's refusal inside a client error, if there is one.
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

    #[test]
    fn a_denied_network_is_refused_in_every_form_even_where_it_is_public_or_allowed() {
        let denied = ["8.8.0.0/16".parse().unwrap(), "2a00:1450::/32".parse().unwrap()];
        let nat64 = ["2001:67c:2db8:6464::/96".parse().unwrap()];
        let guard = Guard::new(&["8.8.0.0/16".parse().unwrap()]).with(&denied, &nat64);
        for url in [
            "http://8.8.8.8/",
            "http://0x08080808/",
            "http://[::ffff:8.8.8.8]/",
            "http://[64:ff9b::8.8.8.8]/",
            "http://[2001:67c:2db8:6464::8.8.8.8]/",
            "http://[2a00:1450::1]/",
        ] {
            assert!(matches!(guard.check(url), Err(Refusal::Denied { .. })), "{url}");
        }
        for url in ["http://9.9.9.9/", "http://[2001:67c:2db8:6464::9.9.9.9]/"] {
            assert!(guard.check(url).is_ok(), "{url}");
        }
        // Behind a translator of our own lies our own network as well.
        let refusal = guard.check("http://[2001:67c:2db8:6464::10.0.0.1]/").unwrap_err();
        assert!(matches!(refusal, Refusal::Address { word: "private", .. }), "{refusal}");
    }

    #[test]
    fn a_name_that_is_too_long_for_one_is_refused() {
        let url = format!("http://{}.example/", "a".repeat(300));
        assert!(matches!(check(&url), Err(Refusal::NotAUrl(_))));
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
