//! GIF sanitizing: decodes every frame, strips metadata and measures the file.
//!
//! The compressed frame data is copied bit for bit. All else that is not needed for display
//! (comments, plain text, application metadata, bytes after the end) is dropped, because it can
//! hide other content.
//!
//! `weezl` unpacks the pixels instead of `gif`, which loses some pixels of a small interlaced frame
//! (image-rs/image-gif#232, open in 0.14.2).

use std::io::Write as _;

use ::gif::{
    AnyExtension, DecodeOptions, DecodingError, Encoder, EncodingError, Extension, Frame, Repeat,
    streaming_decoder::{Block, Decoded, OutputBuffer, StreamingDecoder},
};
use weezl::{BitOrder, LzwError, LzwStatus, decode::Decoder as LzwDecoder};

use crate::domain::GifFacts;

/// Longest side, in pixels: wider than a visitor's screen.
const MAX_SIDE: u16 = 4096;
/// Largest canvas, in pixels. Decoding takes one byte for each pixel: 8 MiB.
const MAX_CANVAS: u64 = 8 << 20;
/// Largest number of frames: about 100 seconds at the usual ten frames a second.
const MAX_FRAMES: u32 = 1_000;
/// Largest total of all frames, in pixels: about one second of decoding, also on a phone.
const MAX_PIXELS: u64 = 256 << 20;

/// Blink, Gecko and WebKit play a frame with a shorter delay than this for [`SLOWED_MS`], because
/// many old files have a delay of 0.
const SHORTEST_PLAYED_MS: u64 = 20;
const SLOWED_MS: u64 = 100;

