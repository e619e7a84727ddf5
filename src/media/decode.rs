//! Decoding: a file's bytes -> an upright picture, within limits.
//!
//! The format is detected from the content; the server's content type is ignored. Formats: JPEG,
//! PNG, WebP and GIF; of animations a few frames, and see-through pictures also on a dark ground where
//! that shows more. Damaged JPEGs and PNGs are read as far as they go. Size and memory are checked against
//! the header before pixels are allocated. The decoders are safe Rust; a panic in one of them is caught. The
//! daemon decodes in processes of their own all the same (`decoders`).

use std::io::Cursor;
use std::num::{NonZeroU32, NonZeroUsize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use image::codecs::{gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{
    AnimationDecoder, DynamicImage, Frames, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    RgbImage,
};

use super::still_frames::{MOST_OTHERS, StillFrames};
use super::{damaged_png, grounds, scaled_jpeg};
use crate::domain::Picture;
use crate::metrics::{PICTURE_DECODE_SECONDS, PICTURE_DECODES};

/// Why a file can't be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    /// Its first bytes match no supported format.
    #[error("The file is none of JPEG, PNG, WebP and GIF")]
    Format,
    /// Its header declares more than `max_pixels`.
    #[error("The picture has {width} x {height} pixels, which is more than media.max_pixels ({max_pixels})")]
    TooManyPixels {
        /// Width in the header.
        width: u32,
        /// Height in the header.
        height: u32,
        /// The limit.
        max_pixels: usize,
    },
    /// Its pixels need more memory than `max_pixels` at four bytes each.
    #[error("The picture needs {needed} bytes of memory to be decoded, and at most {limit} are given")]
    TooMuchMemory {
        /// Bytes for its pixels.
        needed: u64,
        /// The limit.
        limit: u64,
    },
    /// A JPEG with too many scans; each is a pass over the whole picture.
    #[error("The JPEG has {scans} scans, and more than {limit} are not decoded")]
    TooManyScans {
        /// How many it has.
        scans: usize,
        /// The limit.
        limit: usize,
    },
    /// It is corrupt, or uses a feature that the decoder does not support.
    #[error("The {format} can't be decoded: {cause}")]
    Broken {
        /// Its format.
        format: &'static str,
        /// The decoder's message.
        cause: String,
    },
    /// The decoder panicked.
    #[error("The decoder of {format} panicked")]
    Panicked {
        /// The format.
        format: &'static str,
    },
}

impl Undecodable {
    /// Value of the metrics label `outcome`.
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

/// What a file shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The picture; of an animation its first frame.
    pub picture: Picture,
    /// What else it shows, in the same size: later frames, or the picture on a dark ground. At most
    /// [`MOST_OTHERS`].
    pub others: Vec<Picture>,
}

/// Decodes a file. Blocks: call it off the async runtime.
///
/// `longest_side` is what the caller needs, in pixels. A picture whose longest side is at least twice
/// that is brought to 1/2, 1/4 or 1/8 of its size, a JPEG while it is decoded, which is less work;
/// its longest side stays at least that long. Transparent parts become white; where much of what is
/// visible is white too, the picture is shown on a dark ground as well.
///
/// # Errors
/// The file can't be decoded. A retry gives the same error.
pub fn decode(
    bytes: &[u8],
    max_pixels: NonZeroUsize,
    longest_side: Option<NonZeroU32>,
) -> Result<Shown, Undecodable> {
    let begin = Instant::now();
    let decoded = decode_file(bytes, max_pixels, longest_side);
    let outcome = decoded.as_ref().map_or_else(Undecodable::label, |_| "decoded");
    metrics::counter!(PICTURE_DECODES, "outcome" => outcome).increment(1);
    metrics::histogram!(PICTURE_DECODE_SECONDS).record(begin.elapsed().as_secs_f64());
    decoded
}

/// Bytes of memory for each pixel of a file, at most, until its picture is upright: the decoder's
/// buffers, its pixels, and a turned copy.
pub(super) const BYTES_PER_PIXEL: u64 = 16;
/// A file that is brought down to no fewer pixels than these shows its picture alone.
const LARGEST_OTHER: u32 = 10_000_000;
/// Bytes of memory for what a file shows beside its picture, while frames are chosen.
pub(super) const OTHERS_BYTES: u64 = LARGEST_OTHER as u64 * 3 * 2 * MOST_OTHERS as u64;

/// How much memory decoding a file takes at most, by its header.
pub(super) fn memory_needed(bytes: &[u8], max_pixels: NonZeroUsize) -> Result<u64, Undecodable> {
    let kind = image::guess_format(bytes).map_err(|_| Undecodable::Format)?;
    let format = name(kind).ok_or(Undecodable::Format)?;
    let budget = Budget { max_pixels, longest_side: None, format };
    let reader = ImageReader::with_format(Cursor::new(bytes), kind);
    let (width, height) = reader.into_dimensions().map_err(|error| budget.broken(&error))?;
    budget.check(width, height, 0)?;
    let pixels = u64::from(width) * u64::from(height);
    let others =
        if kind == ImageFormat::Jpeg { 0 } else { (pixels * 3 * 2 * MOST_OTHERS as u64).min(OTHERS_BYTES) };
    Ok(pixels * BYTES_PER_PIXEL + others)
}

/// [`decode`] without its metrics.
pub(super) fn decode_file(
    bytes: &[u8],
    max_pixels: NonZeroUsize,
    longest_side: Option<NonZeroU32>,
) -> Result<Shown, Undecodable> {
    let kind = image::guess_format(bytes).map_err(|_| Undecodable::Format)?;
    let format = name(kind).ok_or(Undecodable::Format)?;
    let budget = Budget { max_pixels, longest_side, format };
    let decoded = catch_unwind(AssertUnwindSafe(|| match kind {
        ImageFormat::Jpeg => budget.decode_jpeg(bytes),
        ImageFormat::Png => budget.decode_png(bytes),
        ImageFormat::WebP => budget.decode_webp(bytes),
        _ => budget.decode_gif(bytes),
    }));
    decoded.unwrap_or(Err(Undecodable::Panicked { format: budget.format }))
}

/// The name of a supported format.
fn name(kind: ImageFormat) -> Option<&'static str> {
    match kind {
        ImageFormat::Jpeg => Some("JPEG"),
        ImageFormat::Png => Some("PNG"),
        ImageFormat::WebP => Some("WebP"),
        ImageFormat::Gif => Some("GIF"),
        _ => None,
    }
}

