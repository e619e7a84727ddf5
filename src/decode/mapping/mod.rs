//! Any JSON or CSV, by a mapping in the configuration that says where the parts of a post are.
//!
//! A record holds an object, an array of objects, or lines of CSV. Each is made into an object of the
//! native format, so that the same rules hold, and rejections name the path that the mapping has.

mod path;
#[cfg(test)]
pub(super) mod tests;
mod times;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::fields::Object;
use super::html::read_html;
use super::notes::{Notes, Repair};
use super::rules::{self, Markup};
use super::{Decoded, Items, native};
use crate::domain::{Rejection, RejectionReason};
pub use path::Path;
pub use times::TimeFormat;

/// A mapping as it is written in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappingKeys {
    /// `json` or `csv`.
    pub encoding: Option<String>,
    /// JSON: the path to the array of posts; the record is one post or such an array without it.
    pub items: Option<String>,
    /// CSV: what stands between fields; a comma without it.
    pub delimiter: Option<String>,
    /// CSV: the names of the columns; each record begins with a line of them without it.
    pub columns: Vec<String>,
    /// The source of every post.
    pub source: Option<String>,
    /// Or where it is.
    pub source_path: Option<String>,
    /// Where the identifier is.
    pub id: Option<String>,
    /// Where the time is.
    pub time: Option<String>,
    /// How times are written; as RFC 3339 has it without it.
    pub time_format: Option<String>,
    /// Where the text is; texts of several paths become lines.
    pub text: Vec<String>,
    /// Whether texts are HTML.
    pub html: bool,
    /// Where the time of the last edit is.
    pub edited: Option<String>,
    /// Where the author is.
    pub author: Option<String>,
    /// Where the address of the post is.
    pub link: Option<String>,
    /// Where the reach is.
    pub reach: Option<String>,
    /// Where the kind is, as the native format names it.
    pub kind: Option<String>,
    /// What parts several values in one text, such as the hashtags in a field of CSV.
    pub separator: Option<String>,
    /// Where the claimed languages are.
    pub language: Vec<String>,
    /// Where hashtags are.
    pub hashtags: Vec<String>,
    /// Where addresses in the text are.
    pub links: Vec<String>,
    /// Where the addresses of pictures are.
    pub pictures: Vec<String>,
    /// Where it is said what they show.
    pub alt_texts: Vec<String>,
}

