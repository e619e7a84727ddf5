//! Messages compressed with Zstandard and a dictionary. Version 1 has one dictionary, which is shipped
//! (`dictionary/`); the servers of version 2 give theirs away.

use url::Url;
use zstd::bulk::Decompressor;

use crate::feeds::{Answer, FeedError, HttpClient, LARGEST, Validators};

/// The dictionary of version 1.
const V1_DICTIONARY: &[u8] = include_bytes!("dictionary/v1.zdict");
const V2_DICTIONARY_PATH: &str = "/xrpc/network.bsky.jetstream.getZstdDictionary";
/// How a dictionary begins; its number follows in four bytes, the least one first.
const MAGIC: [u8; 4] = [0x37, 0xa4, 0x30, 0xec];
/// Room that is enough for almost all messages.
const ROOM: usize = 256 << 10;

/// Unpacks messages.
#[derive(Default)]
pub(super) struct Compression {
    unpacker: Option<(u32, Decompressor<'static>)>,
    /// The server has no dictionary.
    is_unavailable: bool,
}

impl Compression {
    /// Gets the dictionary, unless it is there. A server of version 2 that has none is read without.
    pub(super) async fn prepare(
        &mut self,
        http: &HttpClient,
        url: &Url,
        is_v2: bool,
    ) -> Result<(), FeedError> {
        if self.unpacker.is_some() || self.is_unavailable {
            return Ok(());
        }
        let dictionary = if is_v2 { fetch(http, url).await } else { Ok(V1_DICTIONARY.to_vec()) };
        match dictionary {
            Ok(dictionary) => match unpacker(&dictionary) {
                Some(unpacker) => self.unpacker = Some(unpacker),
                None => self.is_unavailable = true,
            },
            Err(error) if error.is_transient() => return Err(error),
            Err(_) => self.is_unavailable = true,
        }
        if self.is_unavailable {
            tracing::info!("The server has no dictionary, so messages are not compressed");
        }
        Ok(())
    }

    /// The dictionary's number.
    pub(super) fn dictionary(&self) -> Option<u32> {
        self.unpacker.as_ref().map(|(number, _)| *number)
    }

    /// A message's text.
    pub(super) fn unpack(&mut self, bytes: &[u8]) -> Result<Vec<u8>, String> {
        let Some((_, unpacker)) = &mut self.unpacker else {
            return Err("it is compressed, which was not asked for".to_owned());
        };
        let mut text = Vec::with_capacity(ROOM);
        if unpacker.decompress_to_buffer(bytes, &mut text).is_err() {
            text = Vec::with_capacity(LARGEST);
            unpacker.decompress_to_buffer(bytes, &mut text).map_err(|error| format!("Zstandard: {error}"))?;
        }
        Ok(text)
    }
}

fn unpacker(dictionary: &[u8]) -> Option<(u32, Decompressor<'static>)> {
    let (magic, rest) = dictionary.split_first_chunk()?;
    let (number, _) = rest.split_first_chunk()?;
    let unpacker = Decompressor::with_dictionary(dictionary).ok()?;
    (*magic == MAGIC).then_some((u32::from_le_bytes(*number), unpacker))
}

async fn fetch(http: &HttpClient, url: &Url) -> Result<Vec<u8>, FeedError> {
    let mut address = super::over_http(url);
    address.set_path(V2_DICTIONARY_PATH);
    address.set_query(None);
    match http.get(&address, None, &Validators::default()).await? {
        Answer::Document(document) => Ok(document.bytes),
        Answer::Unchanged => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_unpacked_with_the_shipped_dictionary_whatever_their_size() {
        let mut compression = Compression { unpacker: unpacker(V1_DICTIONARY), is_unavailable: false };
        let mut packer = zstd::bulk::Compressor::with_dictionary(3, V1_DICTIONARY).unwrap();
        for length in [0, 300, ROOM + 1, 3 << 20] {
            let text = "how now ".repeat(length / 8);
            let message = packer.compress(text.as_bytes()).unwrap();
            assert_eq!(compression.unpack(&message).unwrap(), text.as_bytes(), "{length}");
        }
        let bomb = packer.compress(&vec![0; LARGEST + 1]).unwrap();
        assert!(compression.unpack(&bomb).is_err());
        assert!(compression.unpack(b"not packed at all").is_err());
    }

    #[test]
    fn what_is_no_dictionary_is_not_taken_for_one() {
        assert!(unpacker(b"").is_none());
        assert!(unpacker(b"<html>Not found</html>").is_none());
        assert!(unpacker(V1_DICTIONARY).is_some());
    }
}