/// The limits for decoding one file.
struct Budget {
    max_pixels: NonZeroUsize,
    longest_side: Option<NonZeroU32>,
    format: &'static str,
}

impl Budget {
    /// In bytes: four for each pixel. Pictures with 16 bits per channel need up to eight, so they
    /// may have half the pixels.
    fn memory(&self) -> u64 {
        (self.max_pixels.get() as u64).saturating_mul(4)
    }

    /// Twice that for the decoders' own buffers. Not all decoders enforce it; `check` is what
    /// bounds memory.
    fn decoders_limits(&self) -> Limits {
        let mut limits = Limits::no_limits();
        limits.max_alloc = Some(self.memory().saturating_mul(2));
        limits
    }

    fn broken(&self, error: &ImageError) -> Undecodable {
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

    fn decode_with<D: ImageDecoder>(&self, decoder: Result<D, ImageError>) -> Result<Shown, Undecodable> {
        let mut decoder = decoder.map_err(|error| self.broken(&error))?;
        let size = self.admit(&decoder)?;
        decoder.set_limits(self.decoders_limits()).map_err(|error| self.broken(&error))?;
        // An unreadable orientation is ignored.
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        let image = DynamicImage::from_decoder(decoder).map_err(|error| self.broken(&error))?;
        self.shown(image, size, orientation)
    }

    /// Checks size and memory by the header; gives the size.
    fn admit(&self, decoder: &impl ImageDecoder) -> Result<(u32, u32), Undecodable> {
        let (width, height) = decoder.dimensions();
        self.check(width, height, decoder.total_bytes())?;
        Ok((width, height))
    }

    /// A still picture, on white, and on a dark ground where white hides something.
    fn shown(
        &self,
        image: DynamicImage,
        size: (u32, u32),
        orientation: Orientation,
    ) -> Result<Shown, Undecodable> {
        let upright = |image| self.upright(self.scaled_down(image), size, orientation);
        let dark = grounds::white_hides(&image).then(|| image.clone());
        let picture = upright(grounds::over(image, grounds::WHITE))?;
        let dark = dark.filter(|_| picture.width() * picture.height() <= LARGEST_OTHER);
        let others = dark.map(|image| upright(grounds::over(image, grounds::DARK))).into_iter();
        Ok(Shown { picture, others: others.collect::<Result<_, _>>()? })
    }

    /// A few frames of an animation, on white. Frames behind one that is broken are left out.
    fn animated(
        &self,
        frames: Frames<'_>,
        size: (u32, u32),
        orientation: Orientation,
    ) -> Result<Shown, Undecodable> {
        let mut stills = StillFrames::new(u64::from(size.0) * u64::from(size.1));
        for frame in frames {
            let frame = match frame {
                Ok(frame) => frame.into_buffer(),
                Err(error) if stills.is_empty() => return Err(self.broken(&error)),
                Err(_) => break,
            };
            let image = grounds::over(DynamicImage::ImageRgba8(frame), grounds::WHITE);
            let image = self.scaled_down(image);
            let is_large = image.width() * image.height() > LARGEST_OTHER;
            stills.add(image);
            if is_large || stills.are_enough() {
                break;
            }
        }
        let mut upright = stills.into_frames().map(|image| self.upright(image, size, orientation));
        let picture = upright.next().unwrap_or_else(|| Err(self.without_pixels()))?;
        Ok(Shown { picture, others: upright.collect::<Result<_, _>>()? })
    }

    fn decode_gif(&self, bytes: &[u8]) -> Result<Shown, Undecodable> {
        let decoder = GifDecoder::new(Cursor::new(bytes)).map_err(|error| self.broken(&error))?;
        let size = self.admit(&decoder)?;
        self.animated(decoder.into_frames(), size, Orientation::NoTransforms)
    }

    fn decode_webp(&self, bytes: &[u8]) -> Result<Shown, Undecodable> {
        let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|error| self.broken(&error))?;
        if !decoder.has_animation() {
            return self.decode_with(Ok(decoder));
        }
        let size = self.admit(&decoder)?;
        let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
        self.animated(decoder.into_frames(), size, orientation)
    }

