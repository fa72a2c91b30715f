//! File names of GIFs and posters.

use object_store::path::Path;

use crate::domain::{Gif, RoomId};

#[derive(Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Gif,
    Poster,
}

impl FileKind {
    fn extension(self) -> &'static str {
        match self {
            Self::Gif => "gif",
            Self::Poster => "png",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Gif => "image/gif",
            Self::Poster => "image/png",
        }
    }
}

/// A file name: the SHA-256 of the GIF in lower-case hexadecimal, and the kind of file.
pub(super) struct FileName<'a> {
    hash: &'a str,
    kind: FileKind,
}

impl<'a> FileName<'a> {
    const HASH_CHARS: usize = 64;

    pub(super) fn of(gif: &'a Gif) -> [Self; 2] {
        [FileKind::Gif, FileKind::Poster].map(|kind| Self { hash: &gif.hash, kind })
    }

    pub(super) fn parse(raw: &'a str) -> Option<Self> {
        let (hash, extension) = raw.split_once('.')?;
        let kinds = [FileKind::Gif, FileKind::Poster];
        let kind = kinds.into_iter().find(|kind| kind.extension() == extension)?;
        let hexadecimal = hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (hash.len() == Self::HASH_CHARS && hexadecimal).then_some(Self { hash, kind })
    }

    pub(super) fn content_type(&self) -> &'static str {
        self.kind.content_type()
    }

    pub(super) fn path_in(&self, room: &RoomId) -> Path {
        let Self { hash, kind } = self;
        Path::from_iter([room.as_str(), &format!("{hash}.{}", kind.extension())])
    }
}
