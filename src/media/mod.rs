//! Media: sanitizes, stores, serves and removes GIFs and their still posters.
//!
//! A file's path is its room and the hash of its content: `{room}/{sha256}.gif` and `.png`, in a
//! folder or a bucket. Every part of a path that comes from outside is parsed first.

mod gif;
mod name;
mod place;
mod quota;

use std::{io, ops::Range, path::PathBuf, sync::Arc, thread};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use object_store::{GetOptions, ObjectStore, ObjectStoreExt as _, path::Path};
use rayon::{ThreadPool, ThreadPoolBuilder};
use sha2::{Digest as _, Sha256};
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};
use tokio::sync::oneshot;
use tracing::warn;
use url::Url;

use crate::domain::{Gif, RoomId};

pub use gif::GifError;
use name::FileName;
pub use object_store::GetRange;
pub use place::OpenError;
use place::{STORE_ID, open_bucket, open_folder};
use quota::Quota;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The reason for refusing a GIF.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// The file is not a GIF by its content.
    #[error("this file is not a GIF")]
    NotAGif,
    /// The GIF is broken, or exceeds a decoding limit.
    #[error("this GIF cannot be used: {0}")]
    BadGif(#[from] GifError),
    /// The file has more bytes than the server accepts.
    #[error("this GIF is too large")]
    TooLarge,
    /// The GIF would exceed the space for all files.
    #[error("there is no room for more files")]
    NoSpace,
    /// The file storage has failed. The cause is for the log.
    #[error("the file could not be kept")]
    Storage(#[source] Cause),
}

/// The reason for not serving an existing file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The requested byte range is outside the file.
    #[error("the file has {size} bytes, and none where they were asked for")]
    OutOfRange {
        /// Size of the whole file, in bytes.
        size: u64,
    },
    /// The file storage has failed. The cause is for the log.
    #[error("the file could not be read")]
    Storage(#[source] Cause),
}

/// The file storage has failed. The text is for the log, never for a visitor.
#[derive(Debug, thiserror::Error)]
#[error("the place for files failed: {0}")]
pub struct StorageError(#[source] Cause);

/// A file, or the requested range of it, as a stream.
pub struct MediaFile {
    /// `image/gif`, or `image/png` for a poster.
    pub content_type: &'static str,
    /// Size of the whole file, in bytes.
    pub size: u64,
    /// The byte range of `body`.
    pub range: Range<u64>,
    /// The stream of bytes.
    pub body: BoxStream<'static, io::Result<Bytes>>,
}

/// The file storage for GIFs.
#[derive(Clone)]
pub struct Media {
    files: Arc<dyn ObjectStore>,
    /// The base folder, if local: `object_store` does not remove empty folders.
    folder: Option<PathBuf>,
    max_bytes: usize,
    quota: Arc<Quota>,
    decoders: Arc<ThreadPool>,
}

/// The decoding threads: one for each core, because more would only take memory. They have idle
/// priority, so that decoding GIFs does not delay messages.
fn decoders() -> Result<ThreadPool, OpenError> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(thread::available_parallelism().map_or(1, usize::from))
        .thread_name(|n| format!("gif-{n}"))
        .start_handler(|_| {
            let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
            let me = thread_native_id();
            if let Err(cause) = set_thread_priority_and_policy(me, ThreadPriority::Min, idle) {
                warn!(?cause, "could not lower the priority of the GIF decoding threads");
            }
        })
        .panic_handler(|_| {}); // The panic is logged, and the waiting upload fails.
    Ok(pool.build()?)
}

impl Media {
    /// Opens the file storage: a folder, as a path or `file:///folder`, created if missing; or
    /// `s3://bucket/prefix`. `options` are the bucket's settings under their usual names, such as
    /// `AWS_ACCESS_KEY_ID`; others are ignored. `max_bytes` limits one GIF and `max_space` all
    /// files; existing files count once [measured](Self::measure).
    ///
    /// # Errors
    /// When `uploads_url` is neither, the folder cannot be created, or the settings are invalid.
    pub fn open(
        uploads_url: &str,
        options: impl IntoIterator<Item = (String, String)>,
        max_bytes: usize,
        max_space: u64,
    ) -> Result<Self, OpenError> {
        let (files, folder) = match Url::parse(uploads_url) {
            Ok(url) if url.scheme() == "file" => {
                open_folder(url.to_file_path().map_err(|()| OpenError::UnknownKind)?)?
            }
            Ok(url) => (open_bucket(&url, options)?, None),
            Err(_) if uploads_url.is_empty() => return Err(OpenError::UnknownKind),
            Err(_) => open_folder(PathBuf::from(uploads_url))?,
        };
        let quota = Arc::new(Quota::new(max_space));
        Ok(Self { files, folder, max_bytes, quota, decoders: Arc::new(decoders()?) })
    }

    /// Checks, strips and measures a GIF, and stores it with its poster.
    ///
    /// The same GIF in the same room is stored once.
    ///
    /// # Errors
    /// When it is too large, not a GIF or a broken one, the space is used up, or the storage fails.
    pub async fn keep(&self, room: &RoomId, upload: Bytes) -> Result<Gif, MediaError> {
        if upload.len() > self.max_bytes {
            return Err(MediaError::TooLarge);
        }
        if !gif::has_gif_header(&upload) {
            return Err(MediaError::NotAGif);
        }
        let (answer, answered) = oneshot::channel();
        self.decoders.spawn(move || {
            let examined = gif::sanitize(&upload);
            let named = examined.map(|file| (HEXLOWER.encode(&Sha256::digest(&file.file)), file));
            answer.send(named).ok(); // The uploader may be gone.
        });
        let answered = answered.await.map_err(|cause| MediaError::Storage(cause.into()));
        let (hash, examined) = answered??;

        let gif = Gif { hash, facts: examined.facts };
        let [file, poster] = FileName::of(&gif).map(|name| name.path_in(room));
        let storage = |cause: object_store::Error| MediaError::Storage(cause.into());
        let known = self.size(&file).await.map_err(storage)?.is_some();
        let bytes = (examined.file.len() + examined.poster.len()) as u64;
        if !known && !self.quota.take(bytes) {
            return Err(MediaError::NoSpace);
        }
        let stored = async {
            self.files.put(&poster, examined.poster.into()).await?;
            self.files.put(&file, examined.file.into()).await
        };
        if let Err(cause) = stored.await {
            if !known {
                self.quota.give_back(bytes);
            }
            return Err(storage(cause));
        }
        Ok(gif)
    }

    /// The size of a file in bytes; `None` if it does not exist.
    async fn size(&self, path: &Path) -> object_store::Result<Option<u64>> {
        match self.files.head(path).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// The total size in bytes of the files under a prefix, or of all files.
    async fn sizes(&self, under: Option<&Path>) -> object_store::Result<u64> {
        let gifs = self
            .files
            .list(under)
            .try_filter(|meta| std::future::ready(meta.location.as_ref() != STORE_ID));
        gifs.try_fold(0, async |sum, meta| Ok(sum + meta.size)).await
    }

    /// Measures the space of all files, including changes by other servers.
    ///
    /// # Errors
    /// When the file storage cannot be read.
    pub async fn measure(&self) -> Result<(), StorageError> {
        let taken = self.sizes(None).await.map_err(|cause| StorageError(cause.into()))?;
        self.quota.set(taken);
        Ok(())
    }

    /// A GIF or poster of a room, or a range of it; `None` when no such file exists.
    ///
    /// # Errors
    /// When the range is outside the file, or the file cannot be read.
    pub async fn file(
        &self,
        room: &RoomId,
        name: &str,
        range: Option<GetRange>,
    ) -> Result<Option<MediaFile>, FileError> {
        let Some(name) = FileName::parse(name) else { return Ok(None) };
        let path = name.path_in(room);
        if let Some(range) = &range {
            let size = self.size(&path).await.map_err(|cause| FileError::Storage(cause.into()))?;
            let Some(size) = size else { return Ok(None) };
            range.as_range(size).map_err(|_| FileError::OutOfRange { size })?;
        }
        let options = GetOptions { range, ..GetOptions::default() };
        let Some(found) = present(self.files.get_opts(&path, options).await)? else {
            return Ok(None);
        };
        Ok(Some(MediaFile {
            content_type: name.content_type(),
            size: found.meta.size,
            range: found.range.clone(),
            body: found.into_stream().map_err(io::Error::from).boxed(),
        }))
    }

    /// Removes one GIF of a room and its poster, if they exist. All messages of the room with the
    /// same GIF share these files.
    ///
    /// # Errors
    /// When an existing file cannot be removed.
    pub async fn delete(&self, room: &RoomId, gif: &Gif) -> Result<(), StorageError> {
        let storage = |cause: object_store::Error| StorageError(cause.into());
        for name in FileName::of(gif) {
            let path = name.path_in(room);
            let Some(bytes) = self.size(&path).await.map_err(storage)? else { continue };
            match self.files.delete(&path).await {
                Ok(()) => self.quota.give_back(bytes),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(cause) => return Err(storage(cause)),
            }
        }
        Ok(())
    }

    /// Whether both files of a GIF are there.
    ///
    /// # Errors
    /// When the folder or bucket cannot be read.
    pub async fn has(&self, room: &RoomId, gif: &Gif) -> Result<bool, StorageError> {
        for name in FileName::of(gif) {
            let size = self.size(&name.path_in(room)).await;
            if size.map_err(|cause| StorageError(cause.into()))?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Removes every file of a room. Can be repeated.
    ///
    /// # Errors
    /// When an existing file or folder cannot be removed.
    pub async fn delete_room(&self, room: &RoomId) -> Result<(), StorageError> {
        let prefix = Path::from(room.as_str());
        let bytes = self.sizes(Some(&prefix)).await.map_err(|cause| StorageError(cause.into()))?;
        self.remove_all(room, &prefix).await?;
        self.quota.give_back(bytes);
        Ok(())
    }

    async fn remove_all(&self, room: &RoomId, prefix: &Path) -> Result<(), StorageError> {
        if let Some(folder) = &self.folder {
            return match tokio::fs::remove_dir_all(folder.join(room.as_str())).await {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    Err(StorageError(cause.into()))
                }
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let found = self.files.list(Some(prefix));
        let paths = found.map_ok(|meta| meta.location).boxed();
        let mut deleted = self.files.delete_stream(paths);
        while let Some(outcome) = deleted.next().await {
            match outcome {
                Ok(_) | Err(object_store::Error::NotFound { .. }) => {}
                Err(cause) => return Err(StorageError(cause.into())),
            }
        }
        Ok(())
    }

    /// The rooms with files in the storage, including closed rooms.
    ///
    /// # Errors
    /// When the file storage cannot be read.
    pub async fn rooms(&self) -> Result<Vec<RoomId>, StorageError> {
        let top = self.files.list_with_delimiter(None).await;
        let prefixes = top.map_err(|cause| StorageError(cause.into()))?.common_prefixes;
        Ok(prefixes.iter().filter_map(|path| RoomId::parse(path.as_ref()).ok()).collect())
    }
}

fn present<T>(found: object_store::Result<T>) -> Result<Option<T>, FileError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(cause) => Err(FileError::Storage(cause.into())),
    }
}

#[cfg(test)]
#[path = "../../tests/common/gifs.rs"]
mod gifs;
#[cfg(test)]
mod tests;
