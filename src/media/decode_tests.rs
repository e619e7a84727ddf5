//! What is decoded, what is refused, and that no input makes the decoder panic.

use std::io::Cursor;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::LazyLock;

use image::{GrayImage, ImageBuffer, ImageFormat, LumaA, Rgba, RgbaImage};
use proptest::prelude::*;

use super::{Shown, Undecodable, decode};
use crate::domain::Picture;

#[path = "../../tests/it/support/picture_files.rs"]
mod picture_files;

use picture_files::{gif, jpeg, picture, png, png_bomb, turned_jpeg, webp};

const MAX_PIXELS: NonZeroUsize = NonZeroUsize::new(1_000_000).unwrap();

fn decoded(bytes: &[u8]) -> Result<Picture, Undecodable> {
    decode(bytes, MAX_PIXELS, None).map(|shown| shown.picture)
}

fn written(picture: impl Into<image::DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 3] {
    let at = (y * picture.width() + x) as usize * 3;
    picture.rgb()[at..at + 3].try_into().unwrap()
}

/// Which corners are red: top left, top right, bottom left, bottom right.
fn red_corners(picture: &Picture) -> [bool; 4] {
    let (right, lower) = (picture.width() - 3, picture.height() - 3);
    [(2, 2), (right, 2), (2, lower), (right, lower)].map(|(x, y)| {
        let [red, green, blue] = pixel(picture, x, y);
        red > 150 && green < 100 && blue < 100
    })
}

#[test]
fn every_format_is_decoded() {
    let original = picture(60, 40);
    for bytes in [jpeg(&original), png(&original), webp(&original), gif(&original, 1)] {
        let picture = decoded(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height()), (60, 40));
        assert_eq!((picture.full_width(), picture.full_height()), (60, 40));
        assert_eq!(red_corners(&picture), [true, false, false, false]);
    }
}

#[test]
fn of_an_animation_frames_that_look_different_are_taken() {
    let still = picture(60, 40);
    let one = decode(&gif(&still, 1), MAX_PIXELS, None).unwrap();
    assert!(one.others.is_empty());
    // The others are black.
    let black_later = decode(&gif(&still, 50), MAX_PIXELS, None).unwrap();
    assert_eq!(black_later.picture, one.picture);
    assert_eq!(black_later.others.len(), 1);
    let frames =
        [RgbaImage::from_pixel(60, 40, Rgba([255; 4])), image::DynamicImage::ImageRgb8(still).into_rgba8()];
    let mut bytes = Vec::new();
    image::codecs::gif::GifEncoder::new(&mut bytes).encode_frames(frames.map(image::Frame::new)).unwrap();
    let blank_first = decode(&bytes, MAX_PIXELS, None).unwrap();
    assert_eq!(red_corners(&blank_first.picture), [false; 4]);
    assert_eq!(blank_first.others.len(), 1);
    assert_eq!(red_corners(&blank_first.others[0]), [true, false, false, false]);
    // Cut in the second frame.
    let cut = decode(&bytes[..bytes.len() - 40], MAX_PIXELS, None).unwrap();
    assert_eq!(cut.picture, blank_first.picture);
}

#[test]
fn what_white_hides_is_shown_on_a_dark_ground_too() {
    let letters = |colour: [u8; 3]| {
        RgbaImage::from_fn(60, 40, |x, _| {
            let [red, green, blue] = colour;
            if x < 20 { Rgba([red, green, blue, 255]) } else { Rgba([0; 4]) }
        })
    };
    let shown = |image: RgbaImage| decode(&written(image, ImageFormat::Png), MAX_PIXELS, None).unwrap();
    let white = shown(letters([250; 3]));
    assert_eq!((pixel(&white.picture, 5, 5), pixel(&white.picture, 40, 5)), ([250; 3], [255; 3]));
    assert_eq!(white.others.len(), 1);
    assert_eq!((pixel(&white.others[0], 5, 5), pixel(&white.others[0], 40, 5)), ([250; 3], [32; 3]));
    for other in [letters([0; 3]), letters([200, 30, 30]), RgbaImage::from_pixel(60, 40, Rgba([255; 4]))] {
        assert!(shown(other).others.is_empty());
    }
}

