//! Network file systems are refused: SQLite's write-ahead log needs memory that all who read a store share, and
//! locks that hold, and neither is promised there. Backups may lie anywhere.

use super::{StoreError, private};
use std::path::Path;

/// What Linux calls file systems that lie on another machine. `fuse.NAME` are programs that look like one.
const NETWORK: &[&str] = &[
    "9p",
    "afs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "fuse.afpfs-ng",
    "fuse.blobfuse2",
    "fuse.ceph",
    "fuse.curlftpfs",
    "fuse.davfs",
    "fuse.davfs2",
    "fuse.gcsfuse",
    "fuse.glusterfs",
    "fuse.gvfsd-fuse",
    "fuse.juicefs",
    "fuse.kio-fuse",
    "fuse.mount-s3",
    "fuse.rclone",
    "fuse.s3fs",
    "fuse.smbnetfs",
    "fuse.sshfs",
    "glusterfs",
    "gpfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "panfs",
    "smb3",
    "smbfs",
];

/// Whether a store may not lie on a file system of this name.
pub fn is_network(kind: &str) -> bool {
    NETWORK.contains(&kind)
}

/// The name of the file system that `path` lies on, by the text of `/proc/self/mountinfo`. `path` is absolute and
/// free of links.
pub fn kind_of<'a>(mountinfo: &'a str, path: &Path) -> Option<&'a str> {
    let mounts = mountinfo.lines().filter_map(|line| {
        let (mount, source) = line.split_once(" - ")?;
        let point = unescaped(mount.split(' ').nth(4)?);
        path.starts_with(&point).then_some((point.len(), source.split(' ').next()?))
    });
    // The longest is the nearest; of equals the last was mounted over the others.
    mounts.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

/// Blanks and the like are written in octal: `\040`.
fn unescaped(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let byte = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        out.push(byte.map_or('\\', char::from));
        out.push_str(if byte.is_some() { &part[3..] } else { part });
    }
    out
}

/// Refuses a store on a network file system. Where the system does not tell, it passes.
pub(super) fn refuse(db: &Path) -> Result<(), StoreError> {
    let Ok(mountinfo) = std::fs::read_to_string("/proc/self/mountinfo") else { return Ok(()) };
    let Ok(directory) = private::directory(db).canonicalize() else { return Ok(()) };
    match kind_of(&mountinfo, &directory).filter(|kind| is_network(kind)) {
        Some(kind) => {
            Err(StoreError::Network { path: db.display().to_string(), kind: crate::model::clean(kind) })
        }
        None => Ok(()),
    }
}
