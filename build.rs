//! Tells Cargo what the program embeds besides its sources.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
