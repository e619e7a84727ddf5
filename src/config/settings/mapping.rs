//! `mapping` of an entry of `kafka.topics` -> where the parts of a post are in its records.

use std::sync::Arc;

use crate::config::Section;
use crate::decode::{Format, Mapping, MappingKeys};

/// Reads the section, which only topics of that format have.
pub(super) fn read(topic: &mut Section<'_>, format: Format) -> Option<Arc<Mapping>> {
    let mut mapping = topic.section("mapping");
    let keys = MappingKeys {
        encoding: mapping.optional("encoding"),
        items: mapping.optional("items"),
        delimiter: mapping.optional("delimiter"),
        columns: mapping.or("columns", Vec::new()),
        source: mapping.optional("source"),
        source_path: mapping.optional("source_path"),
        id: mapping.optional("id"),
        time: mapping.optional("time"),
        time_format: mapping.optional("time_format"),
        text: mapping.or("text", Vec::new()),
        html: mapping.or("html", false),
        edited: mapping.optional("edited"),
        author: mapping.optional("author"),
        link: mapping.optional("link"),
        reach: mapping.optional("reach"),
        kind: mapping.optional("kind"),
        separator: mapping.optional("separator"),
        language: mapping.or("language", Vec::new()),
        hashtags: mapping.or("hashtags", Vec::new()),
        links: mapping.or("links", Vec::new()),
        pictures: mapping.or("pictures", Vec::new()),
        alt_texts: mapping.or("alt_texts", Vec::new()),
    };
    let read = match (format, Mapping::new(&keys)) {
        (Format::Mapping, Ok(read)) => Some(Arc::new(read)),
        (Format::Mapping, Err(problems)) => {
            for (key, problem) in problems {
                mapping.note(key, problem);
            }
            None
        }
        _ => {
            if keys != MappingKeys::default() && topic.is_sound("format") {
                topic.note(
                    "mapping",
                    format_args!("goes with format = \"mapping\" only, and not with {format}"),
                );
            }
            None
        }
    };
    mapping.finish();
    read
}
