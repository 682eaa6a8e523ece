//! The crates: what each may use, what the pure ones promise, and that each is introduced.

use toml::Table;

use crate::fault::Fault;
use crate::source::Source;
use crate::tree::Tree;

/// Who may use whom: the arrows of ARCHITECTURE.md. A crate that is not here is a fault.
const ARROWS: [(&str, &[&str]); 13] = [
    ("time", &[]),
    ("wire", &[]),
    ("seal", &["time"]),
    ("secure", &[]),
    ("tcp", &["time", "wire"]),
    ("arq", &["time"]),
    ("app", &["time", "arq"]),
    ("host", &["time", "wire", "tcp"]),
    ("trace", &["time", "wire", "tcp", "arq", "host"]),
    ("explain", &["time", "wire", "tcp", "arq", "host", "trace", "app", "seal"]),
    ("sim", &["time", "wire", "tcp", "arq", "host", "trace", "app", "seal"]),
    ("tokio", &["time", "wire", "tcp", "host", "app", "secure"]),
    (
        "cli",
        &["time", "wire", "tcp", "arq", "host", "trace", "app", "seal", "explain", "sim", "secure", "tokio"],
    ),
];

/// The crates without clock, I/O, threads and luck of their own.
const PURE: [&str; 10] = ["time", "wire", "tcp", "arq", "host", "app", "seal", "trace", "explain", "sim"];

/// What a pure crate's first file says.
const PROMISES: [&str; 2] = ["#![no_std]", "#![forbid(unsafe_code)]"];

pub(crate) fn check(tree: &Tree, faults: &mut Vec<Fault>) {
    for name in tree.crates() {
        arrows(tree, &name, faults);
        introduced(tree, &name, faults);
        if PURE.contains(&name.as_str()) {
            let path = format!("crates/{name}/src/lib.rs");
            match tree.sources.get(&path) {
                Some(source) => promises(source, faults),
                None => faults.push(Fault::of(&path, "missing; a pure crate is a library")),
            }
        }
    }
}

fn arrows(tree: &Tree, name: &str, faults: &mut Vec<Fault>) {
    let path = format!("crates/{name}/Cargo.toml");
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
        let advice = "a crate without arrows; add it to xtask/src/tidy/crates.rs and ARCHITECTURE.md";
        faults.push(Fault::of(&path, advice));
        return;
    };
    let text = tree.texts.get(&path).map_or("", String::as_str);
    let Ok(manifest) = text.parse::<Table>() else {
        faults.push(Fault::of(&path, "not TOML"));
        return;
    };
    for used in uses(&manifest) {
        if !allowed.contains(&used.as_str()) {
            let line = (1..).zip(text.lines()).find(|(_, l)| l.starts_with(&format!("aperto-{used}")));
            let advice = format!("{name} may not use {used}: arrows point the other way (ARCHITECTURE.md)");
            faults.push(Fault::at(&path, line.map_or(0, |(n, _)| n), advice));
        }
    }
}

/// The crates of ours that a manifest uses outside tests, by their short words.
fn uses(manifest: &Table) -> Vec<String> {
    let mut tables: Vec<&Table> = Vec::new();
    let part = |table: &'_ Table, key: &str| table.get(key).and_then(toml::Value::as_table).cloned();
    let mut found = Vec::new();
    let targets = part(manifest, "target").unwrap_or_default();
    tables.push(manifest);
    tables.extend(targets.values().filter_map(toml::Value::as_table));
    for table in tables {
        for key in ["dependencies", "build-dependencies"] {
            let names = part(table, key).unwrap_or_default();
            found.extend(names.keys().filter_map(|name| name.strip_prefix("aperto-")).map(str::to_owned));
        }
    }
    found
}

fn promises(source: &Source, faults: &mut Vec<Fault>) {
    for promise in PROMISES {
        if !source.code.lines().any(|line| line.trim() == promise) {
            faults.push(Fault::of(&source.path, format!("a pure crate; write {promise}")));
        }
    }
}

fn introduced(tree: &Tree, name: &str, faults: &mut Vec<Fault>) {
    let has = |path: &str, mark: &str| tree.texts.get(path).is_some_and(|text| text.contains(mark));
    let list = "crates/README.md";
    if !has(list, &format!("`{name}`")) {
        faults.push(Fault::of(list, format!("does not list `{name}`; add its row")));
    }
    let changes = "CHANGELOG.md";
    if !has(changes, &format!("### {name}\n")) {
        faults.push(Fault::of(changes, format!("has no section `### {name}`; add it")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPERS: [(&str, &str); 2] =
        [("crates/README.md", "`tcp` `odd` `cli`\n"), ("CHANGELOG.md", "### tcp\n\n### odd\n\n### cli\n\n")];
    const ROOT: &str = "//! Header.\n\n#![no_std]\n#![forbid(unsafe_code)]\n";

    fn advice(files: &[(&str, &str)]) -> Vec<String> {
        let all: Vec<(&str, &str)> = files.iter().copied().chain(PAPERS).collect();
        let mut faults = Vec::new();
        check(&Tree::of(&all), &mut faults);
        faults.into_iter().map(|f| f.to_string()).collect()
    }

    #[test]
    fn arrows_point_one_way() {
        let root = ("crates/tcp/src/lib.rs", ROOT);
        for (manifest, expected) in [
            ("[dependencies]\naperto-time.workspace = true\nlibm = \"1\"\n", vec![]),
            ("[dev-dependencies]\naperto-sim.workspace = true\n", vec![]),
            (
                "[dependencies]\naperto-host.workspace = true\n",
                vec![
                    "crates/tcp/Cargo.toml:2: tcp may not use host: arrows point the other way (ARCHITECTURE.md)",
                ],
            ),
            (
                "[target.'cfg(unix)'.dependencies]\naperto-sim.workspace = true\n",
                vec![
                    "crates/tcp/Cargo.toml:2: tcp may not use sim: arrows point the other way (ARCHITECTURE.md)",
                ],
            ),
        ] {
            assert_eq!(advice(&[("crates/tcp/Cargo.toml", manifest), root]), expected, "{manifest}");
        }
    }

    #[test]
    fn a_crate_that_nobody_placed_is_a_fault() {
        assert_eq!(advice(&[("crates/odd/Cargo.toml", "")]).len(), 1);
    }

    #[test]
    fn a_pure_crate_promises_both_things() {
        for (text, faults) in [(ROOT, 0), ("//! Header.\n\n#![no_std]\n", 1), ("//! #![no_std]\n", 2)] {
            let files = [("crates/tcp/Cargo.toml", ""), ("crates/tcp/src/lib.rs", text)];
            assert_eq!(advice(&files).len(), faults, "{text}");
        }
    }

    #[test]
    fn each_crate_is_introduced_twice() {
        let files = [("crates/app/Cargo.toml", ""), ("crates/app/src/lib.rs", ROOT)];
        assert_eq!(advice(&files).len(), 2);
    }
}
