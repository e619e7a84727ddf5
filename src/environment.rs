//! What libraries read from the environment when they are loaded, and so before any setting is.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::bail;

/// Variables with the values that they get unless they are set.
const VARIABLES: [(&str, &str); 2] = [
    // ONNX Runtime's own builds report their use over the network unless told not to.
    ("ORT_DISABLE_TELEMETRY", "1"),
    // glibc's allocator has eight areas a core, and each keeps what was freed in it: with long posts
    // that is more memory than the posts take.
    ("MALLOC_ARENA_MAX", "2"),
];

/// Makes sure that the environment has them. To be called before anything else: a process can't
/// safely change its own environment, so where a variable is missing, the program is executed anew
/// with it, under the same process id.
///
/// # Errors
/// The program can't be executed again.
pub fn complete() -> anyhow::Result<()> {
    let missing: Vec<_> =
        VARIABLES.into_iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let Ok(program) = std::env::current_exe() else { return Ok(()) };
    let error = Command::new(program).args(std::env::args_os().skip(1)).envs(missing.iter().copied()).exec();
    let names: Vec<_> = missing.iter().map(|(name, _)| *name).collect();
    bail!("{} is not set and can't be: {error}", names.join(" and "))
}