/// A mapping that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    encoding: Encoding,
    source: Source,
    id: Path,
    time: Path,
    time_format: TimeFormat,
    text: Vec<Path>,
    html: bool,
    edited: Option<Path>,
    author: Option<Path>,
    link: Option<Path>,
    reach: Option<Path>,
    kind: Option<Path>,
    separator: Option<String>,
    language: Vec<Path>,
    hashtags: Vec<Path>,
    links: Vec<Path>,
    pictures: Vec<Path>,
    alt_texts: Vec<Path>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Encoding {
    Json { items: Option<Path> },
    Csv { delimiter: u8, columns: Vec<String> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Constant(String),
    At(Path),
}

/// What is wrong with a mapping: the key, and the problem with it.
pub type MappingProblem = (&'static str, String);

impl Mapping {
    /// Checks a mapping.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn new(keys: &MappingKeys) -> Result<Self, Vec<MappingProblem>> {
        let mut problems: Vec<MappingProblem> = Vec::new();
        let encoding = encoding(keys, &mut problems);
        let columns = match &encoding {
            Encoding::Csv { columns, .. } => Some(columns.as_slice()),
            Encoding::Json { .. } => None,
        };
        let mut reader = PathReader { columns, problems: &mut problems };
        let source = match (&keys.source, &keys.source_path) {
            (None, Some(path)) => Source::At(reader.path("source_path", path)),
            (Some(source), None) if (1..=rules::LONGEST_SOURCE).contains(&source.trim().len()) => {
                Source::Constant(source.clone())
            }
            _ => {
                let problem = format!(
                    "write a source of 1 to {} bytes for all posts, or source_path, and not both",
                    rules::LONGEST_SOURCE
                );
                reader.problems.push(("source", problem));
                Source::Constant(String::new())
            }
        };
        let id = reader.required("id", keys.id.as_deref());
        let time = reader.required("time", keys.time.as_deref());
        if keys.text.is_empty() {
            reader.problems.push(("text", "is missing; write where the text of a post is".to_owned()));
        }
        let time_format = TimeFormat::parse(keys.time_format.as_deref().unwrap_or("rfc3339"));
        let time_format = time_format.unwrap_or_else(|problem| {
            reader.problems.push(("time_format", problem));
            TimeFormat::Rfc3339
        });
        let mapping = Self {
            source,
            id,
            time,
            time_format,
            text: reader.paths("text", &keys.text),
            html: keys.html,
            edited: reader.optional("edited", keys.edited.as_deref()),
            author: reader.optional("author", keys.author.as_deref()),
            link: reader.optional("link", keys.link.as_deref()),
            reach: reader.optional("reach", keys.reach.as_deref()),
            kind: reader.optional("kind", keys.kind.as_deref()),
            separator: keys.separator.clone(),
            language: reader.paths("language", &keys.language),
            hashtags: reader.paths("hashtags", &keys.hashtags),
            links: reader.paths("links", &keys.links),
            pictures: reader.paths("pictures", &keys.pictures),
            alt_texts: reader.paths("alt_texts", &keys.alt_texts),
            encoding: Encoding::Json { items: None },
        };
        if problems.is_empty() { Ok(Self { encoding, ..mapping }) } else { Err(problems) }
    }
}

fn encoding(keys: &MappingKeys, problems: &mut Vec<MappingProblem>) -> Encoding {
    let is_csv = match keys.encoding.as_deref() {
        Some("csv") => true,
        None | Some("json") => false,
        Some(other) => {
            problems.push(("encoding", format!("{other:?} is neither \"json\" nor \"csv\"")));
            false
        }
    };
    let other = if is_csv { "json" } else { "csv" };
    let mut only_with_other = |key, is_given: bool| {
        if is_given {
            problems.push((key, format!("goes with encoding = {other:?} only; leave it out")));
        }
    };
    if !is_csv {
        only_with_other("delimiter", keys.delimiter.is_some());
        only_with_other("columns", !keys.columns.is_empty());
        let items = keys.items.as_deref().map(Path::parse).transpose();
        let items = items.unwrap_or_else(|problem| {
            problems.push(("items", problem));
            None
        });
        return Encoding::Json { items };
    }
    only_with_other("items", keys.items.is_some());
    let delimiter = match keys.delimiter.as_deref().unwrap_or(",").as_bytes() {
        [delimiter] if !b"\"\r\n".contains(delimiter) => *delimiter,
        _ => {
            let problem = "is not one ASCII character other than a quote; write \",\", \";\" or \"\\t\"";
            problems.push(("delimiter", problem.to_owned()));
            b','
        }
    };
    Encoding::Csv { delimiter, columns: keys.columns.clone() }
}

/// Reads paths of JSON, or names of columns.
struct PathReader<'a> {
    columns: Option<&'a [String]>,
    problems: &'a mut Vec<MappingProblem>,
}

impl PathReader<'_> {
    fn path(&mut self, key: &'static str, written: &str) -> Path {
        let Some(columns) = self.columns else {
            return Path::parse(written).unwrap_or_else(|problem| {
                self.problems.push((key, problem));
                Path::key(written)
            });
        };
        if !columns.is_empty() && !columns.iter().any(|column| column == written) {
            let problem = format!("{written:?} is none of columns, which are {}", columns.join(", "));
            self.problems.push((key, problem));
        }
        Path::key(written)
    }

    fn required(&mut self, key: &'static str, written: Option<&str>) -> Path {
        let Some(written) = written else {
            self.problems.push((key, format!("is missing; write where the {key} of a post is")));
            return Path::key("");
        };
        self.path(key, written)
    }

    fn optional(&mut self, key: &'static str, written: Option<&str>) -> Option<Path> {
        written.map(|written| self.path(key, written))
    }

    fn paths(&mut self, key: &'static str, written: &[String]) -> Vec<Path> {
        written.iter().map(|written| self.path(key, written)).collect()
    }
}

