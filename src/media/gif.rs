//! What a GIF is, beneath its name: checked to the last frame, cleaned, measured.
//!
//! The frames that come out are the frames that went in, bit for bit: their compressed data is
//! copied. What is not needed to show them (comments, plain text, metadata of applications,
//! bytes after the end) is left behind, and with it whatever somebody hid there.
//!
//! Pixels are unpacked by `weezl` and not by `gif`, which loses some of a small interlaced frame
//! (image-rs/image-gif#232, open in 0.14.2).

use std::io::Write as _;

use ::gif::{
    AnyExtension, DecodeOptions, DecodingError, Encoder, EncodingError, Extension, Frame, Repeat,
    streaming_decoder::{Block, Decoded, OutputBuffer, StreamingDecoder},
};
use weezl::{BitOrder, LzwError, LzwStatus, decode::Decoder as LzwDecoder};

use crate::domain::GifFacts;

/// The longest side, in pixels: wider than any screen a chat is read on.
const MAX_SIDE: u16 = 4096;
/// The largest canvas, in pixels. A frame takes a byte of each while it is decoded: 8 MiB.
const MAX_CANVAS: u64 = 8 << 20;
/// At the ten frames a second that are usual, a minute and a half.
const MAX_FRAMES: u32 = 1_000;
/// All frames together, in pixels: about a second of decoding here, and on each reader's phone.
const MAX_PIXELS: u64 = 256 << 20;

/// Browsers play a frame that asks for less than this as if it asked for [`SLOWED_MS`]
/// (Blink, Gecko and WebKit alike), because many old files ask for 0.
const SHORTEST_PLAYED_MS: u64 = 20;
const SLOWED_MS: u64 = 100;

