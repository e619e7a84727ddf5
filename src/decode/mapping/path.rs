//! Paths to values in JSON: `a.b[0].c`, `tags[*].name`, or a JSON Pointer such as `/a/b/0`.

use serde_json::Value;

/// A path to values in a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    written: String,
    steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
    /// Every item of an array.
    Each,
    /// A token of a JSON Pointer, which is a key of an object or an index of an array.
    Token(String),
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(written: &str) -> Result<Self, String> {
        let steps = match written.strip_prefix('/') {
            Some(pointer) => pointer.split('/').map(token).collect::<Result<_, _>>()?,
            None => dotted(written)?,
        };
        Ok(Self { written: written.to_owned(), steps })
    }

    /// The path to a key, whatever characters are in it.
    pub fn key(name: &str) -> Self {
        Self { written: name.to_owned(), steps: vec![Step::Key(name.to_owned())] }
    }

    /// The path as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The values at the path, in their order. `null` counts as absent.
    pub fn find<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![root];
        for step in &self.steps {
            found = match step {
                Step::Key(key) => found.into_iter().filter_map(|value| value.get(key)).collect(),
                Step::Index(index) => found.into_iter().filter_map(|value| value.get(index)).collect(),
                Step::Each => found.into_iter().filter_map(Value::as_array).flatten().collect(),
                Step::Token(token) => {
                    let index = token.parse::<usize>().ok();
                    let step = |value: &'v Value| match value {
                        Value::Array(items) => items.get(index?),
                        _ => value.get(token),
                    };
                    found.into_iter().filter_map(step).collect()
                }
            };
        }
        found.retain(|value| !value.is_null());
        found
    }
}

fn token(written: &str) -> Result<Step, String> {
    let unescaped = written.replace("~1", "/").replace("~0", "~");
    if written.replace("~0", "").replace("~1", "").contains('~') {
        return Err(format!("{written:?} is no token of a JSON Pointer; ~ is written ~0, and / is ~1"));
    }
    Ok(Step::Token(unescaped))
}

fn dotted(written: &str) -> Result<Vec<Step>, String> {
    let problem = |what: &str| format!("{written:?} is no path: {what}; write it as a.b[0].c or a[*].b");
    let mut steps = Vec::new();
    for (index, part) in written.split('.').enumerate() {
        let (key, brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
        if key.is_empty() && (index > 0 || brackets.is_empty()) {
            return Err(problem("a key is empty"));
        }
        if !key.is_empty() {
            steps.push(Step::Key(key.to_owned()));
        }
        let mut rest = brackets;
        while !rest.is_empty() {
            let inside = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
            let (inside, behind) = inside.ok_or_else(|| problem("a bracket is not closed"))?;
            steps.push(match inside {
                "*" => Step::Each,
                number => Step::Index(number.parse().map_err(|_| problem("brackets hold a number or *"))?),
            });
            rest = behind;
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(path: &str, value: &Value) -> Value {
        json!(Path::parse(path).unwrap().find(value))
    }

    #[test]
    fn paths_lead_to_values() {
        let value = json!({
            "a": {"b": [{"c": 1}, {"c": null}, {"d": 2}, {"c": 3}]}, "x/y": {"~": 4}, "list": [[1, 2], [3]], "0": 5,
        });
        for (path, expected) in [
            ("a.b[0].c", json!([1])),
            ("a.b[*].c", json!([1, 3])),
            ("/a/b/3/c", json!([3])),
            ("/x~1y/~0", json!([4])),
            ("/0", json!([5])),
            ("list[*][0]", json!([1, 3])),
            ("list[1]", json!([[3]])),
            ("a.b.c", json!([])),
            ("a[0]", json!([])),
        ] {
            assert_eq!(found(path, &value), expected, "{path}");
        }
        assert_eq!(found("[*].a", &json!([{"a": 1}, 2])), json!([1]));
        assert_eq!(json!(Path::key("a.b").find(&json!({"a.b": 1}))), json!([1]));
    }

    #[test]
    fn what_is_no_path_says_why() {
        for (path, why) in [
            ("", "a key is empty"),
            ("a..b", "a key is empty"),
            ("a[", "not closed"),
            ("a[x]", "a number or *"),
            ("a[0]b", "not closed"),
            ("/a~2", "~0"),
        ] {
            let problem = Path::parse(path).unwrap_err();
            assert!(problem.contains(why), "{path}: {problem}");
        }
    }
}