/// Decodes a record.
pub(super) fn decode(mapping: &Mapping, payload: &[u8], received_at: DateTime<Utc>, notes: &Notes) -> Items {
    let post = |place: String, value: &Value| mapping.decode_post(&place, value, received_at, notes);
    match &mapping.encoding {
        Encoding::Csv { delimiter, columns } => {
            let rows = rows(payload, *delimiter, columns)?;
            Ok(rows.into_iter().map(|(place, row)| post(place, &row?)).collect())
        }
        Encoding::Json { items } => {
            let value = super::json(payload, notes)?;
            let Some(items) = items else {
                return Ok(match &value {
                    Value::Array(posts) => posts
                        .iter()
                        .enumerate()
                        .map(|(index, value)| post(format!("[{index}]"), value))
                        .collect(),
                    value => vec![post(String::new(), value)],
                });
            };
            let found = items.find(&value);
            if found.is_empty() {
                let detail =
                    format!("there is nothing at `{}`, where the mapping has its items", items.as_str());
                return Err(Rejection::new(RejectionReason::Shape, detail));
            }
            let posts = found.into_iter().flat_map(|found| match found {
                Value::Array(posts) => posts.iter().collect(),
                one => vec![one],
            });
            let place = |index| format!("{}[{index}]", items.as_str());
            Ok(posts.enumerate().map(|(index, value)| post(place(index), value)).collect())
        }
    }
}

/// A row's place, and its fields by their columns.
type Row = (String, Result<Value, Rejection>);

/// The lines of CSV, but for one of the columns' names.
fn rows(payload: &[u8], delimiter: u8, columns: &[String]) -> Result<Vec<Row>, Rejection> {
    let payload = payload.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(payload);
    let text = std::str::from_utf8(payload).map_err(|error| {
        let detail = format!("the payload is not UTF-8: {error}; convert it before it is produced");
        Rejection::new(RejectionReason::Syntax, detail)
    })?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut columns = columns.to_vec();
    let mut rows = Vec::new();
    for (index, record) in reader.records().enumerate() {
        let record = record.map_err(|error| {
            Rejection::new(RejectionReason::Syntax, format!("the payload is not CSV: {error}"))
        })?;
        let row = index + 1;
        if index == 0 && (columns.is_empty() || record.iter().eq(columns.iter().map(String::as_str))) {
            columns = record.iter().map(|name| name.trim().to_owned()).collect();
            continue;
        }
        let place = format!("row {row}");
        let fields = if record.len() == columns.len() {
            let field = |(column, field): (&String, &str)| (column.clone(), Value::from(field));
            Ok(Value::Object(columns.iter().zip(record.iter()).map(field).collect::<Map<_, _>>()))
        } else {
            let detail =
                format!("{place} has {} fields, and there are {} columns", record.len(), columns.len());
            Err(Rejection::new(RejectionReason::Shape, detail))
        };
        rows.push((place, fields));
    }
    Ok(rows)
}

impl Mapping {
    fn decode_post(
        &self,
        place: &str,
        value: &Value,
        received_at: DateTime<Utc>,
        notes: &Notes,
    ) -> Result<Decoded, Rejection> {
        let native = self.native(place, value, notes)?;
        let object = Object::at(place, &native, notes)?;
        let markup = if self.html { Markup::Plain } else { Markup::Escaped };
        native::post(&object, received_at, markup).map(|post| Decoded::Post(Box::new(post)))
    }

