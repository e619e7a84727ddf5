//! The sentiment network: rows of token ids in, probabilities of the three labels out.

use std::path::Path;

use ort::session::Session;
use ort::value::Tensor;

use super::manifest::TextKind;
use super::tokenizer::{Target, TextTokenizer};
use crate::domain::{ModelId, Sentiment};
use crate::inference::{ActiveDevice, InferenceError, Manifest, Runtime};

/// Inputs of a model that takes targets; such a model has both.
const TARGET_STARTS: &str = "target_starts";
const TARGET_ENDS: &str = "target_ends";

/// A text for the network, with its target.
#[derive(Clone, Copy, Debug)]
pub struct TextRow<'a> {
    /// Ids of its tokens, at least one.
    pub ids: &'a [i64],
    /// The target of the sentiment. A model that takes no targets scores the text as a whole.
    pub target: Target,
}

/// A sentiment model whose files were checked against the manifest.
pub struct TextModel {
    session: Session,
    device: ActiveDevice,
    manifest: Manifest<TextKind>,
    /// Two short texts of different lengths, so that the probe has padding.
    probe: [Vec<i64>; 2],
}

impl TextModel {
    /// Opens the model in a folder and runs it once, so that a model that loads but can't run
    /// fails at start.
    ///
    /// # Errors
    /// A file is missing or differs from the manifest, the device is not available, or the first
    /// run fails.
    pub fn open(runtime: &Runtime, folder: &Path) -> Result<(Self, TextTokenizer), InferenceError> {
        let manifest = Manifest::read(folder)?;
        let tokenizer = TextTokenizer::load(&manifest)?;
        let (session, device) = runtime.open(&manifest.file("model")?)?;
        manifest.check(&session)?;
        let probe =
            [tokenizer.encode("I like it")?, tokenizer.encode("It keeps crashing and nobody answers")?];
        let mut model = Self { session, device, manifest, probe };
        model.probe()?;
        Ok((model, tokenizer))
    }

    /// Name and version.
    pub fn id(&self) -> ModelId {
        self.manifest.id()
    }

    /// Its manifest.
    pub fn manifest(&self) -> &Manifest<TextKind> {
        &self.manifest
    }

    /// The device that it runs on.
    pub fn device(&self) -> &ActiveDevice {
        &self.device
    }

    /// Whether it takes targets. If not, it scores texts as a whole.
    pub fn takes_targets(&self) -> bool {
        self.manifest.inputs.iter().any(|input| input.name == TARGET_STARTS)
    }

    /// Scores two texts that are known to work, so an error means that the runtime is broken.
    ///
    /// # Errors
    /// ONNX Runtime can't run at all, for example because the device is lost.
    pub fn probe(&mut self) -> Result<(), InferenceError> {
        let [short, long] = self.probe.clone();
        let whole = |ids| TextRow { ids, target: Target::default() };
        let towards_a_token = TextRow { ids: &long, target: Target { start: 1, end: 2 } };
        self.run(&[whole(&short), towards_a_token]).map(drop)
    }

    /// Scores rows. They are padded on the right to the longest; the network gets their true
    /// lengths, so padding changes no score.
    ///
    /// # Errors
    /// ONNX Runtime fails, or an output is not a probability distribution.
    pub fn run(&mut self, rows: &[TextRow<'_>]) -> Result<Vec<Sentiment>, InferenceError> {
        let longest = rows.iter().map(|row| row.ids.len()).max().unwrap_or(0);
        let mut ids = vec![i64::from(self.manifest.kind.pad_id); rows.len() * longest];
        for (row, padded) in rows.iter().zip(ids.chunks_mut(longest.max(1))) {
            padded[..row.ids.len()].copy_from_slice(row.ids);
        }
        let column = |of: fn(&TextRow<'_>) -> usize| {
            let numbers = rows.iter().map(|row| i64::try_from(of(row)).unwrap_or(i64::MAX));
            Tensor::from_array(([rows.len()], numbers.collect::<Vec<_>>()))
        };
        let mut inputs = ort::inputs! {
            "input_ids" => Tensor::from_array(([rows.len(), longest], ids))?,
            "lengths" => column(|row| row.ids.len())?,
        };
        if self.takes_targets() {
            inputs.extend(ort::inputs! {
                TARGET_STARTS => column(|row| row.target.start)?,
                TARGET_ENDS => column(|row| row.target.end)?,
            });
        }
        let outputs = self.session.run(inputs)?;
        let (_, probabilities) = outputs["probabilities"].try_extract_tensor::<f32>()?;
        let (triples, rest) = probabilities.as_chunks::<3>();
        if triples.len() != rows.len() || !rest.is_empty() {
            return Err(InferenceError::Runtime(format!(
                "{} rows went in and {} probabilities came out",
                rows.len(),
                probabilities.len()
            )));
        }
        triples.iter().map(|triple| Ok(Sentiment::new(*triple)?)).collect()
    }
}
