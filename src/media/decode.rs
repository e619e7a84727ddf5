//! Decoding: a file's bytes -> an upright picture, within limits.
//!
//! The format is told by the content; what a server claims of it is not looked at. Formats: JPEG,
//! PNG, WebP and GIF, of the last two the first frame. Size and memory are judged by the header
//! before anything is allocated. The decoders are safe Rust, but a panic in one of them is caught,
//! since a single file must not end a process.

use std::io::Cursor;
use std::num::{NonZeroU32, NonZeroUsize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use image::codecs::{gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, Limits, RgbImage};

use super::scaled_jpeg;
use crate::domain::Picture;
use crate::metrics::{PICTURE_DECODE_SECONDS, PICTURE_DECODES};

/// Why a file is no picture here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// Its first bytes are those of no format that is decoded.
    #[error("The file is none of JPEG, PNG, WebP and GIF")]
    Format,
    /// Its header tells of more pixels than are taken.
    #[error("The picture has {width} x {height} pixels, which is more than media.max_pixels ({max_pixels})")]
    TooManyPixels {
        /// Width in the header.
        width: u32,
        /// Height in the header.
        height: u32,
        /// The limit.
        max_pixels: usize,
    },
    /// Decoding it would take more memory than `max_pixels` ordinary pixels do.
    #[error("The picture needs {needed} bytes of memory to be decoded, and at most {limit} are given")]
    TooMuchMemory {
        /// Bytes for its pixels.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// A progressive JPEG that repeats itself without end: each scan goes over the whole picture.
    #[error("The JPEG has {scans} scans, and more than {limit} are not decoded")]
    TooManyScans {
        /// How many it has.
        scans: usize,
        /// The limit.
        limit: usize,
    },
    /// It is broken, or of a kind that the decoder does not know.
    #[error("The {format} can't be decoded: {cause}")]
    Broken {
        /// Its format.
        format: &'static str,
        /// What the decoder said.
        cause: String,
    },
    /// The decoder gave up in a way that it should not.
    #[error("The decoder of {format} panicked")]
    Panicked {
        /// The format.
        format: &'static str,
    },
}

impl Undecodable {
    /// A word of few, for counting.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Format => "format",
            Self::TooManyPixels { .. } | Self::TooMuchMemory { .. } | Self::TooManyScans { .. } => {
                "too_large"
            }
            Self::Broken { .. } => "broken",
            Self::Panicked { .. } => "panicked",
        }
    }
}

/// Decodes a file. Blocks for as long as decoding takes: call it off the async runtime.
///
/// `longest_side` is what the caller needs: of a JPEG whose longest side is at least twice that, a
/// picture of 1/2, 1/4 or 1/8 is decoded, which is less work, and whose longest side is still no
/// shorter than needed. What is see-through is shown over white.
///
/// # Errors
/// Why the file is no picture here. The same file will be none tomorrow.
pub fn decode(
    bytes: &[u8],
    max_pixels: NonZeroUsize,
    longest_side: Option<NonZeroU32>,
) -> Result<Picture, Undecodable> {
    let begin = Instant::now();
    let decoded = decode_format(bytes, max_pixels, longest_side);
    let outcome = decoded.as_ref().map_or_else(Undecodable::label, |_| "decoded");
    metrics::counter!(PICTURE_DECODES, "outcome" => outcome).increment(1);
    metrics::histogram!(PICTURE_DECODE_SECONDS).record(begin.elapsed().as_secs_f64());
    decoded
}

fn decode_format(
    bytes: &[u8],
    max_pixels: NonZeroUsize,
    longest_side: Option<NonZeroU32>,
) -> Result<Picture, Undecodable> {
    let kind = image::guess_format(bytes).map_err(|_| Undecodable::Format)?;
    let format = name(kind).ok_or(Undecodable::Format)?;
    let budget = Budget { max_pixels, longest_side, format };
    let decoded = catch_unwind(AssertUnwindSafe(|| match kind {
        ImageFormat::Jpeg => budget.decode_jpeg(bytes),
        ImageFormat::Png => {
            budget.decode_with(PngDecoder::with_limits(Cursor::new(bytes), budget.decoders_limits()))
        }
        ImageFormat::WebP => budget.decode_with(WebPDecoder::new(Cursor::new(bytes))),
        _ => budget.decode_with(GifDecoder::new(Cursor::new(bytes))),
    }));
    decoded.unwrap_or(Err(Undecodable::Panicked { format: budget.format }))
}

/// The name of a format that is decoded.
fn name(kind: ImageFormat) -> Option<&'static str> {
    match kind {
        ImageFormat::Jpeg => Some("JPEG"),
        ImageFormat::Png => Some("PNG"),
        ImageFormat::WebP => Some("WebP"),
        ImageFormat::Gif => Some("GIF"),
        _ => None,
    }
}

