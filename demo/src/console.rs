//! What the demo prints.

use std::io::Write;

/// Prints a line at once.
pub(crate) fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // Nobody may be reading any more: nothing to do about it.
    let _ = writeln!(output, "{line}");
    let _ = output.flush();
}