    fn decode_png(&self, bytes: &[u8]) -> Result<Shown, Undecodable> {
        let open = || PngDecoder::with_limits(Cursor::new(bytes), self.decoders_limits());
        let whole = open().and_then(|decoder| {
            let is_animated = decoder.is_apng()?;
            Ok((decoder, is_animated))
        });
        let whole = match whole {
            Ok((decoder, true)) => {
                let size = self.admit(&decoder)?;
                let frames = decoder.apng().map_err(|error| self.broken(&error))?.into_frames();
                self.animated(frames, size, Orientation::NoTransforms)
            }
            Ok((decoder, false)) => self.decode_with(Ok(decoder)),
            Err(error) => Err(self.broken(&error)),
        };
        let Err(Undecodable::Broken { .. }) = &whole else { return whole };
        let check = |width, height, needed| self.check(width, height, needed).is_ok();
        match damaged_png::decode(bytes, check) {
            Some(image) => {
                let size = (image.width(), image.height());
                self.shown(image, size, Orientation::NoTransforms)
            }
            None => whole,
        }
    }

    /// A picture that is at least twice as large as needed at 1/2, 1/4 or 1/8 of its size, as JPEGs
    /// are decoded: nobody else has to hold all of it.
    fn scaled_down(&self, image: RgbImage) -> RgbImage {
        let (width, height) = image.dimensions();
        let eighths = self.longest_side.map_or(8, |needed| scaled_jpeg::eighths(width.max(height), needed));
        if eighths == 8 {
            return image;
        }
        // Means over the area, without large buffers.
        let (width, height) = ((width * eighths).div_ceil(8), (height * eighths).div_ceil(8));
        DynamicImage::ImageRgb8(image).thumbnail_exact(width, height).into_rgb8()
    }

    fn decode_jpeg(&self, bytes: &[u8]) -> Result<Shown, Undecodable> {
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
                let picture = self.upright(image, (width, height), orientation)?;
                return Ok(Shown { picture, others: Vec::new() });
            }
            // The full-size decoder below accepts more files.
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
            .ok_or_else(|| self.without_pixels())
    }

    fn without_pixels(&self) -> Undecodable {
        Undecodable::Broken { format: self.format, cause: "it has no pixels".to_owned() }
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