    /// The post in the native format.
    fn native(&self, place: &str, value: &Value, notes: &Notes) -> Result<Value, Rejection> {
        let first = |path: &Path| path.find(value).into_iter().find_map(plain);
        let needed = |what: &str, path: &Path| first(path).ok_or_else(|| missing(place, what, path));
        let source = match &self.source {
            Source::Constant(source) => source.clone(),
            Source::At(path) => needed("source", path)?,
        };
        let created_at =
            self.time(place, &self.time, value, notes)?.ok_or_else(|| missing(place, "time", &self.time))?;
        let edited_at = self.edited.as_ref().and_then(|path| {
            notes
                .or_left_out(Repair::Time, self.time(place, path, value, notes))
                .filter(|at| *at > created_at)
        });
        let texts: Vec<String> =
            self.text.iter().flat_map(|path| path.find(value)).filter_map(plain).collect();
        if texts.is_empty() {
            let paths: Vec<&str> = self.text.iter().map(Path::as_str).collect();
            return Err(missing(place, "text", &Path::key(&paths.join("`, `"))));
        }
        let texts = texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
        let text = texts.collect::<Vec<_>>().join("\n");
        let all = |paths: &[Path]| -> Vec<String> {
            let found = paths.iter().flat_map(|path| path.find(value));
            found.flat_map(|found| listed(found, self.separator.as_deref())).collect()
        };
        let (text, mut links) = if self.html {
            let html = read_html(&text);
            (html.text, html.links)
        } else {
            (text, Vec::new())
        };
        links.extend(all(&self.links));
        let pictures = all(&self.pictures).into_iter().map(|url| json!({ "url": url }));
        let alt_texts = all(&self.alt_texts).into_iter().map(|alt| json!({ "alt": alt }));
        let written = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Micros, true);
        let optional = |path: &Option<Path>| path.as_ref().and_then(first);
        let reach = optional(&self.reach);
        Ok(json!({
            "source": source,
            "id": needed("id", &self.id)?,
            "created_at": written(created_at),
            "edited_at": edited_at.map(written),
            "text": text,
            "author": optional(&self.author),
            "link": optional(&self.link),
            "kind": optional(&self.kind),
            // What is no number is left out there, and noted.
            "reach": reach.filter(|reach| !reach.is_empty()).map(|reach| reach.parse::<f64>().map_or(json!(reach), Value::from)),
            "language": all(&self.language),
            "links": links,
            "hashtags": all(&self.hashtags),
            "pictures": pictures.chain(alt_texts).collect::<Vec<_>>(),
        }))
    }

    fn time(
        &self,
        place: &str,
        path: &Path,
        value: &Value,
        notes: &Notes,
    ) -> Result<Option<DateTime<Utc>>, Rejection> {
        let Some(found) = path.find(value).into_iter().find(|found| *found != "") else { return Ok(None) };
        let time = self.time_format.read(found).map_err(|problem| {
            let found = plain(found).unwrap_or_else(|| found.to_string());
            let detail = format!("`{}` is {}, {problem}", within(place, path), rules::shown(&found));
            Rejection::new(RejectionReason::Value, detail)
        })?;
        if !time.has_zone {
            notes.note(Repair::Zone);
        }
        Ok(Some(time.at))
    }
}

fn missing(place: &str, what: &str, path: &Path) -> Rejection {
    let detail = format!("there is nothing at `{}`, where the mapping has the {what}", within(place, path));
    Rejection::new(RejectionReason::Shape, detail)
}

fn within(place: &str, path: &Path) -> String {
    match (place, path.as_str()) {
        ("", path) => path.to_owned(),
        (place, path) if place.starts_with("row") => format!("{path}` in `{place}"),
        (place, path) => format!("{place}.{path}"),
    }
}

/// A text or a number as a text; an empty one is there.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The texts of a list, or those that a separator parts in one text.
fn listed(value: &Value, separator: Option<&str>) -> Vec<String> {
    match (value, separator) {
        (Value::Array(items), _) => items.iter().filter_map(plain).collect(),
        (Value::String(text), Some(separator)) => {
            text.split(separator).map(|part| part.trim().to_owned()).collect()
        }
        (value, _) => plain(value).into_iter().collect(),
    }
}
