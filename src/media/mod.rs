//! The GIFs that people share: taken in, kept beside their still posters, given out, removed.
//!
//! A file is named by its content and lies under its room: `{room}/{sha256}.gif` and `.png`, in
//! a folder or in a bucket. No part of a name or path comes from outside without being parsed.

mod gif;
mod name;
mod space;

use std::{io, ops::Range, path::PathBuf, sync::Arc, thread};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use object_store::{
    GetOptions, ObjectStore, ObjectStoreExt as _, ObjectStoreScheme, local::LocalFileSystem,
    path::Path, prefix::PrefixStore,
};
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

pub use gif::Flaw;
use name::FileName;
pub use object_store::GetRange;
use space::Space;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the place for files cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither a folder nor a bucket.
    #[error("expected a folder, file:///folder or s3://bucket/prefix")]
    UnknownKind,
    /// A folder that cannot be made or reached.
    #[error("the folder {} cannot be used: {cause}", folder.display())]
    Folder {
        /// Which one.
        folder: PathBuf,
        /// What the system said.
        #[source]
        cause: io::Error,
    },
    /// Settings that do not fit together.
    #[error("{0}")]
    Settings(#[from] object_store::Error),
    /// The threads that decode cannot be started.
    #[error("no threads to decode GIFs: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

/// Why a GIF was not taken in.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// Something else, whatever its name says.
    #[error("this file is not a GIF")]
    NotAGif,
    /// Broken, or larger inside than out.
    #[error("this GIF cannot be used: {0}")]
    BadGif(#[from] Flaw),
    /// More bytes than this server takes.
    #[error("this GIF is too large")]
    TooLarge,
    /// All files together would take more than they may.
    #[error("there is no room for more files")]
    NoSpace,
    /// The place for files is in trouble. The cause is for the log.
    #[error("the file could not be kept")]
    Storage(#[source] Cause),
}

/// Why a file that is there could not be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It has no such part.
    #[error("the file has {size} bytes, and none where they were asked for")]
    OutOfRange {
        /// Size of the whole file, in bytes.
        size: u64,
    },
    /// The place for files is in trouble. The cause is for the log.
    #[error("the file could not be read")]
    Storage(#[source] Cause),
}

/// The place for files is in trouble. Its words are for the log, never for a visitor.
#[derive(Debug, thiserror::Error)]
#[error("the place for files failed: {0}")]
pub struct StorageError(#[source] Cause);

/// A file, or the part of it that was asked for, on its way out.
pub struct MediaFile {
    /// `image/gif`, or `image/png` for a poster.
    pub content_type: &'static str,
    /// Size of the whole file, in bytes.
    pub size: u64,
    /// Which of its bytes follow.
    pub range: Range<u64>,
    /// The bytes.
    pub body: BoxStream<'static, io::Result<Bytes>>,
}

/// Where GIFs are kept.
#[derive(Clone)]
pub struct Media {
    files: Arc<dyn ObjectStore>,
    /// The folder, when it is one: an object store knows no folders, and would leave them behind.
    folder: Option<PathBuf>,
    max_bytes: usize,
    space: Arc<Space>,
    decoders: Arc<ThreadPool>,
}

/// Threads that decode: one a core, as more would only take memory. They run when nothing else wants to, and
/// stop at once when something does, so that those who talk do not wait for those who share.
fn decoders() -> Result<ThreadPool, OpenError> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(thread::available_parallelism().map_or(1, usize::from))
        .thread_name(|n| format!("gif-{n}"))
        .start_handler(|_| {
            let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
            let me = thread_native_id();
            if let Err(cause) = set_thread_priority_and_policy(me, ThreadPriority::Min, idle) {
                warn!(?cause, "GIFs are decoded at the same priority as everything else");
            }
        })
        .panic_handler(|_| {}); // Its own message has said why; whoever waits is told.
    Ok(pool.build()?)
}

impl Media {
    /// Opens the place for files: a folder, which is made if it is not there, given by its path
    /// or as `file:///folder`, or `s3://bucket/prefix`. `options` are the settings of the bucket
    /// under the names of their usual variables, such as `AWS_ACCESS_KEY_ID`; others are ignored. A GIF
    /// has at most `max_bytes`, all files together `max_space`; what is there already counts once it is
    /// [measured](Self::measure).
    ///
    /// # Errors
    /// When `uploads_url` is neither, the folder cannot be made, or the settings do not fit.
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
        let space = Arc::new(Space::new(max_space));
        Ok(Self { files, folder, max_bytes, space, decoders: Arc::new(decoders()?) })
    }

    /// Takes a GIF in: checks, cleans and measures it, and keeps it with its poster.
    ///
    /// The same GIF in the same room is kept once.
    ///
    /// # Errors
    /// When it is too large, not a GIF or a bad one, or cannot be stored, among others for want of space.
    pub async fn keep(&self, room: &RoomId, upload: Bytes) -> Result<Gif, MediaError> {
        if upload.len() > self.max_bytes {
            return Err(MediaError::TooLarge);
        }
        if !gif::claims_to_be_one(&upload) {
            return Err(MediaError::NotAGif);
        }
        let (answer, answered) = oneshot::channel();
        self.decoders.spawn(move || {
            let examined = gif::examine(&upload);
            let named = examined.map(|file| (HEXLOWER.encode(&Sha256::digest(&file.file)), file));
            answer.send(named).ok(); // They have hung up.
        });
        let answered = answered.await.map_err(|cause| MediaError::Storage(cause.into()));
        let (hash, examined) = answered??;

        let gif = Gif { hash, facts: examined.facts };
        let [file, poster] = FileName::of(&gif).map(|name| name.path_in(room));
        let storage = |cause: object_store::Error| MediaError::Storage(cause.into());
        let known = self.size(&file).await.map_err(storage)?.is_some();
        let bytes = (examined.file.len() + examined.poster.len()) as u64;
        if !known && !self.space.take(bytes) {
            return Err(MediaError::NoSpace);
        }
        let stored = async {
            self.files.put(&poster, examined.poster.into()).await?;
            self.files.put(&file, examined.file.into()).await
        };
        if let Err(cause) = stored.await {
            if !known {
                self.space.give_back(bytes);
            }
            return Err(storage(cause));
        }
        Ok(gif)
    }

    /// How large a file is, if it is there.
    async fn size(&self, path: &Path) -> object_store::Result<Option<u64>> {
        match self.files.head(path).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(cause) => Err(cause),
        }
    }

    /// How much the files under a prefix take, or all of them.
    async fn sizes(&self, under: Option<&Path>) -> object_store::Result<u64> {
        self.files.list(under).try_fold(0, async |sum, meta| Ok(sum + meta.size)).await
    }

    /// Finds out how much all files take, whoever has kept and removed them.
    ///
    /// # Errors
    /// When the place for files cannot be read.
    pub async fn measure(&self) -> Result<(), StorageError> {
        let taken = self.sizes(None).await.map_err(|cause| StorageError(cause.into()))?;
        self.space.set(taken);
        Ok(())
    }

    /// A GIF or a poster of a room, or part of one; `None` when there is none of this name.
    ///
    /// # Errors
    /// When the file has no such part, or cannot be read.
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

    /// Removes one GIF of a room and its poster; does nothing when they are gone.
    /// Every message that shows the same GIF in this room shares these files.
    ///
    /// # Errors
    /// When a file is there and cannot be removed.
    pub async fn delete(&self, room: &RoomId, gif: &Gif) -> Result<(), StorageError> {
        let storage = |cause: object_store::Error| StorageError(cause.into());
        for name in FileName::of(gif) {
            let path = name.path_in(room);
            let Some(bytes) = self.size(&path).await.map_err(storage)? else { continue };
            match self.files.delete(&path).await {
                Ok(()) => self.space.give_back(bytes),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(cause) => return Err(storage(cause)),
            }
        }
        Ok(())
    }

    /// Removes every file of a room; does nothing when there is none, so it can be repeated.
    ///
    /// # Errors
    /// When something is there and cannot be removed.
    pub async fn delete_room(&self, room: &RoomId) -> Result<(), StorageError> {
        let prefix = Path::from(room.as_str());
        let bytes = self.sizes(Some(&prefix)).await.map_err(|cause| StorageError(cause.into()))?;
        self.remove_all(room, &prefix).await?;
        self.space.give_back(bytes);
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

    /// The rooms that files are kept for, whether or not they still exist.
    ///
    /// # Errors
    /// When the place for files cannot be read.
    pub async fn rooms(&self) -> Result<Vec<RoomId>, StorageError> {
        let top = self.files.list_with_delimiter(None).await;
        let prefixes = top.map_err(|cause| StorageError(cause.into()))?.common_prefixes;
        Ok(prefixes.iter().filter_map(|path| RoomId::parse(path.as_ref()).ok()).collect())
    }
}

fn open_folder(folder: PathBuf) -> Result<(Arc<dyn ObjectStore>, Option<PathBuf>), OpenError> {
    if let Err(cause) = std::fs::create_dir_all(&folder) {
        return Err(OpenError::Folder { folder, cause });
    }
    let files = LocalFileSystem::new_with_prefix(&folder)?;
    Ok((Arc::new(files), Some(folder)))
}

fn open_bucket(
    url: &Url,
    options: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, OpenError> {
    match ObjectStoreScheme::parse(url) {
        Ok((ObjectStoreScheme::AmazonS3, _)) => {
            // It fails when another part of the process was first, and then there is one already.
            rustls::crypto::ring::default_provider().install_default().ok();
        }
        Ok((ObjectStoreScheme::Memory, _)) => {}
        Ok(_) | Err(_) => return Err(OpenError::UnknownKind),
    }
    let (bucket, prefix) = object_store::parse_url_opts(url, options)?;
    Ok(Arc::new(PrefixStore::new(bucket, prefix)))
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
