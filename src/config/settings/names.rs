//! What Kafka allows in the names of topics and of members of a group.

/// The rule, for messages.
pub(super) const RULE: &str = "use 1 to 249 letters of a-z and A-Z, digits, dots, underscores and dashes";

/// Whether Kafka allows a name.
pub(super) fn is_allowed(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || [b'.', b'_', b'-'].contains(&b);
    (1..=249).contains(&name.len()) && name.bytes().all(allowed) && name != "." && name != ".."
}
