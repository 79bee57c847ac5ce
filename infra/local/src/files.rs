//! Files in a folder, behind URLs that are good for one thing and for a while.
//!
//! It stands in for S3 with presigned URLs, so the browser uploads and downloads in the same way.
//! Invariants: a key names a file below the folder or is refused; a file appears whole or not at
//! all; nothing is served or taken without a valid signature.

mod routes;
mod signature;

#[cfg(test)]
mod tests;

use std::io::SeekFrom;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use app::Error;
use app::ports::{Clock, Files, Presigned, Served};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{BoxStream, Stream, StreamExt};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tempfile::NamedTempFile;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt, AsyncWriteExt};
use tokio_util::io::ReaderStream;

use signature::{Grant, Signer};

/// Unfinished files. No key can name it: a part of a key does not begin with a dot.
const UNFINISHED: &str = ".unfinished";

/// How much is read at a time.
const READ: usize = 64 * 1024;

/// The files of the local process.
#[derive(Clone)]
pub struct LocalFiles(Arc<Parts>);

struct Parts {
    folder: PathBuf,
    public_url: String,
    signer: Signer,
    clock: Arc<dyn Clock>,
}

impl LocalFiles {
    /// Opens a folder and throws away what a dead process did not finish.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn open(
        folder: &Path,
        public_url: &str,
        secret: &[u8],
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let unfinished = folder.join(UNFINISHED);
        match std::fs::remove_dir_all(&unfinished) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::create_dir_all(&unfinished)?;
        Ok(Self(Arc::new(Parts {
            folder: folder.to_owned(),
            public_url: public_url.trim_end_matches('/').to_owned(),
            signer: Signer::new(secret),
            clock,
        })))
    }

    /// The routes below `/_files/`.
    pub fn router(&self) -> axum::Router {
        routes::router(self.clone())
    }

    fn presign(&self, key: &str, grant: &Grant, expires: Duration) -> Result<Presigned, Error> {
        self.path(key)?;
        let until = self.0.clock.now() + expires;
        let until = until.as_second();
        let signature = self.0.signer.sign(key, grant, until);
        let extra = match grant {
            Grant::Put { size } => format!("size={size}"),
            Grant::Get { name, mime_type } => {
                let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
                match mime_type {
                    Some(mime_type) => format!("name={name}&type={mime_type}"),
                    None => format!("name={name}"),
                }
            }
        };
        let base = &self.0.public_url;
        Ok(Presigned {
            url: format!("{base}/_files/{key}?expires={until}&{extra}&signature={signature}"),
            headers: Vec::new(),
        })
    }

    /// Whether a signature allows the grant now.
    fn allows(&self, key: &str, grant: &Grant, until: i64, signature: &str) -> bool {
        let valid = self.0.signer.verify(key, grant, until, signature);
        valid && self.0.clock.now().as_second() < until
    }

    /// Where a key's file is. The only way from a key to a path.
    fn path(&self, key: &str) -> Result<PathBuf, Error> {
        if key.len() <= 512 && key.split('/').all(is_plain) {
            Ok(self.0.folder.join(key))
        } else {
            Err(Error::broken("a file's key has a form that is not allowed"))
        }
    }

    async fn find(&self, key: &str) -> Result<Option<(File, u64)>, Error> {
        let file = match File::open(self.path(key)?).await {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let found = file.metadata().await.map_err(unreadable)?;
        Ok(found.is_file().then_some((file, found.len())))
    }

    /// Writes a file of at most `max` bytes from a stream and puts it in its place when it is whole.
    async fn write<E: std::fmt::Display>(
        &self,
        key: &str,
        mut bytes: impl Stream<Item = Result<Bytes, E>> + Unpin,
        size: u64,
    ) -> Result<(), Refused> {
        let path = self.path(key).map_err(Refused::Failed)?;
        let unfinished =
            NamedTempFile::new_in(self.0.folder.join(UNFINISHED)).map_err(Refused::disk)?;
        // The path removes the file when it is dropped before the end.
        let (file, unfinished) = unfinished.into_parts();
        let mut file = File::from_std(file);
        let mut written = 0;
        while let Some(chunk) = bytes.next().await {
            let chunk = chunk.map_err(|error| Refused::CutOff(error.to_string()))?;
            written += chunk.len() as u64;
            if written > size {
                return Err(Refused::TooLarge);
            }
            file.write_all(&chunk).await.map_err(Refused::disk)?;
        }
        if written < size {
            return Err(Refused::CutOff(format!(
                "{written} of {size} bytes arrived"
            )));
        }
        file.sync_all().await.map_err(Refused::disk)?;
        if let Some(parent) = path.parent() {
            tokio::fs::create_dir_all(parent)
                .await
                .map_err(Refused::disk)?;
        }
        unfinished
            .persist(&path)
            .map_err(|error| Refused::disk(error.error))
    }
}

