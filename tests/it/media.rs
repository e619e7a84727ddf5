//! Fetching from servers that serve, and from servers that mean harm.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use overheard::clock::ManualClock;
use overheard::media::{Delay, Failure, Fetched, Fetcher, Options, Outcome, PutOff, Refusal, decode};
use sha2::{Digest, Sha256};

use crate::support::pictures_server::PicturesServer;

const MAX_PIXELS: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
}

/// Lets 127.0.0.1 through and no other address of this machine.
fn options() -> Options {
    Options {
        allowed_networks: vec!["127.0.0.1/32".parse().unwrap()],
        denied_networks: vec![],
        nat64_prefixes: vec![],
        redirects: 3,
        connect_timeout: Duration::from_secs(5),
        first_byte_timeout: Duration::from_secs(10),
        total_timeout: Duration::from_secs(20),
        max_bytes: NonZeroUsize::new(100_000).unwrap(),
        max_pixels: MAX_PIXELS,
        memory: NonZeroUsize::new(1 << 30).unwrap(),
        decode_timeout: Duration::from_secs(10),
        per_host: NonZeroUsize::new(4).unwrap(),
        per_address: NonZeroUsize::new(6).unwrap(),
        retry_pause: Duration::from_secs(30),
        retry_pause_max: Duration::from_hours(1),
        contact: "https://overheard.example/pictures".to_owned(),
    }
}

fn fetcher_with(options: &Options) -> Fetcher {
    Fetcher::new(options, Arc::new(ManualClock::new(noon()))).unwrap()
}

fn fetcher() -> Fetcher {
    fetcher_with(&options())
}

fn fetched(outcome: Outcome) -> Fetched {
    match outcome {
        Outcome::Fetched(fetched) => fetched,
        other => panic!("{other}"),
    }
}

fn failed(outcome: Outcome) -> Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("{other}"),
    }
}

fn refused(outcome: Outcome) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{other}"),
    }
}

