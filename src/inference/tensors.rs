//! A network's inputs and outputs, as in the manifest and as in the ONNX file.

use std::fmt;

use ort::value::{Outlet, TensorElementType, ValueType};
use serde::Deserialize;

/// The size of one axis.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Dimension {
    /// A fixed size.
    Fixed(i64),
    /// A dynamic axis with this name.
    Named(String),
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size}"),
            Self::Named(name) => f.write_str(name),
        }
    }
}

/// An input or output of the network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TensorSpec {
    /// Its name in the graph.
    pub name: String,
    /// Element type: `uint8`, `int64` or `float32`.
    #[serde(rename = "type")]
    pub element: String,
    /// Size of each axis.
    pub shape: Vec<Dimension>,
}

impl fmt::Display for TensorSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape: Vec<_> = self.shape.iter().map(ToString::to_string).collect();
        write!(f, "{} {} [{}]", self.name, self.element, shape.join(", "))
    }
}

/// Describes how the file's tensors differ from the manifest's, if they do.
pub(super) fn difference(what: &str, said: &[TensorSpec], outlets: &[Outlet]) -> Option<String> {
    let found: Vec<TensorSpec> = outlets.iter().map(spec).collect();
    let list = |specs: &[TensorSpec]| specs.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    (said != found)
        .then(|| format!("{what}: the manifest says {}, the file has {}", list(said), list(&found)))
}

fn spec(outlet: &Outlet) -> TensorSpec {
    let name = outlet.name().to_owned();
    let ValueType::Tensor { ty, shape, dimension_symbols } = outlet.dtype() else {
        return TensorSpec { name, element: outlet.dtype().to_string(), shape: Vec::new() };
    };
    let element = match ty {
        TensorElementType::Uint8 => "uint8".to_owned(),
        TensorElementType::Int64 => "int64".to_owned(),
        TensorElementType::Float32 => "float32".to_owned(),
        other => other.to_string(),
    };
    let shape = shape.iter().zip(dimension_symbols.iter()).map(|(size, symbol)| {
        if *size < 0 { Dimension::Named(symbol.clone()) } else { Dimension::Fixed(*size) }
    });
    TensorSpec { name, element, shape: shape.collect() }
}
