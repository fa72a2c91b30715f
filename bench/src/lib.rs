//! What the programs of the bench share.

use gif::{Encoder, EncodingError, Frame};

/// Frames of a [`noise`].
const FRAMES: u32 = 30;
/// Pixels on a side: frames of noise make about a megabyte of this.
const SIDE: u16 = 176;

/// A GIF of about a megabyte that does not compress, another for each seed.
///
/// # Errors
/// Those of the encoder.
pub fn noise(seed: u32) -> Result<Vec<u8>, EncodingError> {
    let palette: Vec<u8> = (0..=255_u8).flat_map(|level| [level, level, level]).collect();
    let mut encoder = Encoder::new(Vec::new(), SIDE, SIDE, &palette)?;
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    for _ in 0..FRAMES {
        let pixels: Vec<u8> = (0..usize::from(SIDE) * usize::from(SIDE))
            .map(|_| {
                // Xorshift (Marsaglia, 2003).
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state.to_le_bytes()[0]
            })
            .collect();
        encoder.write_frame(&Frame::from_indexed_pixels(SIDE, SIDE, pixels, None))?;
    }
    encoder.into_inner()
}
