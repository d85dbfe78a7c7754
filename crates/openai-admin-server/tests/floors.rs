//! The files of a crate use each other in one direction: no circle, and in the server no arrow to a higher floor.
//!
//! The test reads the `use` lines and the paths that start with a module. A re-exported name counts as a
//! use of its original file, so that `crate::Client` is not an arrow to `lib.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The crates whose files form no circle.
const CHECKED: [&str; 7] = [
    "openai-admin",
    "openai-admin-cli",
    "openai-admin-console",
    "openai-admin-emulator",
    "openai-admin-server",
    "openai-admin-store",
    "openai-admin-sync",
];
/// The modules of a crate from the bottom up: each uses its own floor and those before it.
type Floors = &'static [&'static [&'static str]];
const FLOORS: [(&str, Floors); 3] = [
    (
        "openai-admin-console",
        &[&["base"], &["plans"], &["state"], &["visit"], &["session"], &["nouns"], &["console", ""]],
    ),
    (
        "openai-admin-server",
        &[
            &["api_keys", "minter"],
            &["operate"],
            &["connect"],
            &["answer"],
            &["describe"],
            &["admin", "server", "testing", ""],
        ],
    ),
    (
        "openai-admin-store",
        &[&["base"], &["engines"], &["store"], &["operation"], &["shapes"], &["nouns"], &["keeping", ""]],
    ),
];
const VISIBILITIES: [&str; 4] = ["", "pub ", "pub(crate) ", "pub(super) "];
/// The maximum number of re-exports of a name.
const REEXPORTS_MAX: usize = 8;

/// The path of a file's module, such as `answer/error`; empty for the root.
type Module = String;

/// The files of a crate by module.
type Sources = BTreeMap<Module, String>;
/// The files that each file uses.
type Arrows = BTreeMap<Module, BTreeSet<Module>>;

fn sources(krate: &str) -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src");
    let mut sources = Sources::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let module = path.strip_prefix(&root).expect("a path below").with_extension("");
                let module = module.to_str().expect("a name in UTF-8").replace('\\', "/");
                let is_root = ["lib", "main"].contains(&module.as_str());
                let text = fs::read_to_string(&path).expect("a text");
                sources.insert(if is_root { Module::new() } else { module }, text);
            }
        }
    }
    sources
}

/// The code of a file without comments and without its tests.
fn code(text: &str) -> String {
    let text = text.split_once("#[cfg(test)]\nmod ").map_or(text, |(code, _)| code);
    let lines = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    lines.collect::<Vec<_>>().join("\n")
}

/// The `use` declarations of some code, with whether they are re-exports, and the rest of the code.
fn declarations(code: &str) -> (Vec<(bool, String)>, String) {
    let (mut found, mut rest, mut lines) = (Vec::new(), String::new(), code.lines());
    while let Some(line) = lines.next() {
        let begins = |visibility: &str| line.trim_start().strip_prefix(visibility)?.strip_prefix("use ");
        let Some(begin) = VISIBILITIES.iter().find_map(|visibility| begins(visibility)) else {
            rest.push_str(line);
            rest.push('\n');
            continue;
        };
        let mut declaration = begin.to_owned();
        while !declaration.contains(';') {
            declaration.push_str(lines.next().expect("a declaration ends").trim());
        }
        // In a module within the file, or a function, `super` is another one.
        let is_nested = line.starts_with(' ') && !begin.starts_with("crate::");
        if !is_nested {
            found.push((!line.trim_start().starts_with("use "), declaration.replace(';', "")));
        }
    }
    (found, rest)
}

/// The paths of a tree such as `a::{b, c::{d, e}}`.
fn paths(tree: &str) -> Vec<String> {
    let Some((prefix, group)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let group = group.trim().strip_suffix('}').expect("a group ends");
    let (mut depth, mut branches) = (0, vec![String::new()]);
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if character == ',' && depth == 0 {
            branches.push(String::new());
        } else {
            branches.last_mut().expect("one").push(character);
        }
    }
    let branches = branches.iter().map(|branch| branch.trim()).filter(|branch| !branch.is_empty());
    branches.flat_map(paths).map(|path| format!("{}{path}", prefix.trim())).collect()
}

/// The absolute path of a path in `module`. `None` for other crates and for local names.
fn absolute(sources: &Sources, module: &str, path: &str) -> Option<Vec<String>> {
    let mut at: Vec<&str> = module.split('/').filter(|name| !name.is_empty()).collect();
    let mut names = path.split("::").peekable();
    match *names.peek()? {
        "crate" => {
            at.clear();
            names.next();
        }
        "self" => {
            names.next();
        }
        "super" => {
            while names.next_if_eq(&"super").is_some() {
                at.pop();
            }
        }
        child if sources.contains_key(&[at.as_slice(), &[child]].concat().join("/")) => {}
        _ => return None,
    }
    let names = names.filter(|name| !["self", "*", ""].contains(name));
    Some(at.into_iter().chain(names).map(str::to_owned).collect())
}

