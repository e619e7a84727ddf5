//! The sentiment network: rows of token ids in, probabilities of three labels out.

use std::path::Path;

use ort::session::Session;
use ort::value::Tensor;

use super::{ActiveDevice, InferenceError, Manifest, Runtime, Target, TextKind, TextTokenizer};
use crate::domain::{ModelId, Sentiment};

/// Inputs of a network that scores towards a place in the text; one that has them has both.
const TARGET_STARTS: &str = "target_starts";
const TARGET_ENDS: &str = "target_ends";

/// A text for the network, towards something in it.
#[derive(Clone, Copy, Debug)]
pub struct TextRow<'a> {
    /// Ids of its tokens, at least one.
    pub ids: &'a [i64],
    /// What it is scored towards. A model that takes no targets scores the text as a whole.
    pub target: Target,
}

/// A sentiment model whose files were held to their manifest.
pub struct TextModel {
    session: Session,
    device: ActiveDevice,
    manifest: Manifest<TextKind>,
    /// Two short texts of different lengths: what runs them can run anything.
    probe: [Vec<i64>; 2],
}

impl TextModel {
    /// Opens the model in a folder and runs it once, so that a model that loads but can't run
    /// shows at start.
    ///
    /// # Errors
    /// A file is missing or differs from the manifest, the device can't be had, or the first pass
    /// fails.
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

    /// What the manifest says.
    pub fn manifest(&self) -> &Manifest<TextKind> {
        &self.manifest
    }

    /// Where it runs.
    pub fn device(&self) -> &ActiveDevice {
        &self.device
    }

    /// Whether it scores towards a place in the text. One that does not scores texts as a whole.
    pub fn takes_targets(&self) -> bool {
        self.manifest.inputs.iter().any(|input| input.name == TARGET_STARTS)
    }

    /// Scores two texts that are known to be harmless: an error is the runtime's, not a text's.
    ///
    /// # Errors
    /// ONNX Runtime can't run at all, for example since the device is lost.
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
    /// ONNX Runtime fails, or an output is no distribution over the labels.
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
