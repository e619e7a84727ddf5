//! Stills of an animation: its first frame, and a few later ones that look different, spread over it.
//!
//! How many frames there are is known only at the end. So frames are taken until there are twice as many as
//! wanted; then every other one goes, and from there on only every other one is taken.

use image::RgbImage;
use image::imageops::thumbnail;

/// The most pictures that a file shows beside the first.
pub const MOST_OTHERS: usize = 3;

/// Pixels of frames that are decoded at most, and frames: the rest is not looked at.
const MOST_PIXELS: u64 = 64 << 20;
const MOST_FRAMES: u64 = 300;
/// Side of the small pictures by which frames are compared, and the mean difference of a channel (0 to 255)
/// from which on they look different.
const SIDE: u32 = 16;
const DIFFERENT: u64 = 3;

pub(super) struct StillFrames {
    first: Option<RgbImage>,
    later: Vec<RgbImage>,
    last_seen: Option<RgbImage>,
    /// Of frames that look different, one in so many is taken.
    stride: u64,
    different: u64,
    read: u64,
    most: u64,
}

impl StillFrames {
    /// Of an animation whose frames have so many pixels each.
    pub(super) fn new(pixels: u64) -> Self {
        let most = (MOST_PIXELS / pixels.max(1)).clamp(1, MOST_FRAMES);
        Self { first: None, later: Vec::new(), last_seen: None, stride: 1, different: 0, read: 0, most }
    }

    pub(super) fn add(&mut self, frame: RgbImage) {
        self.read += 1;
        let small = thumbnail(&frame, SIDE, SIDE);
        let is_different = self.last_seen.as_ref().is_none_or(|last| difference(last, &small) >= DIFFERENT);
        if !is_different {
            return;
        }
        self.last_seen = Some(small);
        if self.first.is_none() {
            self.first = Some(frame);
            return;
        }
        self.different += 1;
        if !self.different.is_multiple_of(self.stride) {
            return;
        }
        self.later.push(frame);
        if self.later.len() == MOST_OTHERS * 2 {
            let mut number = 0;
            self.later.retain(|_| {
                number += 1;
                number % 2 == 0
            });
            self.stride *= 2;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Whether the rest need not be decoded.
    pub(super) fn are_enough(&self) -> bool {
        self.read >= self.most
    }

    /// The first frame, and at most [`MOST_OTHERS`] later ones.
    pub(super) fn into_frames(self) -> impl Iterator<Item = RgbImage> {
        let surplus = self.later.len().saturating_sub(MOST_OTHERS);
        // The last ones lie furthest from the first.
        self.first.into_iter().chain(self.later.into_iter().skip(surplus))
    }
}

/// Mean difference of a channel.
fn difference(one: &RgbImage, other: &RgbImage) -> u64 {
    let sum: u64 = one.as_raw().iter().zip(other.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum / one.as_raw().len().max(1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grey(level: u8) -> RgbImage {
        RgbImage::from_pixel(20, 10, image::Rgb([level; 3]))
    }

    fn taken(levels: &[u8]) -> Vec<u8> {
        let mut stills = StillFrames::new(200);
        for level in levels {
            stills.add(grey(*level));
        }
        stills.into_frames().map(|frame| frame.get_pixel(0, 0).0[0]).collect()
    }

    #[test]
    fn frames_that_look_alike_are_one_and_the_others_are_spread() {
        assert_eq!(taken(&[7]), [7]);
        assert_eq!(taken(&[255, 255, 254, 10, 11, 10]), [255, 10]);
        assert_eq!(taken(&[0, 50, 100, 150]), [0, 50, 100, 150]);
        let many: Vec<u8> = (0..60).map(|n| n * 4).collect();
        let taken = taken(&many);
        assert_eq!((taken.len(), taken[0]), (1 + MOST_OTHERS, 0));
        assert!(taken[MOST_OTHERS] > 180 && taken.is_sorted(), "{taken:?}");
    }

    #[test]
    fn a_long_animation_is_not_read_to_its_end() {
        let mut stills = StillFrames::new(MOST_PIXELS / 2);
        stills.add(grey(0));
        assert!(!stills.are_enough());
        stills.add(grey(99));
        assert!(stills.are_enough());
    }
}
