//! What is known of a shared GIF.

/// What a GIF measured when it was decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GifFacts {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Size of the file that is kept, in bytes.
    pub bytes: u64,
    /// How many frames; 1 is a still.
    pub frames: u32,
    /// One time through all frames, in milliseconds.
    pub duration_ms: u64,
}

/// A GIF in a room: named by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gif {
    /// SHA-256 of the kept file, in lower-case hexadecimal: 64 characters.
    pub hash: String,
    /// What it measured.
    pub facts: GifFacts,
}
