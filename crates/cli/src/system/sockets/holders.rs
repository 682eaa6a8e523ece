//! Which process holds which socket, from the links in `/proc/<pid>/fd`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::Socket;

/// Writes down who holds each socket, as far as one may know.
pub(super) fn find(sockets: &mut [Socket]) {
    let mut holders: BTreeMap<u64, (String, u32)> = BTreeMap::new();
    let wanted: BTreeSet<u64> = sockets.iter().map(|socket| socket.inode).collect();
    let Ok(processes) = fs::read_dir("/proc") else { return };
    for process in processes.flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else { continue };
        for descriptor in descriptors.flatten() {
            let Ok(target) = fs::read_link(descriptor.path()) else { continue };
            let inode = target.to_str().and_then(|text| text.strip_prefix("socket:[")?.strip_suffix(']'));
            let Some(inode) = inode.and_then(|inode| inode.parse().ok()) else { continue };
            if wanted.contains(&inode) {
                holders.entry(inode).or_insert_with(|| (name_of(&process.path()), pid));
            }
        }
    }
    for socket in sockets {
        socket.process = holders.get(&socket.inode).cloned();
    }
}

fn name_of(process: &Path) -> String {
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    name.trim_end().to_owned()
}
