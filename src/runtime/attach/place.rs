//! Where the socket lies: beside the store where that directory is ours alone and the path is not too long for a
//! socket, else in the user's own runtime directory, else in one that is made for it.
//!
//! Nobody else can put anything there, so that no name is ever somebody's trap.

use sha2::{Digest as _, Sha256};
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::net::{UnixListener, UnixStream};

/// Rights of others that would let them put files into a directory.
const OTHERS_WRITE: u32 = 0o022;

/// Our own user, as the system names the ends of a socket.
pub fn own_user() -> io::Result<u32> {
    Ok(UnixStream::pair()?.0.peer_cred()?.uid())
}

/// Listens for consoles of the store, which the caller has locked: whatever socket is left there is nobody's any more.
pub fn listen(store: &Path, user: u32) -> io::Result<(UnixListener, PathBuf)> {
    let mut why = None;
    for candidate in [beside(store), in_runtime_dir(store), in_temp_dir(store, user)] {
        let bound = candidate.and_then(|path| bind(&path, user).map(|listener| (listener, path)));
        match bound {
            Ok(bound) => return Ok(bound),
            Err(error) => why = why.or(Some(error)),
        }
    }
    Err(why.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

fn beside(store: &Path) -> io::Result<PathBuf> {
    let mut name = store.file_name().unwrap_or_default().to_owned();
    name.push(".sock");
    std::path::absolute(store.with_file_name(name))
}

fn in_runtime_dir(store: &Path) -> io::Result<PathBuf> {
    let dir = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| Path::new(dir).is_absolute());
    let dir = dir.ok_or(io::ErrorKind::NotFound)?;
    Ok(Path::new(&dir).join(format!("cascade-{}.sock", tag(store)?)))
}

fn in_temp_dir(store: &Path, user: u32) -> io::Result<PathBuf> {
    let dir = std::env::temp_dir().join(format!("cascade-{user}"));
    match DirBuilder::new().mode(0o700).create(&dir) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    Ok(dir.join(format!("{}.sock", tag(store)?)))
}

/// Sixteen letters that no other store of this machine has.
fn tag(store: &Path) -> io::Result<String> {
    let path = store.canonicalize()?;
    Ok(hex::encode(&Sha256::digest(path.as_os_str().as_encoded_bytes())[..8]))
}

fn bind(path: &Path, user: u32) -> io::Result<UnixListener> {
    // The lock file names it in a line of text.
    if path.to_str().is_none_or(|text| text.contains(['\n', '\r'])) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "its path is not plain text"));
    }
    SocketAddr::from_pathname(path)?;
    ours_alone(path.parent().unwrap_or(path), user)?;
    match fs::symlink_metadata(path) {
        Ok(left) if left.file_type().is_socket() && left.uid() == user => fs::remove_file(path)?,
        Ok(_) => {
            let what = format!("{} is there and is no socket of ours", path.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// A directory of this user, no link to one, into which nobody else can put anything.
fn ours_alone(dir: &Path, user: u32) -> io::Result<()> {
    let found = fs::symlink_metadata(dir)?;
    if found.is_dir() && found.uid() == user && found.mode() & OTHERS_WRITE == 0 {
        return Ok(());
    }
    let what = format!("{} is not a directory that this user alone may write", dir.display());
    Err(io::Error::new(io::ErrorKind::PermissionDenied, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[tokio::test]
    async fn it_lies_beside_the_store_for_its_owner_alone_and_a_dead_one_is_replaced() {
        let (dir, user) = (tempfile::tempdir().unwrap(), own_user().unwrap());
        let store = dir.path().join("rehearsal.db");
        fs::write(&store, "").unwrap();
        let (first, path) = listen(&store, user).unwrap();
        assert_eq!((path.as_path(), mode(&path)), (dir.path().join("rehearsal.db.sock").as_path(), 0o600));
        drop(first);
        assert!(path.exists(), "a killed process leaves it behind");
        let (_second, path) = listen(&store, user).unwrap();
        UnixStream::connect(&path).await.unwrap();
    }

    #[tokio::test]
    async fn a_path_too_long_for_a_socket_gets_a_short_one_elsewhere() {
        let (dir, user) = (tempfile::tempdir().unwrap(), own_user().unwrap());
        let deep = dir.path().join("d".repeat(120));
        fs::create_dir(&deep).unwrap();
        let store = deep.join("rehearsal.db");
        fs::write(&store, "").unwrap();
        let (_listener, path) = listen(&store, user).unwrap();
        assert!(path.as_os_str().len() < 100 && !path.starts_with(dir.path()), "{}", path.display());
        assert_eq!(mode(&path), 0o600);
        UnixStream::connect(&path).await.unwrap();
        fs::remove_file(&path).unwrap();
    }

    #[tokio::test]
    async fn what_others_could_have_put_there_is_left_alone() {
        let (dir, user) = (tempfile::tempdir().unwrap(), own_user().unwrap());
        let (target, link) = (dir.path().join("target"), dir.path().join("a.sock"));
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let refused = bind(&link, user).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists, "{refused}");
        assert!(!target.exists() && link.is_symlink());
        let open = dir.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        let refused = bind(&open.join("a.sock"), user).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::PermissionDenied, "{refused}");
        let through = dir.path().join("through");
        std::os::unix::fs::symlink(dir.path(), &through).unwrap();
        assert!(bind(&through.join("b.sock"), user).is_err(), "a directory that is a link is nobody's");
    }
}
