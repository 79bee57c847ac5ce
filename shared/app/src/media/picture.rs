//! Pictures: how large they are, and a small one to show before the whole.
//!
//! What strangers send is decoded within limits and on a thread of its own. A picture that is damaged, too
//! large, or breaks the decoder is simply one without dimensions or without a small one: the file itself
//! was kept before anybody looked at it.

use std::io::Cursor;

use bytes::Bytes;
use domain::media::MediaType;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, ImageResult, Limits,
};

/// The longest side of a small picture.
const SMALL: u32 = 320;

const QUALITY: u8 = 75;

/// The longest side that is looked at, and the most memory that decoding one picture may take: some 40
/// million points, more than WhatsApp leaves of a photograph.
const SIDE_MAX: u32 = 16_384;
const MEMORY_MAX: u64 = 128 << 20;

/// What is known of a picture.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) small: Option<Small>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Small {
    pub(super) mime_type: MediaType,
    pub(super) bytes: Bytes,
}

/// Where the small picture of a file is kept.
pub(super) fn small(file: &str) -> String {
    format!("{file}.small")
}

/// Looks at a file. `None`: it is no picture, or none that can be looked at.
pub(super) async fn look(mime_type: MediaType, bytes: Bytes) -> Option<Picture> {
    let format = match mime_type {
        MediaType::Jpeg => ImageFormat::Jpeg,
        MediaType::Png => ImageFormat::Png,
        MediaType::Webp => ImageFormat::WebP,
        _ => return None,
    };
    let looked = tokio::task::spawn_blocking(move || decode(format, &bytes)).await;
    match looked {
        Ok(Ok(picture)) => Some(picture),
        Ok(Err(error)) => {
            tracing::info!(%mime_type, %error, "a picture cannot be looked at");
            None
        }
        // A decoder that panicked took down its own thread's work and nothing else.
        Err(error) => {
            tracing::warn!(%mime_type, %error, "a picture broke its decoder");
            None
        }
    }
}

fn decode(format: ImageFormat, bytes: &[u8]) -> ImageResult<Picture> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let (width, height) = decoder.dimensions();
    let turned = matches!(
        orientation,
        Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH
    );
    let (width, height) = if turned {
        (height, width)
    } else {
        (width, height)
    };
    let mut picture = Picture {
        width,
        height,
        small: None,
    };
    if decoder.total_bytes() <= MEMORY_MAX {
        match shrink(decoder, orientation) {
            Ok(small) => picture.small = Some(small),
            // Its beginning was in order, so its dimensions are known.
            Err(error) => tracing::info!(%error, "a picture cannot be made smaller"),
        }
    }
    Ok(picture)
}

fn shrink(decoder: impl ImageDecoder, orientation: Orientation) -> ImageResult<Small> {
    let mut image = DynamicImage::from_decoder(decoder)?;
    if image.width().max(image.height()) > SMALL {
        image = image.thumbnail(SMALL, SMALL);
    }
    image.apply_orientation(orientation);
    let mut bytes = Vec::new();
    // Stickers stand on whatever is behind them.
    let mime_type = if image.color().has_alpha() {
        let image = image.into_rgba8();
        let (width, height) = image.dimensions();
        let encoder = WebPEncoder::new_lossless(&mut bytes);
        encoder.encode(&image, width, height, ExtendedColorType::Rgba8)?;
        MediaType::Webp
    } else {
        let image = image.into_rgb8();
        JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&image)?;
        MediaType::Jpeg
    };
    Ok(Small {
        mime_type,
        bytes: bytes.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    fn file(image: impl Into<DynamicImage>, format: ImageFormat) -> Bytes {
        let mut bytes = Cursor::new(Vec::new());
        image.into().write_to(&mut bytes, format).unwrap();
        bytes.into_inner().into()
    }

    fn photo(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| {
            Rgb([(x % 256) as u8, (y % 256) as u8, 90])
        })
    }

    fn size_of(small: &Small) -> (u32, u32) {
        let image = image::load_from_memory(&small.bytes).unwrap();
        (image.width(), image.height())
    }

    #[tokio::test]
    async fn a_photo_becomes_a_small_jpeg_of_the_same_shape() {
        let bytes = file(photo(800, 200), ImageFormat::Jpeg);
        let picture = look(MediaType::Jpeg, bytes).await.unwrap();
        assert_eq!((picture.width, picture.height), (800, 200));
        let small = picture.small.unwrap();
        assert_eq!(small.mime_type, MediaType::Jpeg);
        assert_eq!(size_of(&small), (320, 80));
    }

    #[tokio::test]
    async fn what_shows_through_still_does_and_nothing_is_made_larger() {
        let clear = RgbaImage::from_pixel(16, 16, Rgba([255, 0, 0, 0]));
        for (mime, format) in [
            (MediaType::Png, ImageFormat::Png),
            (MediaType::Webp, ImageFormat::WebP),
        ] {
            let picture = look(mime, file(clear.clone(), format)).await.unwrap();
            let small = picture.small.unwrap();
            assert_eq!(small.mime_type, MediaType::Webp);
            assert_eq!(size_of(&small), (16, 16));
            let back = image::load_from_memory(&small.bytes).unwrap().into_rgba8();
            assert_eq!(back.get_pixel(0, 0).0[3], 0);
        }
    }

    /// A photo that a phone took standing: the file lies, and says to be turned.
    #[tokio::test]
    async fn a_photo_stands_as_it_was_taken() {
        let lying = file(photo(400, 200), ImageFormat::Jpeg);
        let exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
        let mut turned = lying[..2].to_vec();
        turned.extend(b"\xff\xe1");
        turned.extend((exif.len() as u16 + 2).to_be_bytes());
        turned.extend(exif);
        turned.extend(&lying[2..]);
        let picture = look(MediaType::Jpeg, turned.into()).await.unwrap();
        assert_eq!((picture.width, picture.height), (200, 400));
        assert_eq!(size_of(&picture.small.unwrap()), (160, 320));
    }

    #[tokio::test]
    async fn a_picture_that_would_unfold_without_end_is_not_unfolded() {
        // The head of a PNG of 16,000 × 16,000 points, and one of more than is looked at.
        let head = |side: u32| {
            let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
            file.extend(side.to_be_bytes());
            file.extend(side.to_be_bytes());
            file.extend([8, 6, 0, 0, 0]);
            let mut sum = flate2::Crc::new();
            sum.update(&file[12..]);
            file.extend(sum.sum().to_be_bytes());
            file.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
            Bytes::from(file)
        };
        let picture = look(MediaType::Png, head(16_000)).await.unwrap();
        assert_eq!((picture.width, picture.small), (16_000, None));
        assert_eq!(look(MediaType::Png, head(1_000_000)).await, None);
    }

    #[tokio::test]
    async fn what_is_damaged_or_no_picture_has_no_size() {
        let whole = file(photo(600, 600), ImageFormat::Png);
        let cut = look(MediaType::Png, whole.slice(..whole.len() / 2)).await;
        assert_eq!(cut.map(|cut| cut.small), Some(None));
        for garbage in [&b""[..], b"\x89PNG\r\n\x1a\n and so on", b"<html>"] {
            let garbage = Bytes::copy_from_slice(garbage);
            assert_eq!(look(MediaType::Png, garbage.clone()).await, None);
            assert_eq!(look(MediaType::Jpeg, garbage.clone()).await, None);
            assert_eq!(look(MediaType::Webp, garbage).await, None);
        }
        assert_eq!(look(MediaType::Pdf, whole).await, None);
    }
}
