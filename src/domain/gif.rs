//! A shared GIF and its measurements.

/// The measurements of a decoded GIF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GifFacts {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Size of the stored file, in bytes.
    pub bytes: u64,
    /// Number of frames; 1 for a still image.
    pub frames: u32,
    /// Duration of one loop, in milliseconds.
    pub duration_ms: u64,
}

/// A GIF in a room, identified by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gif {
    /// SHA-256 of the stored file, in lower-case hexadecimal: 64 characters.
    pub hash: String,
    /// The measurements.
    pub facts: GifFacts,
}
