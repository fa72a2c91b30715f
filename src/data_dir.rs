//! The data folder: the database file and the cookie secret, for the server's own user alone.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use data_encoding::BASE64URL_NOPAD;
use tracing::{info, warn};

/// Mode of the folder, and of the files in it.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// The bit of a folder that all users share, such as `/tmp`. Its mode is not ours to change.
const STICKY: u32 = 0o1000;
/// Length of a new secret, in random bytes; its text is a third longer.
const SECRET_BYTES: usize = 48;

/// Why the folder cannot be used. The text names the setting, the path and the cause.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be made, read or written.
    #[error("DATA_DIR={path}: {1}", path = .0.display())]
    Folder(PathBuf, #[source] io::Error),
    /// A file in it cannot be made, read or written.
    #[error("DATA_DIR: {path}: {1}", path = .0.display())]
    File(PathBuf, #[source] io::Error),
}

/// The folder, which exists and which only this user can read.
pub struct DataDir(PathBuf);

impl DataDir {
    /// Makes the folder if it does not exist, and takes the access of other users from it and from
    /// the files that this program keeps in it.
    ///
    /// # Errors
    /// When the folder cannot be made or listed.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let failed = |cause| Error::Folder(path.to_owned(), cause);
        DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path).map_err(failed)?;
        restrict(path, FOLDER_MODE).map_err(failed)?;
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name == "cookie-secret" || name.starts_with("huechat.") {
                restrict(&entry.path(), FILE_MODE).map_err(failed)?;
            }
        }
        Ok(Self(path.to_owned()))
    }

    /// The path of the database file, which exists then. SQLite gives its other files the same mode.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn database(&self) -> Result<PathBuf, Error> {
        let path = self.0.join("huechat.sqlite3");
        let made = OpenOptions::new().append(true).create(true).mode(FILE_MODE).open(&path);
        made.map_err(|cause| Error::File(path.clone(), cause))?;
        Ok(path)
    }

    /// The secret in the folder, which the first start generates: text, so that it can also be
    /// given by a setting, to another server or after a rotation.
    ///
    /// # Errors
    /// When the file cannot be made or read, or has fewer than `min` bytes.
    pub fn cookie_secret(&self, min: usize) -> Result<Vec<u8>, Error> {
        let path = self.0.join("cookie-secret");
        read_or_make_secret(&path, min).map_err(|cause| Error::File(path, cause))
    }
}

fn read_or_make_secret(path: &Path, min: usize) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(secret) if secret.len() >= min => return Ok(without_line_end(secret)),
        Ok(_) => return Err(io::Error::other("is too short: remove it for a new one")),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let secret = BASE64URL_NOPAD.encode(&rand::random::<[u8; SECRET_BYTES]>());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    info!(file = %path.display(), "made a cookie secret");
    Ok(secret.into_bytes())
}

/// Editors end a text with a line end. Secrets of version 0.1 are not text, and any byte of them
/// counts.
fn without_line_end(mut secret: Vec<u8>) -> Vec<u8> {
    if let Some((b'\n', text)) = secret.split_last()
        && text.iter().all(u8::is_ascii_graphic)
    {
        secret.pop();
    }
    secret
}

/// Takes the access of other users from a file or folder.
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    let found = fs::metadata(path)?.permissions().mode();
    let (others, sticky) = (found & 0o077, found & STICKY);
    if others == 0 || sticky != 0 {
        return Ok(());
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(mode)) {
        Ok(()) => info!(path = %path.display(), "took the access of other users away"),
        Err(error) => {
            warn!(path = %path.display(), %error, "other users have access, and it cannot be taken away");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_was_edited_stays_the_same_and_an_old_one_keeps_every_byte() {
        assert_eq!(without_line_end(b"abc\n".to_vec()), b"abc");
        assert_eq!(without_line_end(b"abc".to_vec()), b"abc");
        assert_eq!(without_line_end(b"\xffbc\n".to_vec()), b"\xffbc\n");
    }
}
