//! `kafka.instance_id`: who this process is in its consumer group.
//!
//! A member that the group knows gets its partitions back as soon as it is there again, where a new
//! one waits until the group has given up the old. But two processes of one name take each other's
//! place, so a name that is made up must be one that no other process has: the machine's, with the
//! port of the admin listener, which no two processes of a machine can share.

use std::net::SocketAddr;

use sha2::{Digest, Sha256};

use super::names;
use crate::config::Section;

const AUTO: &str = "auto";
const NONE: &str = "none";

/// Names that say nothing about the machine.
const ANY_MACHINE: [&str; 3] = ["", "localhost", "(none)"];

/// Reads the key. `auto` stays as it is: what it becomes depends on another section.
pub(super) fn read(kafka: &mut Section<'_>) -> Option<String> {
    let id: String = kafka.required("instance_id");
    if !names::is_allowed(&id) {
        let ways = format!("write \"{AUTO}\", \"{NONE}\" or a name: {}", names::RULE);
        kafka.note("instance_id", format_args!("{id:?} is not a member's name; {ways}"));
    }
    Some(id).filter(|id| id != NONE)
}

/// What `auto` becomes in a process that listens there. Any other name is the operator's own.
pub(super) fn resolve(id: Option<String>, listen: SocketAddr) -> Option<String> {
    match id {
        Some(auto) if auto == AUTO => {
            let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
            let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
            made_up(host.trim(), machine.trim(), listen.port())
        }
        given => given,
    }
}

/// Host name, machine and port. The machine's id tells hosts of one name apart; it is not for
/// others to see, so only a part of its hash is used. Containers mostly have none, but host names
/// of their own.
fn made_up(host: &str, machine: &str, port: u16) -> Option<String> {
    // Port 0 is another one each time.
    if port == 0 || ANY_MACHINE.contains(&host) {
        return None;
    }
    let allowed = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let host: String = host.chars().take(64).map(allowed).collect();
    if machine.is_empty() {
        return Some(format!("{host}-{port}"));
    }
    let hash = Sha256::digest(format!("overheard {machine}"));
    let mark = hex::encode(&hash[..4]);
    Some(format!("{host}-{mark}-{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_of_each_machine_has_a_name_of_its_own_that_stays() {
        let name = |host, machine, port| made_up(host, machine, port).unwrap();
        let one = name("web 1", "0123", 9464);
        assert!(names::is_allowed(&one) && one.starts_with("web-1-") && one.ends_with("-9464"), "{one}");
        assert_eq!(one, name("web 1", "0123", 9464));
        assert!(!one.contains("0123"), "the machine's id is not shown");
        for other in [name("web 2", "0123", 9464), name("web 1", "4567", 9464), name("web 1", "0123", 9465)] {
            assert_ne!(one, other);
        }
        assert_eq!(name("4f1c2d3e4a5b", "", 9464), "4f1c2d3e4a5b-9464");
    }

    #[test]
    fn a_process_that_does_not_know_who_it_is_has_no_name() {
        assert_eq!(made_up("localhost", "0123", 9464), None);
        assert_eq!(made_up("", "", 9464), None);
        assert_eq!(made_up("web", "0123", 0), None, "any port is none that stays");
    }

    #[test]
    fn a_given_name_is_taken_as_it_is() {
        let listen = "127.0.0.1:0".parse().unwrap();
        assert_eq!(resolve(Some("one".to_owned()), listen), Some("one".to_owned()));
        assert_eq!(resolve(None, listen), None);
        assert_eq!(resolve(Some(AUTO.to_owned()), listen), None);
    }
}
