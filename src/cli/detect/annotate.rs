//! Copies of pictures with what is reported drawn onto them.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::glyphs::{self, glyph};
use crate::domain::{Detection, Picture};

/// One of these is a brand's colour: far apart, and seen on light and dark.
const COLOURS: [[u8; 3]; 8] = [
    [230, 25, 75],
    [60, 180, 75],
    [0, 130, 200],
    [245, 130, 48],
    [145, 30, 180],
    [0, 160, 160],
    [240, 50, 230],
    [170, 110, 40],
];

/// Names of the copies: each picture's own name with `.png`, and a number where another picture
/// or a file that is there has it.
pub(super) fn names(folder: &Path, pictures: &[PathBuf]) -> Vec<PathBuf> {
    let mut taken = HashSet::new();
    let mut free = |path: &PathBuf| !path.exists() && taken.insert(path.clone());
    let name = |picture: &PathBuf| {
        let stem = picture.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let numbered = (2u64..).map(|number| folder.join(format!("{stem}-{number}.png")));
        let mut candidates = std::iter::once(folder.join(format!("{stem}.png"))).chain(numbered);
        candidates.find(&mut free).unwrap_or_default()
    };
    pictures.iter().map(name).collect()
}

/// Writes a copy; a file that has come to be there meanwhile is left alone, and an error.
pub(super) fn write(path: &Path, picture: &Picture, detections: &[Detection]) -> anyhow::Result<()> {
    let mut drawing = Drawing::new(picture);
    for detection in detections.iter().filter(|detection| detection.reported) {
        drawing.mark(detection);
    }
    let cannot = || format!("{} can't be written", path.display());
    let file = OpenOptions::new().write(true).create_new(true).open(path).with_context(cannot)?;
    let encoder = PngEncoder::new(BufWriter::new(file));
    let Drawing { width, height, rgb, .. } = drawing;
    encoder.write_image(&rgb, width, height, ExtendedColorType::Rgb8).with_context(cannot)
}

struct Drawing {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
    /// Width of lines, and side of a letter's dot: larger on larger pictures.
    pen: u32,
    /// Pixels at hand for one of the full picture.
    scale: (f32, f32),
}

impl Drawing {
    #[expect(clippy::cast_precision_loss, reason = "sides are far below 2^23 pixels")]
    fn new(picture: &Picture) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let pen = (width.max(height) / 400).max(1) + 1;
        let across = width as f32 / picture.full_width() as f32;
        let down = height as f32 / picture.full_height() as f32;
        Self { width, height, rgb: picture.rgb().to_vec(), pen, scale: (across, down) }
    }

    /// A frame around a logo, and brand and score above it, or below where there is no room.
    fn mark(&mut self, detection: &Detection) {
        let mut hasher = DefaultHasher::new();
        detection.label.hash(&mut hasher);
        let colour = COLOURS[usize::try_from(hasher.finish() % 8).unwrap_or(0)];
        let bounds = &detection.bounds;
        let (left, right) = (pixel(bounds.x * self.scale.0), pixel((bounds.x + bounds.width) * self.scale.0));
        let (top, bottom) =
            (pixel(bounds.y * self.scale.1), pixel((bounds.y + bounds.height) * self.scale.1));
        let pen = self.pen;
        self.fill((left, top), (right, top + pen), colour);
        self.fill((left, bottom.saturating_sub(pen)), (right, bottom), colour);
        self.fill((left, top), (left + pen, bottom), colour);
        self.fill((right.saturating_sub(pen), top), (right, bottom), colour);

        let text = format!("{} {:.2}", detection.label, detection.score);
        let plate = (glyphs::HEIGHT + 2) * pen;
        self.write(left, top.checked_sub(plate).unwrap_or(bottom), &text, colour);
    }

    fn write(&mut self, left: u32, top: u32, text: &str, colour: [u8; 3]) {
        let pen = self.pen;
        let letters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let width = letters.saturating_mul(glyphs::WIDTH + 1).saturating_add(1).saturating_mul(pen);
        // Held in the picture as far as it goes.
        let left = left.min(self.width.saturating_sub(width));
        self.fill((left, top), (left.saturating_add(width), top + (glyphs::HEIGHT + 2) * pen), colour);
        for (place, letter) in (0u32..).zip(text.chars()) {
            for (down, row) in (0u32..).zip(glyph(letter)) {
                for across in (0..glyphs::WIDTH).filter(|across| row & (0x10 >> across) != 0) {
                    let x = left + (1 + place * (glyphs::WIDTH + 1) + across) * pen;
                    let y = top + (1 + down) * pen;
                    self.fill((x, y), (x + pen, y + pen), [255; 3]);
                }
            }
        }
    }

    /// Fills from one corner to another, as far as it lies in the picture.
    fn fill(&mut self, from: (u32, u32), to: (u32, u32), colour: [u8; 3]) {
        for y in from.1..to.1.min(self.height) {
            for x in from.0..to.0.min(self.width) {
                let start = (y as usize * self.width as usize + x as usize) * 3;
                self.rgb[start..start + 3].copy_from_slice(&colour);
            }
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and boxes lie in the picture"
)]
fn pixel(at: f32) -> u32 {
    (at.round() as u32).min(u32::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PixelBox, Prominence};

    fn detection(x: f32, y: f32, reported: bool) -> Detection {
        let bounds = PixelBox { x, y, width: 60.0, height: 30.0 };
        let prominence = Prominence { share: 0.1, distance: 0.0, sharpness: 1.0 };
        Detection { label: "vmware".to_owned(), bounds, score: 0.93, prominence, reported }
    }

    #[test]
    fn names_are_free_and_tell_which_picture_it_was() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("b.png"), "mine").unwrap();
        let pictures = ["x/a.jpg", "y/a.png", "a.webp", "b.jpg"].map(PathBuf::from);
        let names = names(folder.path(), &pictures);
        let expected = ["a.png", "a-2.png", "a-3.png", "b-2.png"].map(|name| folder.path().join(name));
        assert_eq!(names, expected);
    }

    #[test]
    fn only_what_is_reported_is_drawn_and_nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        let picture = Picture::new(200, 100, vec![0; 60_000]).unwrap();
        write(&path, &picture, &[detection(20.0, 40.0, true), detection(120.0, 40.0, false)]).unwrap();
        let copy = image::open(&path).unwrap().to_rgb8();
        assert_eq!(copy.dimensions(), (200, 100));
        assert_ne!(copy.get_pixel(20, 50).0, [0; 3]);
        assert_eq!(copy.get_pixel(120, 50).0, [0; 3]);
        assert_eq!(copy.get_pixel(50, 55).0, [0; 3], "a frame, no more");
        assert!(write(&path, &picture, &[]).is_err());
    }

    #[test]
    fn labels_at_the_border_stay_inside() {
        let folder = tempfile::tempdir().unwrap();
        let picture = Picture::new(30, 20, vec![0; 1800]).unwrap().standing_for(300, 200);
        let whole = [(0.0, 0.0), (290.0, 190.0), (-5.0, -5.0)].map(|(x, y)| detection(x, y, true));
        write(&folder.path().join("a.png"), &picture, &whole).unwrap();
    }
}