/// The imported names of each module: the last segment of a used path, or the name after `as`.
type Names = BTreeMap<(Module, String), Vec<String>>;

/// The file of a path.
fn file_of(sources: &Sources, names: &Names, path: &[String]) -> Module {
    let mut path = path.to_vec();
    for _ in 0..REEXPORTS_MAX {
        let length = (0..=path.len()).rev().find(|length| sources.contains_key(&path[..*length].join("/")));
        let (module, rest) = path.split_at(length.expect("the root is a file"));
        let module = module.join("/");
        let Some(target) = rest.first().and_then(|name| names.get(&(module.clone(), name.clone()))) else {
            return module;
        };
        path = [target.as_slice(), &rest[1..]].concat();
    }
    unreachable!("{path:?} is re-exported too often");
}

fn arrows(sources: &Sources) -> Arrows {
    let (mut names, mut used) = (Names::new(), Vec::new());
    for (module, text) in sources {
        let (declarations, rest) = declarations(&code(text));
        for (is_reexport, declaration) in declarations {
            for path in paths(&declaration) {
                let (path, alias) = path.split_once(" as ").unwrap_or((&path, ""));
                let Some(path) = absolute(sources, module, path) else { continue };
                let name = if alias.is_empty() { path.last().cloned() } else { Some(alias.to_owned()) };
                names.insert((module.clone(), name.unwrap_or_default()), path.clone());
                // A re-export counts where the name is used.
                if !is_reexport {
                    used.push((module, path));
                }
            }
        }
        let is_of_path = |character: char| character.is_alphanumeric() || "_:".contains(character);
        for path in rest.split(|character| !is_of_path(character)).filter(|path| path.contains("::")) {
            used.extend(absolute(sources, module, path).map(|path| (module, path)));
        }
    }
    let mut arrows: Arrows = sources.keys().map(|module| (module.clone(), BTreeSet::new())).collect();
    for (module, path) in used {
        let target = file_of(sources, &names, &path);
        if target != *module {
            arrows.entry(module.clone()).or_default().insert(target);
        }
    }
    arrows
}

/// The shortest circle through a file, if there is one.
fn circle(arrows: &Arrows, from: &str) -> Option<Vec<Module>> {
    let mut ways = vec![vec![from.to_owned()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let mut longer = Vec::new();
        for way in ways {
            for target in &arrows[way.last().expect("a way begins")] {
                let way = [way.as_slice(), std::slice::from_ref(target)].concat();
                if target == from {
                    return Some(way);
                }
                if seen.insert(target.clone()) {
                    longer.push(way);
                }
            }
        }
        ways = longer;
    }
    None
}

fn circles(arrows: &Arrows) -> Vec<String> {
    let found = arrows.keys().filter_map(|module| circle(arrows, module));
    // One line for each circle, from the first of its files.
    found.filter(|way| way.iter().all(|module| *module >= way[0])).map(|way| way.join(" -> ")).collect()
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    for krate in CHECKED {
        let arrows = arrows(&sources(krate));
        assert!(arrows.values().any(|targets| targets.len() > 2), "{krate}: the arrows are not seen");
        assert_eq!(circles(&arrows), [""; 0], "{krate}");
    }
}

#[test]
fn no_file_uses_a_higher_floor() {
    for (krate, floors) in FLOORS {
        let floor = |module: &str| {
            let first = module.split('/').next().unwrap_or_default();
            let floor = floors.iter().position(|modules| modules.contains(&first));
            floor.unwrap_or_else(|| panic!("{krate}: {module} has no floor"))
        };
        for (module, targets) in arrows(&sources(krate)) {
            for target in targets {
                assert!(
                    floor(&target) <= floor(&module),
                    "{krate}: {module} uses {target}, which is above it"
                );
            }
        }
    }
}

#[test]
fn every_way_of_using_a_file_is_seen() {
    let crate_of = |one: &str, other: &str| {
        let files = [("", "pub use two::Two;\nmod one;\nmod two;"), ("one", one), ("two", other)];
        let sources = files.map(|(module, text)| (module.to_owned(), text.to_owned()));
        circles(&arrows(&sources.into_iter().collect()))
    };
    let uses_one = "use crate::one::One;\npub struct Two(One);";
    for way in [
        "use crate::two::Two;",
        "use crate::{\n    fmt,\n    two::{Other, Two},\n};",
        "use super::two;",
        "use crate::Two;",
        "use crate::Two as Renamed;",
        "pub struct One(Box<crate::two::Two>);",
    ] {
        assert_eq!(crate_of(way, uses_one), ["one -> two -> one"], "{way}");
    }
    for nothing in
        ["", "// use crate::two::Two;", "use other::two::Two;", "#[cfg(test)]\nmod tests { use crate::two; }"]
    {
        assert_eq!(crate_of(nothing, uses_one), [""; 0], "{nothing}");
    }
}
