//! Decoding in processes of their own, within limits.
//!
//! A small file may unpack to gigabytes, take minutes, or find a fault in a decoder. So files are
//! decoded and hashed by child processes: this program, started with another first argument, under
//! limits of address space and CPU time. What goes wrong costs a child, and the next file gets
//! another. Text, other pictures and the models are not touched.
//!
//! - `pool` keeps the children and starts them anew when they end.
//! - `memory` is the budget that a picture takes from its file's header to the end of detection.
//! - `child` is what runs in a child; `frames` is how the two speak, over pipes.

mod child;
mod frames;
mod memory;
mod pool;

pub use child::serve_if_asked;
pub use memory::Memory;
pub use pool::{DecodeOutcome, DecodedPicture, Decoders, DecodersOptions};