#[test]
fn a_damaged_png_is_read_as_far_as_it_goes() {
    let original = RgbaImage::from_fn(200, 200, |x, y| {
        let noise = u8::try_from((x * 7 + y * 13) % 200).unwrap();
        Rgba([noise, noise, if y < 100 { 255 } else { 0 }, 255])
    });
    let whole = written(original, ImageFormat::Png);
    let expected = decoded(&whole).unwrap();
    let data = whole.windows(4).position(|bytes| bytes == b"IDAT").unwrap() + 4;
    let mut wrong_sum = whole.clone();
    let last = wrong_sum.len() - 13;
    wrong_sum[last] ^= 0x55;
    let no_end = whole[..whole.len() - 12].to_vec();
    for damaged in [wrong_sum, no_end] {
        assert_eq!(decoded(&damaged).unwrap(), expected);
    }
    // Two thirds of the data: what was read is right, and the rest is white.
    let cut = decoded(&whole[..data + (whole.len() - data) * 2 / 3]).unwrap();
    assert_eq!(pixel(&cut, 30, 30), pixel(&expected, 30, 30));
    assert_eq!(pixel(&cut, 30, 199), [255; 3]);
    let error = decoded(&whole[..data + 30]).unwrap_err();
    assert!(matches!(error, Undecodable::Broken { format: "PNG", .. }), "{error}");
}

#[test]
fn a_picture_stands_upright_whichever_way_the_camera_was_held() {
    let original = picture(60, 40);
    let corners = [
        (1, [true, false, false, false]),
        (2, [false, true, false, false]),
        (3, [false, false, false, true]),
        (4, [false, false, true, false]),
        (5, [true, false, false, false]),
        (6, [false, true, false, false]),
        (7, [false, false, false, true]),
        (8, [false, false, true, false]),
        // Invalid values: no orientation.
        (0, [true, false, false, false]),
        (9, [true, false, false, false]),
    ];
    for (orientation, red) in corners {
        let picture = decoded(&turned_jpeg(&original, orientation)).unwrap();
        let size = if (5..=8).contains(&orientation) { (40, 60) } else { (60, 40) };
        assert_eq!((picture.width(), picture.height()), size, "{orientation}");
        assert_eq!((picture.full_width(), picture.full_height()), size, "{orientation}");
        assert_eq!(red_corners(&picture), red, "{orientation}");
    }
}

#[test]
fn a_large_jpeg_is_decoded_no_larger_than_it_must_be() {
    let bytes = turned_jpeg(&picture(803, 401), 6);
    for (needed, size) in
        [(100, (51, 101)), (101, (101, 201)), (200, (101, 201)), (300, (201, 402)), (500, (401, 803))]
    {
        let picture = decode(&bytes, MAX_PIXELS, NonZeroU32::new(needed)).unwrap().picture;
        assert_eq!((picture.width(), picture.height()), size, "{needed}");
        assert!(picture.height() >= needed);
        assert_eq!((picture.full_width(), picture.full_height()), (401, 803));
        assert_eq!(red_corners(&picture), [false, true, false, false]);
    }
    // PNG can't be decoded at a smaller scale, and is scaled afterwards.
    let picture = decode(&png(&picture(803, 401)), MAX_PIXELS, NonZeroU32::new(100)).unwrap().picture;
    assert_eq!((picture.width(), picture.height()), (101, 51));
    assert_eq!((picture.full_width(), picture.full_height()), (803, 401));
    assert_eq!(red_corners(&picture), [true, false, false, false]);
}

#[test]
fn grey_is_decoded_at_every_scale_and_16_bits_at_full() {
    let grey = GrayImage::from_fn(320, 160, |x, _| image::Luma([u8::try_from(x / 2).unwrap()]));
    let bytes = written(grey, ImageFormat::Jpeg);
    for (needed, width) in [(40, 40), (320, 320)] {
        let picture = decode(&bytes, MAX_PIXELS, NonZeroU32::new(needed)).unwrap().picture;
        assert_eq!(picture.width(), width);
        let [red, green, blue] = pixel(&picture, width / 2, 5);
        assert!(red == green && green == blue && red.abs_diff(80) < 6, "{red} {green} {blue}");
    }
    let deep: ImageBuffer<LumaA<u16>, Vec<u16>> = ImageBuffer::from_pixel(9, 9, LumaA([0x8000, u16::MAX]));
    assert_eq!(pixel(&decoded(&written(deep, ImageFormat::Png)).unwrap(), 4, 4), [128; 3]);
}

#[test]
fn what_is_see_through_is_white() {
    let mut sheet = RgbaImage::from_pixel(10, 10, Rgba([0, 0, 0, 0]));
    sheet.put_pixel(1, 0, Rgba([10, 20, 30, 255]));
    sheet.put_pixel(2, 0, Rgba([0, 100, 200, 128]));
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let picture = decoded(&written(sheet.clone(), format)).unwrap();
        assert_eq!(picture.rgb().len(), 300);
        assert_eq!([0, 1, 2].map(|x| pixel(&picture, x, 0)), [[255; 3], [10, 20, 30], [127, 177, 227]]);
        assert_eq!(pixel(&picture, 9, 9), [255; 3]);
    }
}

