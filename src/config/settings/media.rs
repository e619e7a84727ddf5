//! `[media]` -> how pictures are fetched and decoded.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use ipnet::{IpNet, Ipv6Net};

use crate::config::{Bytes, Section};
use crate::media;

/// Reads the section.
pub(super) fn read(root: &mut Section<'_>) -> media::Options {
    let mut media = root.section("media");
    let short = Duration::from_millis(100)..=Duration::from_mins(5);
    let pauses = Duration::from_millis(100)..=Duration::from_hours(24);
    let Bytes(max_bytes) = media.within("max_bytes", 1 << 10..=1 << 30);
    let Bytes(memory) = media.within("memory", 1 << 20..=1 << 38);
    let options = media::Options {
        allowed_networks: read_networks(&mut media, "allowed_networks"),
        denied_networks: read_networks(&mut media, "denied_networks"),
        nat64_prefixes: read_prefixes(&mut media),
        redirects: media.within("redirects", 0..=20),
        connect_timeout: media.within("connect_timeout", short.clone()),
        first_byte_timeout: media.within("first_byte_timeout", short),
        total_timeout: media.within("total_timeout", Duration::from_millis(100)..=Duration::from_mins(30)),
        max_bytes: NonZeroUsize::new(max_bytes).unwrap_or(NonZeroUsize::MIN),
        max_pixels: media.within("max_pixels", 1..=1_000_000_000),
        memory: NonZeroUsize::new(memory).unwrap_or(NonZeroUsize::MIN),
        decode_timeout: media.within("decode_timeout", Duration::from_secs(1)..=Duration::from_mins(5)),
        per_host: media.within("per_host", 1..=1000),
        per_address: media.within("per_address", 1..=1000),
        retry_pause: media.within("retry_pause", pauses.clone()),
        retry_pause_max: media.within("retry_pause_max", pauses),
        contact: media.required("contact"),
    };
    // Otherwise the outer limit would always hit first, with a misleading message.
    let in_order = [
        ("first_byte_timeout", options.first_byte_timeout, "connect_timeout", options.connect_timeout),
        ("total_timeout", options.total_timeout, "first_byte_timeout", options.first_byte_timeout),
        ("retry_pause_max", options.retry_pause_max, "retry_pause", options.retry_pause),
    ];
    for (longer, long, shorter, short) in in_order {
        if long < short && media.is_sound(shorter) {
            media.note(longer, format_args!("must not be below media.{shorter}"));
        }
    }
    let largest = crate::media::largest_picture(options.max_pixels);
    if (options.memory.get() as u64) < largest && media.is_sound("max_pixels") {
        media.note(
            "memory",
            format_args!(
                "must be at least {largest} bytes, which is what a picture of media.max_pixels may take"
            ),
        );
    }
    let is_plain = |byte: u8| (byte.is_ascii_graphic() || byte == b' ') && ![b'(', b')'].contains(&byte);
    if !options.contact.bytes().all(is_plain) {
        let contact = &options.contact;
        media.note(
            "contact",
            format_args!("{contact:?} can't be sent in a header; write a URL or a mail address"),
        );
    }
    media.finish();
    options
}

fn read_networks(media: &mut Section<'_>, key: &'static str) -> Vec<IpNet> {
    let texts: Vec<String> = media.required(key);
    let mut networks = Vec::with_capacity(texts.len());
    for text in texts {
        let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        match network {
            None => media.note(
                key,
                format_args!("{text:?} is not a network; write an address with a prefix length, such as \"10.1.0.0/16\""),
            ),
            Some(network) if network != network.trunc() => {
                let meant = network.trunc();
                media.note(key, format_args!("{text:?} names a host in a network; write \"{meant}\" for the network"));
            }
            Some(network) => networks.push(network),
        }
    }
    networks
}

fn read_prefixes(media: &mut Section<'_>) -> Vec<Ipv6Net> {
    const KEY: &str = "nat64_prefixes";
    let mut prefixes = Vec::new();
    for network in read_networks(media, KEY) {
        match network {
            IpNet::V6(prefix) if crate::media::NAT64_LENGTHS.contains(&prefix.prefix_len()) => prefixes.push(prefix),
            other => media.note(
                KEY,
                format_args!("\"{other}\" is no prefix of a translator; write an IPv6 network of length 32, 40, 48, 56, 64 or 96"),
            ),
        }
    }
    prefixes
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    fn problems(section: &str) -> Vec<String> {
        Settings::over_defaults("the test", &format!("[media]\n{section}"), [])
            .unwrap_err()
            .problems()
            .to_vec()
    }

    #[test]
    fn networks_and_single_addresses_are_read() {
        let text = "[media]\nallowed_networks = [\"10.1.0.0/16\", \"fd12::/32\", \"192.168.7.7\"]";
        let settings = Settings::over_defaults("the test", text, []).unwrap();
        let networks: Vec<_> = settings.media.allowed_networks.iter().map(ToString::to_string).collect();
        assert_eq!(networks, ["10.1.0.0/16", "fd12::/32", "192.168.7.7/32"]);
    }

    #[test]
    fn wrong_networks_are_refused_with_what_to_write() {
        let found = problems("allowed_networks = [\"10.1.2.3/16\", \"intranet\", \"10.0.0.0/33\"]");
        assert_eq!(
            found,
            [
                "media.allowed_networks: \"10.0.0.0/33\" is not a network; write an address with a prefix length, such as \"10.1.0.0/16\"",
                "media.allowed_networks: \"10.1.2.3/16\" names a host in a network; write \"10.1.0.0/16\" for the network",
                "media.allowed_networks: \"intranet\" is not a network; write an address with a prefix length, such as \"10.1.0.0/16\"",
            ]
        );
    }

    #[test]
    fn limits_that_contradict_each_other_are_refused() {
        let found = problems(
            "connect_timeout = \"20s\"\ntotal_timeout = \"5s\"\nretry_pause_max = \"1s\"\ncontact = \"a\\nb\"",
        );
        assert_eq!(
            found,
            [
                "media.contact: \"a\\nb\" can't be sent in a header; write a URL or a mail address",
                "media.first_byte_timeout: must not be below media.connect_timeout",
                "media.retry_pause_max: must not be below media.retry_pause",
                "media.total_timeout: must not be below media.first_byte_timeout",
            ]
        );
    }
}