impl Files for LocalFiles {
    fn presign_put(
        &self,
        key: &str,
        size: u64,
        expires: Duration,
    ) -> BoxFuture<'_, Result<Presigned, Error>> {
        let presigned = self.presign(key, &Grant::Put { size }, expires);
        Box::pin(std::future::ready(presigned))
    }

    fn presign_get(
        &self,
        key: &str,
        served: Served<'_>,
        expires: Duration,
    ) -> BoxFuture<'_, Result<Presigned, Error>> {
        let grant = Grant::Get {
            name: served.name.to_owned(),
            mime_type: served.mime_type,
        };
        let presigned = self.presign(key, &grant, expires);
        Box::pin(std::future::ready(presigned))
    }

    fn size(&self, key: &str) -> BoxFuture<'_, Result<Option<u64>, Error>> {
        let key = key.to_owned();
        Box::pin(async move { Ok(self.find(&key).await?.map(|(_, size)| size)) })
    }

    fn open(
        &self,
        key: &str,
        offset: u64,
    ) -> BoxFuture<'_, Result<BoxStream<'static, std::io::Result<Bytes>>, Error>> {
        let key = key.to_owned();
        Box::pin(async move {
            let (mut file, _) = self
                .find(&key)
                .await?
                .ok_or_else(|| Error::not_found("the file"))?;
            file.seek(SeekFrom::Start(offset))
                .await
                .map_err(unreadable)?;
            Ok(ReaderStream::with_capacity(file, READ).boxed())
        })
    }

    fn put(&self, key: &str, bytes: Bytes) -> BoxFuture<'_, Result<(), Error>> {
        let key = key.to_owned();
        Box::pin(async move {
            let size = bytes.len() as u64;
            let whole = futures::stream::iter([Ok::<_, std::convert::Infallible>(bytes)]);
            self.write(&key, whole, size)
                .await
                .map_err(|refused| match refused {
                    Refused::Failed(error) => error,
                    Refused::TooLarge | Refused::CutOff(_) => {
                        Error::broken("a file was not written whole")
                    }
                })
        })
    }

    fn delete(&self, key: &str) -> BoxFuture<'_, Result<(), Error>> {
        let path = self.path(key);
        Box::pin(async move {
            match tokio::fs::remove_file(path?).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(Error::unavailable("a file cannot be deleted", error))
                }
                Ok(()) | Err(_) => Ok(()),
            }
        })
    }
}

/// Why an upload was not kept.
enum Refused {
    TooLarge,
    CutOff(String),
    Failed(Error),
}

impl Refused {
    fn disk(error: std::io::Error) -> Self {
        Self::Failed(Error::unavailable("a file cannot be written", error))
    }
}

fn unreadable(error: std::io::Error) -> Error {
    Error::unavailable("a file cannot be read", error)
}

/// A part of a key that means itself on every file system and in every URL.
fn is_plain(part: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !part.is_empty() && !part.starts_with('.') && part.bytes().all(plain)
}
