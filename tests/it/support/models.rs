//! The shipped models, opened in the test's own process.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::OnceLock;

use overheard::inference::{Device, Options, Runtime};

/// On one core of the processor.
pub fn options() -> Options {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    Options {
        library: root.join(".runtime/onnxruntime/libonnxruntime.so"),
        models: root.join("models"),
        device: Device::Cpu,
        threads: NonZeroUsize::MIN,
        text_models: vec!["sentiment".to_owned()],
        batch_tokens: NonZeroUsize::new(512).unwrap(),
        queue: NonZeroUsize::new(64).unwrap(),
        vision_model: "logo-detector".to_owned(),
        batch_pixels: NonZeroUsize::new(1 << 20).unwrap(),
    }
}

/// ONNX Runtime has one environment a process.
pub fn runtime(options: &Options) -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        Runtime::load(&options.library, options.device, options.threads)
            .expect("the library is there: `make test` and `make build` fetch it")
    })
}