fn put_off(outcome: Outcome) -> PutOff {
    match outcome {
        Outcome::PutOff(put_off) => put_off,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_picture_is_fetched_and_decoded_whatever_its_server_says_of_its_type() {
    let (server, fetcher) = (PicturesServer::start().await, fetcher());
    for path in ["/good.jpg", "/good.png", "/good.webp", "/good.gif", "/many-frames.gif"] {
        let file = fetched(fetcher.fetch(&server.url(path), 0).await);
        assert_eq!(file.sha256, <[u8; 32]>::from(Sha256::digest(&file.bytes)));
        let picture = decode(&file.bytes, MAX_PIXELS, None).unwrap().picture;
        assert_eq!((picture.width(), picture.height()), (120, 80), "{path}");
    }
    let turned = fetched(fetcher.fetch(&server.url("/turned.jpg"), 0).await);
    assert_eq!(decode(&turned.bytes, MAX_PIXELS, None).unwrap().picture.width(), 80);
    for (path, message) in [
        ("/page.jpg", "The file is none of JPEG, PNG, WebP and GIF"),
        ("/bomb.png", "The picture has 60000 x 60000 pixels, which is more than media.max_pixels (1000000)"),
    ] {
        let file = fetched(fetcher.fetch(&server.url(path), 0).await);
        assert_eq!(decode(&file.bytes, MAX_PIXELS, None).unwrap_err().to_string(), message);
    }
}

#[tokio::test]
async fn a_request_names_the_program_and_asks_for_the_file_as_it_is() {
    let server = PicturesServer::start().await;
    let first = server.url("/to?/good.jpg");
    fetched(fetcher().fetch(&first, 0).await);
    for head in server.heads().iter().map(|head| head.to_lowercase()) {
        let version = env!("CARGO_PKG_VERSION");
        let agent = format!("\r\nuser-agent: overheard/{version} (+https://overheard.example/pictures)\r\n");
        assert!(head.contains(&agent), "{head}");
        assert!(head.contains("\r\naccept-encoding: identity\r\n"), "{head}");
        assert!(!head.contains("\r\nreferer:") && !head.contains("\r\ncookie:"), "{head}");
    }
}

#[tokio::test]
async fn redirects_are_followed_so_far_and_no_further() {
    let (server, fetcher) = (PicturesServer::start().await, fetcher());
    fetched(fetcher.fetch(&server.url("/to?/to?/to?/good.jpg"), 0).await);
    let end = failed(fetcher.fetch(&server.url("/to?/to?/to?/to?/good.jpg"), 0).await);
    assert_eq!(end, Failure::Redirects(3));
    assert_eq!(failed(fetcher.fetch(&server.url("/loop"), 0).await), Failure::Redirects(3));
    assert_eq!(server.asked_for("/loop"), 4);
    let end = failed(fetcher.fetch(&server.url("/nowhere"), 0).await);
    assert_eq!(end, Failure::Nowhere { host: "127.0.0.1".to_owned(), status: 302 });
}

#[tokio::test]
async fn no_redirect_leads_past_the_guard() {
    let (server, fetcher) = (PicturesServer::start().await, fetcher());
    let inside = PicturesServer::start_on([127, 0, 0, 2].into()).await;
    let port = inside.port();
    for target in [
        inside.url("/good.jpg"),
        format!("http://127.2:{port}/good.jpg"),
        format!("http://0x7f000002:{port}/good.jpg"),
        format!("//[::ffff:127.0.0.2]:{port}/good.jpg"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://10.0.0.1/".to_owned(),
    ] {
        for url in [target.replace("//[", "http://["), server.url(&format!("/to?{target}"))] {
            let refusal = refused(fetcher.fetch(&url, 0).await);
            assert!(matches!(&refusal, Refusal::Address { .. }), "{url}: {refusal}");
        }
    }
    assert_eq!(inside.heads(), [""; 0]);
    for (target, refusal) in [
        ("ftp://127.0.0.1/a.png", Refusal::Scheme("ftp".to_owned())),
        ("file:///etc/passwd", Refusal::Scheme("file".to_owned())),
        ("data:image/png;base64,AAAA", Refusal::Scheme("data".to_owned())),
        ("//me:secret@127.0.0.1/", Refusal::UserInfo),
        ("//127.0.0.1:25/", Refusal::Port(25)),
    ] {
        assert_eq!(refused(fetcher.fetch(&server.url(&format!("/to?{target}")), 0).await), refusal);
    }
}

#[tokio::test]
async fn a_name_may_be_asked_where_all_its_addresses_may() {
    let server = PicturesServer::start().await;
    let url = format!("http://localhost:{}/good.jpg", server.port());
    let refusal =
        refused(fetcher_with(&Options { allowed_networks: vec![], ..options() }).fetch(&url, 0).await);
    assert!(refusal.to_string().starts_with("localhost has the address "), "{refusal}");
    let loopback = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap());
    fetched(fetcher_with(&Options { allowed_networks: loopback.into(), ..options() }).fetch(&url, 0).await);
}

#[tokio::test]
async fn what_a_host_does_not_have_is_not_asked_for_again() {
    let (server, fetcher) = (PicturesServer::start().await, fetcher());
    let host = || "127.0.0.1".to_owned();
    for status in [404, 410] {
        let end = failed(fetcher.fetch(&server.url(&format!("/status?{status}")), 0).await);
        assert_eq!(end, Failure::Gone { host: host(), status });
    }
    for status in [204, 206, 300, 304, 400, 401, 403, 451] {
        let end = failed(fetcher.fetch(&server.url(&format!("/status?{status}")), 0).await);
        assert_eq!(end, Failure::Status { host: host(), status });
    }
}

#[tokio::test]
async fn what_may_come_later_is_put_off_longer_each_time() {
    let (server, fetcher) = (PicturesServer::start().await, fetcher());
    let after = |seconds| noon() + TimeDelta::seconds(seconds);
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let url = server.url(&format!("/status?{status}"));
        for (attempts, seconds) in [(0, 30), (1, 60), (20, 3600)] {
            let later = put_off(fetcher.fetch(&url, attempts).await);
            assert_eq!(later.reason, Delay::Status { host: "127.0.0.1".to_owned(), status });
            assert_eq!(later.not_before, after(seconds));
            assert!(later.was_tried());
        }
    }
}

#[tokio::test]
async fn a_host_that_asks_for_a_pause_gets_it_for_all_its_pictures() {
    let server = PicturesServer::start().await;
    for (asked, seconds) in [
        ("429&Retry-After:%20120", 120),
        ("503&Retry-After:%20120", 120),
        ("429&Retry-After:%20Sun,%2001%20Mar%202026%2012:02:00%20GMT", 120),
        // Less than our own pause; and more than the longest one.
        ("429&Retry-After:%201", 30),
        ("429&Retry-After:%2086400", 3600),
    ] {
        let fetcher = fetcher();
        let later = put_off(fetcher.fetch(&server.url(&format!("/status?{asked}")), 0).await);
        assert_eq!(later.not_before, noon() + TimeDelta::seconds(seconds), "{asked}");
        let other = put_off(fetcher.fetch(&server.url("/good.jpg"), 0).await);
        assert_eq!(other.reason, Delay::Resting { host: "127.0.0.1".to_owned() });
        assert!(other.not_before > noon() && other.not_before <= later.not_before);
        assert!(!other.was_tried());
    }
    assert_eq!(server.asked_for("/good.jpg"), 0);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_not_read_to_its_end() {
    let (server, fetcher) = (PicturesServer::start().await, fetcher());
    for path in ["/announced", "/endless"] {
        let end = failed(fetcher.fetch(&server.url(path), 0).await);
        assert_eq!(end, Failure::TooLarge { max_bytes: 100_000 });
    }
    // What was sent beyond the limit stood in the sockets' buffers.
    assert!(server.endless_bytes() < 50_000_000, "{}", server.endless_bytes());
    server.put("/just.jpg", vec![7; 100_000]);
    assert_eq!(fetched(fetcher.fetch(&server.url("/just.jpg"), 0).await).bytes.len(), 100_000);
}

#[tokio::test]
async fn a_file_that_comes_compressed_is_not_unpacked() {
    let (server, fetcher) = (PicturesServer::start().await, fetcher());
    let end = failed(fetcher.fetch(&server.url("/gzip"), 0).await);
    assert_eq!(end, Failure::Encoded { host: "127.0.0.1".to_owned(), encoding: "gzip".to_owned() });
}

#[tokio::test]
async fn connections_that_break_are_tried_again_later() {
    let (server, fetcher) = (PicturesServer::start().await, fetcher());
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let nobody = format!("http://127.0.0.1:{port}/");
    // A server for TLS that speaks plain HTTP.
    let plain = server.url("/good.jpg").replace("http://", "https://");
    let broken = ["/truncated", "/hang-up", "/not-http", "/endless-head"].map(|path| server.url(path));
    for url in broken.into_iter().chain([nobody, plain]) {
        let later = put_off(fetcher.fetch(&url, 0).await);
        assert!(matches!(&later.reason, Delay::Connection { .. }), "{url}: {}", later.reason);
        assert_eq!(later.not_before, noon() + TimeDelta::seconds(30));
    }
    // Without a network the name servers are what does not answer.
    let later = put_off(fetcher.fetch("http://nobody.invalid/", 0).await);
    assert!(matches!(&later.reason, Delay::Connection { .. } | Delay::Timeout { .. }), "{}", later.reason);
}

#[tokio::test]
async fn nothing_takes_longer_than_it_may() {
    let server = PicturesServer::start().await;
    let quick = Options {
        connect_timeout: Duration::from_millis(300),
        first_byte_timeout: Duration::from_millis(500),
        total_timeout: Duration::from_millis(900),
        ..options()
    };
    let begin = Instant::now();
    let fetcher = fetcher_with(&quick);
    for (path, what) in [("/never", "answer"), ("/drip", "send the file")] {
        let later = put_off(fetcher.fetch(&server.url(path), 0).await);
        assert!(
            matches!(&later.reason, Delay::Timeout { what: found, .. } if *found == what),
            "{}",
            later.reason
        );
    }
    // A listener that accepts nothing: its queue is full.
    let full = tokio::net::TcpSocket::new_v4().unwrap();
    full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let full = full.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..4 {
        waiting.push(tokio::spawn(tokio::net::TcpStream::connect(address)));
    }
    let later = put_off(fetcher.fetch(&format!("https://{address}/"), 0).await);
    assert!(matches!(&later.reason, Delay::Timeout { .. }), "{}", later.reason);
    assert!(begin.elapsed() < Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_host_is_not_waited_for() {
    let (server, fetcher) = (PicturesServer::start().await, fetcher());
    let slow = server.url("/slow");
    let all: Vec<_> = (0..12)
        .map(|_| {
            let (fetcher, slow) = (fetcher.clone(), slow.clone());
            tokio::spawn(async move { fetcher.fetch(&slow, 0).await })
        })
        .collect();
    let mut had = 0;
    for task in all {
        match task.await.unwrap() {
            Outcome::Fetched(_) => had += 1,
            other => {
                let later = put_off(other);
                assert_eq!(later.reason, Delay::Busy { host: "127.0.0.1".to_owned(), requests: 4 });
                assert!(!later.was_tried() && later.not_before > noon());
            }
        }
    }
    assert!(had >= 4, "{had}");
    assert!(server.most_at_once() <= 4, "{}", server.most_at_once());
    fetched(fetcher.fetch(&slow, 0).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_names_do_not_aim_more_requests_at_one_address_than_it_may_have() {
    let server = PicturesServer::start().await;
    let loopback = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap());
    let limited = Options {
        allowed_networks: loopback.into(),
        per_address: NonZeroUsize::new(2).unwrap(),
        ..options()
    };
    let fetcher = fetcher_with(&limited);
    let names = ["127.0.0.1", "localhost"];
    let all: Vec<_> = (0..8)
        .map(|n| {
            let (fetcher, name, port) = (fetcher.clone(), names[n % names.len()], server.port());
            tokio::spawn(async move { fetcher.fetch(&format!("http://{name}:{port}/slow"), 0).await })
        })
        .collect();
    let mut files = 0;
    for task in all {
        match task.await.unwrap() {
            Outcome::Fetched(_) => files += 1,
            other => assert!(matches!(put_off(other).reason, Delay::Busy { requests: 2, .. })),
        }
    }
    assert!(files >= 2, "{files}");
    assert!(server.most_at_once() <= 2, "{}", server.most_at_once());
}

#[tokio::test]
async fn a_denied_network_is_refused_by_the_addresses_that_a_name_has() {
    let server = PicturesServer::start().await;
    let loopback: Vec<_> = ["127.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap()).into();
    let denying = Options { allowed_networks: loopback.clone(), denied_networks: loopback, ..options() };
    let url = format!("http://localhost:{}/good.jpg", server.port());
    let refusal = refused(fetcher_with(&denying).fetch(&url, 0).await);
    assert!(matches!(&refusal, Refusal::Denied { host, .. } if host == "localhost"), "{refusal}");
}