/// Why a file that begins like a GIF is refused.
#[derive(Debug, thiserror::Error)]
pub enum Flaw {
    /// Its structure is broken, or it ends too early.
    #[error("it cannot be decoded: {0}")]
    Broken(#[from] DecodingError),
    /// A frame's data is not what the format's compression makes.
    #[error("a frame cannot be unpacked: {0}")]
    Garbled(#[from] LzwError),
    /// A frame's data ends before its last pixel.
    #[error("a frame lacks pixels")]
    Unfinished,
    /// A frame's data is for more colours than there can be, or for fewer.
    #[error("a frame's colours have {0} bits")]
    Colors(u8),
    /// Its frames cannot be written again as they are.
    #[error("its frames cannot be copied: {0}")]
    Odd(#[from] EncodingError),
    /// Its first frame makes no still picture.
    #[error("its first frame cannot be drawn: {0}")]
    Undrawable(#[from] png::EncodingError),
    /// Nothing is in it.
    #[error("it has no frame")]
    NoFrame,
    /// More than [`MAX_FRAMES`].
    #[error("it has more than {MAX_FRAMES} frames")]
    TooManyFrames,
    /// A side of 0 pixels, or more of them than this server draws.
    #[error("{width} by {height} is no size for a picture here")]
    Size {
        /// Pixels across.
        width: u16,
        /// Pixels down.
        height: u16,
    },
    /// A frame that has no pixels, or reaches over the edge of the canvas.
    #[error("a frame does not lie on the canvas")]
    OffCanvas,
    /// More than [`MAX_PIXELS`] in all frames.
    #[error("it is too much to decode")]
    TooMuch,
}

/// A GIF that is safe to keep and to show.
pub struct Examined {
    /// The file to keep.
    pub file: Vec<u8>,
    /// Its first frame on its canvas, as a PNG.
    pub poster: Vec<u8>,
    /// What it measures.
    pub facts: GifFacts,
}

/// Whether the file says of itself that it is a GIF.
pub fn claims_to_be_one(file: &[u8]) -> bool {
    file.starts_with(b"GIF87a") || file.starts_with(b"GIF89a")
}

/// Checks, cleans and measures a GIF.
///
/// The sizes are looked at first, so that nothing is decoded, and no memory taken for it, that
/// is larger than this server allows.
pub fn examine(upload: &[u8]) -> Result<Examined, Flaw> {
    let outline = Outline::of(upload)?;
    let (file, poster) = copy_frames(upload, outline.repeat)?;
    let facts = GifFacts {
        width: outline.width.into(),
        height: outline.height.into(),
        bytes: file.len() as u64,
        frames: outline.frames,
        duration_ms: outline.duration_ms,
    };
    Ok(Examined { file, poster, facts })
}

/// What the structure of a file tells without decoding a pixel.
struct Outline {
    width: u16,
    height: u16,
    frames: u32,
    pixels: u64,
    duration_ms: u64,
    repeat: Repeat,
}

impl Outline {
    /// Walks over all blocks of a file, up to its trailer.
    fn of(mut rest: &[u8]) -> Result<Self, Flaw> {
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
        if outline.frames == 0 { Err(Flaw::NoFrame) } else { Ok(outline) }
    }

    fn set_canvas(&mut self, width: u16, height: u16) -> Result<(), Flaw> {
        let sides = 1..=MAX_SIDE;
        let area = u64::from(width) * u64::from(height);
        if !sides.contains(&width) || !sides.contains(&height) || area > MAX_CANVAS {
            return Err(Flaw::Size { width, height });
        }
        (self.width, self.height) = (width, height);
        Ok(())
    }

    fn add(&mut self, frame: &Frame<'_>) -> Result<(), Flaw> {
        let within = |start: u16, length: u16, canvas: u16| {
            length > 0 && u32::from(start) + u32::from(length) <= u32::from(canvas)
        };
        if !within(frame.left, frame.width, self.width)
            || !within(frame.top, frame.height, self.height)
        {
            return Err(Flaw::OffCanvas);
        }
        self.frames += 1;
        self.pixels += u64::from(frame.width) * u64::from(frame.height);
        self.duration_ms += played_ms(frame.delay);
        if self.frames > MAX_FRAMES {
            return Err(Flaw::TooManyFrames);
        }
        if self.pixels > MAX_PIXELS {
            return Err(Flaw::TooMuch);
        }
        Ok(())
    }
}

/// How long a browser shows a frame that asks for so many hundredths of a second.
fn played_ms(delay: u16) -> u64 {
    let asked = u64::from(delay) * 10;
    if asked < SHORTEST_PLAYED_MS { SLOWED_MS } else { asked }
}

/// Finds how often a GIF plays: the one application extension that is kept.
///
/// It is `NETSCAPE2.0`, or the same under its other name, `ANIMEXTS1.0`, wherever in the file
/// it is; browsers read both, and the decoder only the first, and only at the head.
#[derive(Default)]
enum Looping {
    #[default]
    AwaitsName,
    Named,
    Skips,
}

impl Looping {
    const APPLICATION: AnyExtension = AnyExtension(Extension::Application as u8);

    /// Reads the next part of an extension: the answer, if it is there.
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

/// Writes the same frames, still compressed as they came, into a new file, and makes sure on the
/// way that all their pixels are there. Draws the first as a poster.
fn copy_frames(upload: &[u8], repeat: Repeat) -> Result<(Vec<u8>, Vec<u8>), Flaw> {
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
    Ok((encoder.into_inner()?, poster.ok_or(Flaw::NoFrame)?))
}

/// Fills `pixels` from a frame's compressed data. What the data holds beyond them is not looked at.
fn unpack(packed: &[u8], mut pixels: &mut [u8]) -> Result<(), Flaw> {
    let (&bits, mut data) = packed.split_first().ok_or(Flaw::Unfinished)?;
    if !(2..=8).contains(&bits) {
        return Err(Flaw::Colors(bits));
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
            LzwStatus::Done | LzwStatus::NoProgress => return Err(Flaw::Unfinished),
        }
    }
}

/// Draws a frame where it lies on its canvas, which is clear around it, row by row: all of the canvas would take
/// four times the memory of the frame.
fn draw_poster(
    (width, height): (u16, u16),
    frame: &Frame<'_>,
    pixels: &[u8],
    global_palette: &[u8],
) -> Result<Vec<u8>, Flaw> {
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
