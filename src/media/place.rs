//! The place for files: a folder or a bucket, which belongs to one store.

use std::{io, path::PathBuf, sync::Arc};

use object_store::{
    ObjectStore, ObjectStoreExt as _, ObjectStoreScheme, PutMode, PutOptions, PutPayload,
    local::LocalFileSystem, path::Path, prefix::PrefixStore,
};
use url::Url;

use super::Media;
use crate::domain::StoreId;

/// The name of the object that says which store the files belong to.
pub(super) const STORE_ID: &str = "store-id";

/// The reason for not opening the file storage.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Neither a folder nor a bucket.
    #[error("expected a folder, file:///folder or s3://bucket/prefix")]
    UnknownKind,
    /// The folder cannot be created or accessed.
    #[error("the folder {} cannot be used: {cause}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        #[source]
        cause: io::Error,
    },
    /// The files belong to another store.
    #[error(
        "these files belong to another database: the file {STORE_ID} there says {found}, and this \
         database is {expected}. Give each database its own UPLOADS_URL; if this one replaces the \
         other, remove that file"
    )]
    OtherStore {
        /// The id beside the files.
        found: String,
        /// The id of this store.
        expected: StoreId,
    },
    /// The settings are inconsistent.
    #[error("{0}")]
    Settings(#[from] object_store::Error),
    /// The decoding threads cannot be started.
    #[error("no threads to decode GIFs: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl Media {
    /// Makes sure that the files belong to this store: the first one to use them writes its id beside
    /// them. A second store would take all files of the first for leftovers of closed rooms.
    ///
    /// # Errors
    /// When they belong to another store, or the storage fails.
    pub async fn claim(&self, store: &StoreId) -> Result<(), OpenError> {
        let path = Path::from(STORE_ID);
        let content = || PutPayload::from(format!("{store}\n"));
        let create = PutOptions::from(PutMode::Create);
        match self.files.put_opts(&path, content(), create).await {
            Ok(_) => return Ok(()),
            Err(object_store::Error::AlreadyExists { .. }) => {}
            // Some buckets have no conditional writes.
            Err(object_store::Error::NotImplemented { .. }) => {
                if self.size(&path).await?.is_none() {
                    self.files.put(&path, content()).await?;
                }
            }
            Err(cause) => return Err(cause.into()),
        }
        let found = self.files.get(&path).await?.bytes().await?;
        let found = String::from_utf8_lossy(&found).trim().to_owned();
        if found == store.as_str() {
            return Ok(());
        }
        Err(OpenError::OtherStore { found, expected: store.clone() })
    }
}

pub(super) fn open_folder(
    folder: PathBuf,
) -> Result<(Arc<dyn ObjectStore>, Option<PathBuf>), OpenError> {
    if let Err(cause) = std::fs::create_dir_all(&folder) {
        return Err(OpenError::Folder { folder, cause });
    }
    let files = LocalFileSystem::new_with_prefix(&folder)?;
    Ok((Arc::new(files), Some(folder)))
}

pub(super) fn open_bucket(
    url: &Url,
    options: impl IntoIterator<Item = (String, String)>,
) -> Result<Arc<dyn ObjectStore>, OpenError> {
    match ObjectStoreScheme::parse(url) {
        Ok((ObjectStoreScheme::AmazonS3, _)) => {
            // An error means that a provider is already installed.
            rustls::crypto::ring::default_provider().install_default().ok();
        }
        Ok((ObjectStoreScheme::Memory, _)) => {}
        Ok(_) | Err(_) => return Err(OpenError::UnknownKind),
    }
    let (bucket, prefix) = object_store::parse_url_opts(url, options)?;
    Ok(Arc::new(PrefixStore::new(bucket, prefix)))
}