/// What decoding one file may take.
struct Budget {
    max_pixels: NonZeroUsize,
    longest_side: Option<NonZeroU32>,
    format: &'static str,
}

impl Budget {
    /// Bytes: four for each pixel, so that pictures of 16 bits a channel, which need eight, may have
    /// half the pixels.
    fn memory(&self) -> u64 {
        (self.max_pixels.get() as u64).saturating_mul(4)
    }

    /// The same for the decoders' own buffers. Not all of them look at it, so nothing rests on it
    /// alone.
    fn decoders_limits(&self) -> Limits {
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(self.memory().saturating_mul(2));
        limits
    }

    fn broken(&self, error: &ImageError) -> Undecodable {
        // The format's name comes first in most of these.
        Undecodable::Broken { format: self.format, cause: error.to_string() }
    }

    fn check(&self, width: u32, height: u32, needed: u64) -> Result<(), Undecodable> {
        let max_pixels = self.max_pixels.get();
        if u64::from(width) * u64::from(height) > max_pixels as u64 {
            return Err(Undecodable::TooManyPixels { width, height, max_pixels });
        }
        if needed > self.memory() {
            return Err(Undecodable::TooMuchMemory { needed, limit: self.memory() });
        }
        Ok(())
    }

    fn decode_with<D: ImageDecoder>(&self, decoder: Result<D, ImageError>) -> Result<Picture, Undecodable> {
        let mut decoder = decoder.map_err(|error| self.broken(&error))?;
        let (width, height) = decoder.dimensions();
        self.check(width, height, decoder.total_bytes())?;
        decoder.set_limits(self.decoders_limits()).map_err(|error| self.broken(&error))?;
        // A picture without a readable orientation is taken as it is.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let image = DynamicImage::from_decoder(decoder).map_err(|error| self.broken(&error))?;
        self.upright(over_white(image), (width, height), orientation)
    }

    fn decode_jpeg(&self, bytes: &[u8]) -> Result<Picture, Undecodable> {
        let scans = scaled_jpeg::scans(bytes);
        if scans > scaled_jpeg::MOST_SCANS {
            return Err(Undecodable::TooManyScans { scans, limit: scaled_jpeg::MOST_SCANS });
        }
        let mut decoder = JpegDecoder::new(Cursor::new(bytes)).map_err(|error| self.broken(&error))?;
        let (width, height) = decoder.dimensions();
        self.check(width, height, decoder.total_bytes())?;
        let eighths = self.longest_side.map_or(8, |needed| scaled_jpeg::eighths(width.max(height), needed));
        if eighths < 8 {
            let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
            if let Some(image) = scaled_jpeg::decode(bytes, eighths, (width, height)) {
                return self.upright(image, (width, height), orientation);
            }
            // The other decoder is more forgiving.
        }
        self.decode_with(Ok(decoder))
    }

    fn upright(
        &self,
        image: RgbImage,
        (width, height): (u32, u32),
        orientation: Orientation,
    ) -> Result<Picture, Undecodable> {
        let mut image = DynamicImage::ImageRgb8(image);
        image.apply_orientation(orientation);
        let is_turned = matches!(
            orientation,
            Orientation::Rotate90
                | Orientation::Rotate270
                | Orientation::Rotate90FlipH
                | Orientation::Rotate270FlipH
        );
        let (full_width, full_height) = if is_turned { (height, width) } else { (width, height) };
        let (width, height) = (image.width(), image.height());
        let picture = Picture::new(width, height, image.into_rgb8().into_raw());
        picture
            .map(|picture| picture.standing_for(full_width, full_height))
            .ok_or_else(|| Undecodable::Broken { format: self.format, cause: "it has no pixels".to_owned() })
    }
}

/// Makes what is see-through white, as most pages show it. The colour of pixels that nobody sees is
/// arbitrary, and often black, which would swallow a black logo.
fn over_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.into_rgb8();
    }
    let (width, height) = (image.width(), image.height());
    let mut bytes = image.into_rgba8().into_raw();
    // In place: three bytes are written where four were read.
    for pixel in 0..bytes.len() / 4 {
        let alpha = u32::from(bytes[pixel * 4 + 3]);
        for channel in 0..3 {
            let colour = u32::from(bytes[pixel * 4 + channel]);
            let mixed = (colour * alpha + 255 * (255 - alpha) + 127) / 255;
            bytes[pixel * 3 + channel] = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
    }
    bytes.truncate(bytes.len() / 4 * 3);
    bytes.shrink_to_fit();
    RgbImage::from_raw(width, height, bytes).unwrap_or_default()
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
