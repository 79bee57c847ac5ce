//! The folder of everything that one local process keeps: readable to its owner only, and used by
//! one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use app::secret::{MasterKey, random_token};
use serde::{Deserialize, Serialize};

/// An open data folder. The lock goes with the process, however it ends.
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

/// The secrets of this installation, made at its first start.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Keys {
    /// Whoever loses it can read no access token any more.
    pub(crate) master_key: String,
    /// What the simulator signs webhooks with.
    pub(crate) app_secret: String,
    pub(crate) verify_token: String,
    /// What the simulator accepts.
    pub(crate) simulator_token: String,
}

impl DataFolder {
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let context = || format!("the data folder {} cannot be used", path.display());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(context)?;
        let lock = private()
            .create(true)
            .truncate(false)
            .open(path.join("lock"))
            .with_context(context)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => {
                bail!(
                    "another process is using the data folder {}",
                    path.display()
                )
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(context),
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The keys; at the first start they are made.
    pub(crate) fn keys(&self) -> anyhow::Result<Keys> {
        let path = self.file("keys.json");
        let context = || format!("{} cannot be read", path.display());
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).with_context(context),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let keys = Keys::fresh();
                self.keep(&path, &serde_json::to_vec_pretty(&keys)?)
                    .with_context(|| format!("{} cannot be written", path.display()))?;
                Ok(keys)
            }
            Err(error) => Err(error).with_context(context),
        }
    }

    /// Writes a file that only its owner may read, whole or not at all.
    fn keep(&self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let unfinished = self.file("keys.unfinished");
        let mut file = private().create(true).truncate(true).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(unfinished, path)
    }
}

impl Keys {
    fn fresh() -> Self {
        Self {
            master_key: MasterKey::generate(),
            app_secret: random_token(),
            verify_token: random_token(),
            simulator_token: random_token(),
        }
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_folder_and_the_keys_are_the_owners_alone() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let folder = DataFolder::open(&path).unwrap();
        folder.keys().unwrap();
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&folder.file("keys.json")), 0o600);
    }

    #[test]
    fn the_keys_stay_what_they_were() {
        let parent = tempfile::tempdir().unwrap();
        let first = DataFolder::open(parent.path()).unwrap().keys().unwrap();
        let second = DataFolder::open(parent.path()).unwrap().keys().unwrap();
        assert_eq!(first.master_key, second.master_key);
    }

    #[test]
    fn a_second_process_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let first = DataFolder::open(parent.path()).unwrap();
        assert!(DataFolder::open(parent.path()).is_err());
        drop(first);
        assert!(DataFolder::open(parent.path()).is_ok());
    }
}
