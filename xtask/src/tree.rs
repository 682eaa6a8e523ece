//! The tree of files that the checks read, held in memory so that tests can build one by hand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::source::Source;

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 6] = ["target", ".git", "corpus", "artifacts", "node_modules", "coverage"];

/// Endings of the files that are read as text.
const TEXT: [&str; 6] = ["md", "toml", "sh", "aperto", "json", "txt"];

/// All text files of the project, by their path from the root with `/` between folders.
#[derive(Default, Debug)]
pub(crate) struct Tree {
    /// Where the tree stands on disk; empty for a tree made by a test.
    pub root: PathBuf,
    /// Rust files, taken apart into code and comments.
    pub sources: BTreeMap<String, Source>,
    /// Other text files.
    pub texts: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the tree below `root`.
    pub(crate) fn read(root: &Path) -> Result<Self, String> {
        let mut tree = Self { root: root.to_path_buf(), ..Self::default() };
        tree.read_folder(root, "")?;
        tree.mark_test_files();
        Ok(tree)
    }

    /// A tree of these files, for tests.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (path, text) in files {
            tree.add(path, (*text).to_owned());
        }
        tree.mark_test_files();
        tree
    }

    /// Writes a file below the root.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<(), String> {
        let full = self.root.join(path);
        if let Some(folder) = full.parent() {
            std::fs::create_dir_all(folder).map_err(|e| format!("{path}: cannot make its folder: {e}"))?;
        }
        std::fs::write(&full, text).map_err(|e| format!("{path}: cannot write: {e}"))
    }

    /// Whether the file is there, as text or as Rust.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.texts.contains_key(path) || self.sources.contains_key(path)
    }

    /// The names of the crates: the folders of `crates/` that hold a manifest.
    pub(crate) fn crates(&self) -> Vec<String> {
        let inner = |path: &String| -> Option<String> {
            let word = path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
            (!word.contains('/')).then(|| word.to_owned())
        };
        self.texts.keys().filter_map(inner).collect()
    }

    fn read_folder(&mut self, folder: &Path, path: &str) -> Result<(), String> {
        let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries {
            let entry = entry.map_err(|e| format!("{}: {e}", folder.display()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            let kind = entry.file_type().map_err(|e| format!("{path}: {e}"))?;
            if kind.is_dir() && !SKIPPED.contains(&name.as_str()) {
                self.read_folder(&entry.path(), &path)?;
            } else if kind.is_file() && is_text(&name) {
                let octets = std::fs::read(entry.path()).map_err(|e| format!("{path}: {e}"))?;
                self.add(&path, String::from_utf8_lossy(&octets).into_owned());
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &str, text: String) {
        if path.ends_with(".rs") {
            self.sources.insert(path.to_owned(), Source::new(path, text));
        } else {
            self.texts.insert(path.to_owned(), text);
        }
    }

    /// A file whose `mod` line stands under `#[cfg(test)]` is a test as a whole, and so is what is below it.
    fn mark_test_files(&mut self) {
        let mut stems = Vec::new();
        for source in self.sources.values() {
            stems.extend(source.test_modules());
        }
        for (path, source) in &mut self.sources {
            let below = |stem: &String| {
                path.strip_prefix(stem.as_str()).is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
            };
            if stems.iter().any(below) {
                source.whole_is_test = true;
            }
        }
    }
}

fn is_text(name: &str) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ending == "rs" || TEXT.contains(&ending)
}
