//! Messages over a pipe: the length of a head, the head as JSON, and bytes whose number it tells.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Longest head: nothing in it is long but an error's text.
const LONGEST_HEAD: u32 = 1 << 16;

/// To a child: a file follows.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) bytes: usize,
    pub(super) max_pixels: usize,
    pub(super) longest_side: Option<u32>,
    pub(super) cpu_seconds: u64,
}

/// To a child that told what it needs: it may go on.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Go;

/// From a child.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply {
    /// By the file's header, so many bytes are needed to decode it.
    Needs(u64),
    /// It is decoded; its pixels follow, and those of so many others of the same size.
    Decoded { width: u32, height: u32, full_width: u32, full_height: u32, others: usize, hash: Option<i64> },
    /// It can't be decoded: a word for counting, and the reason.
    Undecodable { label: String, reason: String },
}

fn head(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    Ok([&length.to_be_bytes()[..], &json].concat())
}

fn length(bytes: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_be_bytes(bytes);
    if length > LONGEST_HEAD {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message's head is too long"));
    }
    Ok(length as usize)
}

/// Writes a message without bytes behind it, or its head.
pub(super) fn write(pipe: &mut impl Write, message: &impl Serialize) -> io::Result<()> {
    pipe.write_all(&head(message)?)?;
    pipe.flush()
}

/// Reads a message's head.
pub(super) fn read<T: DeserializeOwned>(pipe: &mut impl Read) -> io::Result<T> {
    let mut bytes = [0; 4];
    pipe.read_exact(&mut bytes)?;
    let mut json = vec![0; length(bytes)?];
    pipe.read_exact(&mut json)?;
    Ok(serde_json::from_slice(&json)?)
}

/// [`write`] for the side that may not block.
pub(super) async fn send(pipe: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> io::Result<()> {
    pipe.write_all(&head(message)?).await?;
    pipe.flush().await
}

/// [`read`] for the side that may not block.
pub(super) async fn receive<T: DeserializeOwned>(pipe: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let mut bytes = [0; 4];
    pipe.read_exact(&mut bytes).await?;
    let mut json = vec![0; length(bytes)?];
    pipe.read_exact(&mut json).await?;
    Ok(serde_json::from_slice(&json)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_a_head_without_end_is_refused() {
        let mut pipe = Vec::new();
        write(&mut pipe, &Reply::Needs(7)).unwrap();
        pipe.extend_from_slice(b"behind");
        let mut rest = pipe.as_slice();
        assert!(matches!(read(&mut rest).unwrap(), Reply::Needs(7)));
        assert_eq!(rest, b"behind");
        let endless = u32::MAX.to_be_bytes();
        assert_eq!(read::<Go>(&mut endless.as_slice()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
