//! A decoded picture, upright, as its pixels.

use std::fmt;

/// A picture that somebody posted: rows of red, green and blue, one byte each, the way a person
/// sees it (a camera's orientation is applied already).
///
/// The pixels may be fewer than the file has, since formats such as JPEG can be decoded smaller
/// for less work. Boxes are in pixels of the [full](Picture::full_width) picture.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    full_width: u32,
    full_height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// A picture of `width` times `height` pixels, three bytes each, row by row. `None` where the
    /// bytes are not that many, or there are none.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let bytes = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        (bytes > 0 && rgb.len() == bytes).then_some(Self {
            width,
            height,
            full_width: width,
            full_height: height,
            rgb,
        })
    }

    /// The same pixels, known to stand for a larger picture.
    #[must_use]
    pub fn standing_for(mut self, full_width: u32, full_height: u32) -> Self {
        self.full_width = full_width.max(self.width);
        self.full_height = full_height.max(self.height);
        self
    }

    /// Width of the pixels at hand.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height of the pixels at hand.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Width of the upright picture in the file.
    pub fn full_width(&self) -> u32 {
        self.full_width
    }

    /// Height of the upright picture in the file.
    pub fn full_height(&self) -> u32 {
        self.full_height
    }

    /// The pixels: red, green, blue, row by row.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, full_width, full_height, .. } = self;
        write!(f, "Picture({width} x {height} of {full_width} x {full_height})")
    }
}