/// The reason for refusing a file with a GIF header.
#[derive(Debug, thiserror::Error)]
pub enum GifError {
    /// The structure is broken, or the file ends too early.
    #[error("it cannot be decoded: {0}")]
    Broken(#[from] DecodingError),
    /// A frame's data is not valid LZW.
    #[error("a frame cannot be unpacked: {0}")]
    Garbled(#[from] LzwError),
    /// A frame's data ends before its last pixel.
    #[error("a frame lacks pixels")]
    Unfinished,
    /// A frame's data has an invalid number of bits for each colour.
    #[error("a frame's colours have {0} bits")]
    Colors(u8),
    /// The frames cannot be copied into a new file.
    #[error("its frames cannot be copied: {0}")]
    Odd(#[from] EncodingError),
    /// The poster cannot be drawn from the first frame.
    #[error("its first frame cannot be drawn: {0}")]
    Undrawable(#[from] png::EncodingError),
    /// The file has no frame.
    #[error("it has no frame")]
    NoFrame,
    /// More than [`MAX_FRAMES`].
    #[error("it has more than {MAX_FRAMES} frames")]
    TooManyFrames,
    /// A side of 0 pixels, or above the limits of this server.
    #[error("{width} by {height} is no size for a picture here")]
    Size {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
    },
    /// A frame is empty, or reaches beyond the canvas.
    #[error("a frame does not lie on the canvas")]
    OffCanvas,
    /// More than [`MAX_PIXELS`] in all frames.
    #[error("it is too much to decode")]
    TooMuch,
}

/// A GIF that is safe to store and to show.
pub struct SanitizedGif {
    /// The file to store.
    pub file: Vec<u8>,
    /// Its first frame on its canvas, as a PNG.
    pub poster: Vec<u8>,
    /// The measurements.
    pub facts: GifFacts,
}

/// Whether the file has a GIF header.
pub fn has_gif_header(file: &[u8]) -> bool {
    file.starts_with(b"GIF87a") || file.starts_with(b"GIF89a")
}

/// Checks, strips and measures a GIF.
///
/// All sizes are checked before anything is decoded, so that an oversized GIF costs neither time
/// nor memory.
pub fn sanitize(upload: &[u8]) -> Result<SanitizedGif, GifError> {
    let outline = Outline::of(upload)?;
    let (file, poster) = copy_frames(upload, outline.repeat)?;
    let facts = GifFacts {
        width: outline.width.into(),
        height: outline.height.into(),
        bytes: file.len() as u64,
        frames: outline.frames,
        duration_ms: outline.duration_ms,
    };
    Ok(SanitizedGif { file, poster, facts })
}

/// The measurements from a file's structure, without decoding pixels.
struct Outline {
    width: u16,
    height: u16,
    frames: u32,
    pixels: u64,
    duration_ms: u64,
    repeat: Repeat,
}

impl Outline {
    /// Reads all blocks of a file, up to its trailer.
    fn of(mut rest: &[u8]) -> Result<Self, GifError> {
        let mut decoder = StreamingDecoder::new();
        let mut looping = Looping::default();
        let mut outline = Self {
            width: 0,
            height: 0,
            frames: 0,
            pixels: 0,
            duration_ms: 0,
            repeat: Repeat::default(),
        };
        loop {
            if rest.is_empty() {
                return Err(DecodingError::UnexpectedEof.into());
            }
            let (read, found) = decoder.update(rest, &mut OutputBuffer::None)?;
            rest = rest.get(read..).unwrap_or_default();
            match found {
                Decoded::BackgroundColor(_) => {
                    outline.set_canvas(decoder.width(), decoder.height())?;
                }
                Decoded::FrameMetadata(_) => outline.add(decoder.current_frame())?,
                Decoded::SubBlock { ext, is_last } => {
                    let part = decoder.last_ext_sub_block();
                    if let Some(repeat) = looping.read(ext, part, is_last) {
                        outline.repeat = repeat;
                    }
                }
                Decoded::BlockStart(Block::Trailer) => break,
                _ => {}
            }
        }
        if outline.frames == 0 { Err(GifError::NoFrame) } else { Ok(outline) }
    }

    fn set_canvas(&mut self, width: u16, height: u16) -> Result<(), GifError> {
        let sides = 1..=MAX_SIDE;
        let area = u64::from(width) * u64::from(height);
        if !sides.contains(&width) || !sides.contains(&height) || area > MAX_CANVAS {
            return Err(GifError::Size { width, height });
        }
        (self.width, self.height) = (width, height);
        Ok(())
    }

    fn add(&mut self, frame: &Frame<'_>) -> Result<(), GifError> {
        let within = |start: u16, length: u16, canvas: u16| {
            length > 0 && u32::from(start) + u32::from(length) <= u32::from(canvas)
        };
        if !within(frame.left, frame.width, self.width)
            || !within(frame.top, frame.height, self.height)
        {
            return Err(GifError::OffCanvas);
        }
        self.frames += 1;
        self.pixels += u64::from(frame.width) * u64::from(frame.height);
        self.duration_ms += played_ms(frame.delay);
        if self.frames > MAX_FRAMES {
            return Err(GifError::TooManyFrames);
        }
        if self.pixels > MAX_PIXELS {
            return Err(GifError::TooMuch);
        }
        Ok(())
    }
}

/// How long a browser shows a frame with this delay, given in hundredths of a second.
fn played_ms(delay: u16) -> u64 {
    let asked = u64::from(delay) * 10;
    if asked < SHORTEST_PLAYED_MS { SLOWED_MS } else { asked }
}

/// Finds a GIF's repeat count: the only application extension that is kept.
///
/// The extension is `NETSCAPE2.0` or its alias `ANIMEXTS1.0`, anywhere in the file. Browsers read
/// both; the decoder reads only the first, and only at the start.
#[derive(Default)]
enum Looping {
    #[default]
    AwaitsName,
    Named,
    Skips,
}

impl Looping {
    const APPLICATION: AnyExtension = AnyExtension(Extension::Application as u8);

    /// Reads the next part of an extension. Returns the repeat count once found.
    fn read(&mut self, ext: AnyExtension, part: &[u8], is_last: bool) -> Option<Repeat> {
        let mut found = None;
        *self = match (&self, part) {
            (Self::AwaitsName, b"NETSCAPE2.0" | b"ANIMEXTS1.0") if ext == Self::APPLICATION => {
                Self::Named
            }
            (Self::Named, [1, low, high]) => {
                found = Some(match u16::from_le_bytes([*low, *high]) {
                    0 => Repeat::Infinite,
                    times => Repeat::Finite(times),
                });
                Self::Skips
            }
            (Self::Named, _) => Self::Named,
            (Self::AwaitsName | Self::Skips, _) => Self::Skips,
        };
        if is_last {
            *self = Self::AwaitsName;
        }
        found
    }
}

/// Copies the compressed frames into a new file, checks that no frame lacks pixels, and draws the
/// first frame as the poster. Returns the file and the poster.
fn copy_frames(upload: &[u8], repeat: Repeat) -> Result<(Vec<u8>, Vec<u8>), GifError> {
    let mut options = DecodeOptions::new();
    options.skip_frame_decoding(true);
    let mut decoder = options.read_info(upload)?;
    let canvas = (decoder.width(), decoder.height());
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let file = Vec::with_capacity(upload.len());
    let mut encoder = Encoder::new(file, canvas.0, canvas.1, &palette)?;
    encoder.set_repeat(repeat)?;

    let mut pixels = Vec::new();
    let mut poster = None;
    while let Some(frame) = decoder.read_next_frame()? {
        pixels.resize(usize::from(frame.width) * usize::from(frame.height), 0);
        unpack(&frame.buffer, &mut pixels)?;
        if poster.is_none() {
            poster = Some(draw_poster(canvas, frame, &pixels, &palette)?);
        }
        encoder.write_lzw_pre_encoded_frame(frame)?;
    }
    Ok((encoder.into_inner()?, poster.ok_or(GifError::NoFrame)?))
}

/// Fills `pixels` from a frame's compressed data, and ignores any data beyond them.
fn unpack(packed: &[u8], mut pixels: &mut [u8]) -> Result<(), GifError> {
    let (&bits, mut data) = packed.split_first().ok_or(GifError::Unfinished)?;
    if !(2..=8).contains(&bits) {
        return Err(GifError::Colors(bits));
    }
    let mut decoder = LzwDecoder::new(BitOrder::Lsb, bits);
    loop {
        let step = decoder.decode_bytes(data, pixels);
        data = data.get(step.consumed_in..).unwrap_or_default();
        pixels = pixels.get_mut(step.consumed_out..).unwrap_or_default();
        if pixels.is_empty() {
            return Ok(());
        }
        match step.status? {
            LzwStatus::Ok => {}
            LzwStatus::Done | LzwStatus::NoProgress => return Err(GifError::Unfinished),
        }
    }
}

/// Draws a frame at its position on a transparent canvas. It writes row by row, because a whole
/// RGBA canvas would take four times the memory of the frame.
fn draw_poster(
    (width, height): (u16, u16),
    frame: &Frame<'_>,
    pixels: &[u8],
    global_palette: &[u8],
) -> Result<Vec<u8>, GifError> {
    const CLEAR: [u8; 4] = [0; 4];
    let palette = frame.palette.as_deref().unwrap_or(global_palette);
    let color = |index: u8| match palette.chunks_exact(3).nth(index.into()) {
        Some(&[red, green, blue]) if frame.transparent != Some(index) => [red, green, blue, 255],
        _ => CLEAR,
    };
    let mut places: Vec<(u16, usize)> = stored_rows(frame).zip(0..).collect();
    places.sort_unstable();

    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width.into(), height.into());
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut encoder = encoder.write_header()?;
    let mut rows = encoder.stream_writer()?;
    for y in 0..height {
        let mut row = vec![CLEAR; width.into()];
        let place = y.checked_sub(frame.top).and_then(|y| places.get(usize::from(y)));
        let drawn =
            place.and_then(|(_, place)| pixels.chunks_exact(frame.width.into()).nth(*place));
        for (pixel, index) in row.iter_mut().skip(frame.left.into()).zip(drawn.unwrap_or_default())
        {
            *pixel = color(*index);
        }
        rows.write_all(row.as_flattened()).map_err(png::EncodingError::from)?;
    }
    rows.finish()?;
    encoder.finish()?;
    Ok(file)
}

/// The rows of a frame in the order in which they are stored (GIF89a specification, appendix E).
fn stored_rows(frame: &Frame<'_>) -> impl Iterator<Item = u16> {
    let passes: &[(u16, usize)] =
        if frame.interlaced { &[(0, 8), (4, 8), (2, 4), (1, 2)] } else { &[(0, 1)] };
    passes.iter().flat_map(|&(first, step)| (first..frame.height).step_by(step))
}

#[cfg(test)]
mod tests;