#[test]
fn the_header_alone_is_enough_to_refuse_a_bomb() {
    for (width, height) in [(60_000, 60_000), (1_000_001, 1), (u32::MAX / 2, u32::MAX / 2)] {
        let bytes = png_bomb(width, height);
        assert!(bytes.len() < 1024);
        let error = decoded(&bytes).unwrap_err();
        assert!(matches!(error, Undecodable::TooManyPixels { .. } | Undecodable::Broken { .. }), "{error}");
    }
    assert_eq!(
        decoded(&png_bomb(60_000, 60_000)).unwrap_err().to_string(),
        "The picture has 60000 x 60000 pixels, which is more than media.max_pixels (1000000)"
    );
    let mut gif = gif(&picture(8, 8), 1);
    gif[6..10].copy_from_slice(&[0xff; 4]);
    assert!(matches!(decoded(&gif), Err(Undecodable::TooManyPixels { width: 65_535, .. })));
    let mut jpeg = jpeg(&picture(8, 8));
    let size = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap() + 5;
    jpeg[size..size + 4].copy_from_slice(&[0xff; 4]);
    for needed in [None, NonZeroU32::new(100)] {
        let error = decode(&jpeg, MAX_PIXELS, needed).unwrap_err();
        assert!(matches!(error, Undecodable::TooManyPixels { width: 65_535, .. }), "{error}");
    }
}

#[test]
fn pixels_that_take_more_memory_may_be_fewer() {
    let deep: ImageBuffer<Rgba<u16>, Vec<u16>> = ImageBuffer::from_pixel(60, 10, Rgba([9; 4]));
    let bytes = written(deep, ImageFormat::Png);
    let limit = |pixels| NonZeroUsize::new(pixels).unwrap();
    let error = decode(&bytes, limit(800), None).unwrap_err();
    assert_eq!(error, Undecodable::TooMuchMemory { needed: 4800, limit: 3200 });
    decode(&bytes, limit(1200), None).unwrap();
}

#[test]
fn a_jpeg_of_endless_scans_is_refused() {
    let mut bytes = jpeg(&picture(8, 8));
    let scan = bytes.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    let repeated = bytes[scan..bytes.len() - 2].to_vec();
    bytes.splice(scan..scan, repeated.repeat(200));
    for needed in [None, NonZeroU32::new(1)] {
        let error = decode(&bytes, MAX_PIXELS, needed).unwrap_err();
        assert!(matches!(error, Undecodable::TooManyScans { scans: 201, .. }), "{error}");
    }
}

#[test]
fn what_is_no_picture_is_told_so() {
    let pages: [&[u8]; 6] =
        [b"", b"GIF", b"<html><body>Not here</body></html>", b"BM\0\0\0\0", b"%PDF-1.7", b"<svg/>"];
    for bytes in pages {
        assert_eq!(decoded(bytes).unwrap_err(), Undecodable::Format);
    }
    let error = decoded(&png(&picture(60, 40))[..60]).unwrap_err();
    assert!(matches!(&error, Undecodable::Broken { format: "PNG", .. }), "{error}");
    assert!(error.to_string().starts_with("The PNG can't be decoded: "), "{error}");
}

static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let original = picture(33, 21);
    let small =
        [jpeg(&original), png(&original), webp(&original), gif(&original, 3), turned_jpeg(&original, 6)];
    small.into_iter().chain([png_bomb(900, 900), jpeg(&picture(160, 120))]).collect()
});

proptest! {
    #[test]
    fn no_mutation_of_a_file_stops_the_decoder_or_makes_it_lie(
        file in 0..7_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        end in prop::option::of(any::<prop::sample::Index>()),
        needed in prop::option::of(1_u32..200),
    ) {
        let mut bytes = FILES[file].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        match decode(&bytes, MAX_PIXELS, needed.and_then(NonZeroU32::new)) {
            Ok(Shown { picture, .. }) => {
                prop_assert!(u64::from(picture.full_width()) * u64::from(picture.full_height()) <= 1_000_000);
                prop_assert!(picture.width() <= picture.full_width());
                prop_assert!(picture.height() <= picture.full_height());
            }
            Err(Undecodable::Panicked { format }) => prop_assert!(false, "the decoder of {} panicked", format),
            Err(_) => {}
        }
    }

    #[test]
    fn nothing_at_all_stops_the_decoder(
        head in prop::sample::select(vec![&b"\xff\xd8\xff"[..], b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x40\0\0\0WEBPVP8 ", b""]),
        tail in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let _ = decoded(&[head, &tail].concat());
    }
}
