//! `[pictures]` -> whether pictures are examined, and how they are queued, leased and remembered.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use crate::config::Section;
use crate::media;
use crate::pipeline::PictureOptions;
use crate::store;

const DAY: Duration = Duration::from_hours(24);

/// What the section says.
pub(super) struct Pictures {
    /// Whether this deployment examines pictures.
    pub(super) enabled: bool,
    /// For the queue and the memory.
    pub(super) store: store::PictureOptions,
    /// The picture workers.
    pub(super) workers: PictureOptions,
}

/// Reads the section.
pub(super) fn read(root: &mut Section<'_>, media: &media::Options) -> Pictures {
    let mut pictures = root.section("pictures");
    let enabled = pictures.required("enabled");
    let per_post: u32 = pictures.within("per_post", 1..=16);
    let attempts: u32 = pictures.within("attempts", 1..=100);
    let attempts = NonZeroU32::new(attempts).unwrap_or(NonZeroU32::MIN);
    let lease = pictures.within("lease", Duration::from_secs(1)..=DAY);
    if lease < media.total_timeout * 2 && pictures.is_sound("lease") {
        pictures.note(
            "lease",
            "must be at least twice media.total_timeout, or another process may take a picture that is still being examined",
        );
    }
    let store = store::PictureOptions {
        per_post: if enabled { per_post } else { 0 },
        lease,
        attempts,
        remember: pictures.within("remember", Duration::from_hours(1)..=DAY * 3650),
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let workers = PictureOptions {
        workers: pictures.within("workers", 1..=1000),
        per_host: media.per_host,
        attempts,
        // The other half is for posts and models.
        decoders: NonZeroUsize::new(cores / 2).unwrap_or(NonZeroUsize::MIN),
    };
    pictures.finish();
    Pictures { enabled, store, workers }
}

#[cfg(test)]
mod tests {
    use crate::config::{ConfigError, Settings};

    fn settings(text: &str) -> Result<Settings, ConfigError> {
        Settings::over_defaults("the test", text, [])
    }

    #[test]
    fn no_picture_is_queued_where_pictures_are_disabled() {
        let off = settings("[pictures]\nenabled = false\n").unwrap();
        assert_eq!((off.store.pictures.per_post, off.does_pictures, off.does_text), (0, false, true));
        let on = settings("[pictures]\nenabled = true\nper_post = 2\n").unwrap();
        assert_eq!((on.store.pictures.per_post, on.does_pictures), (2, true));
        let elsewhere = settings("[pipeline]\npictures = false\n[pictures]\nenabled = true\n").unwrap();
        assert_eq!((elsewhere.store.pictures.per_post, elsewhere.does_pictures), (4, false));
    }

    #[test]
    fn a_process_that_would_do_nothing_is_refused() {
        let idle = "[pipeline]\ntext = false\n[pictures]\nenabled = false\n";
        let found = settings(idle).unwrap_err();
        assert!(found.problems()[0].starts_with("pipeline.text: "), "{found}");
        let short = settings("[pictures]\nlease = \"10s\"\n").unwrap_err();
        assert!(short.problems()[0].starts_with("pictures.lease: must be at least twice"), "{short}");
    }
}
