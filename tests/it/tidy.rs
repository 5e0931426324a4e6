//! The house rules that no compiler checks: which crate may know which, what may be built in, what a tracked file
//! may say. They read the checkout alone (git's index, cargo's metadata) and need no network once a build has run.
//!
//! Each rule over text is a plain function with a test of its own, so that a rule which finds nothing is known to be
//! able to find something. This file names what it forbids and is therefore the only one not scanned.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

const MEBIBYTE: u64 = 1024 * 1024;

/// Which workspace members each member may depend on. Never back, never sideways.
const INWARD: &[(&str, &[&str])] = &[
    ("countersign-core", &[]),
    ("countersign-app", &["countersign-core"]),
    ("countersign-report", &["countersign-core"]),
    ("countersign-cli", &["countersign-core", "countersign-app", "countersign-report"]),
    ("countersign-desktop", &["countersign-core", "countersign-app", "countersign-report"]),
    ("countersign-tests", &["countersign-core", "countersign-app", "countersign-report", "countersign-cli"]),
];

/// What the core may depend on: bytes, numbers, text and calendars. A new name here is argued in its commit.
const PURE: &str =
    "base64ct chrono chrono-tz ed25519-dalek serde serde_json serde_json_canonicalizer sha2 thiserror toml";

/// What must not be found below the core at any depth, on any platform.
const IMPURE: &str = "async-std aws-lc-rs directories getrandom hyper iana-time-zone libsqlite3-sys mio native-tls \
    openssl rand rand_core reqwest ring rusqlite rustls smol socket2 tempfile tokio tracing ureq uuid";

/// The outside world, as a source file of the core would name it.
const OUTSIDE: &str = "std::env|std::fs|std::io::stdin|std::io::stdout|std::io::stderr|std::net|std::os|\
    std::process|std::thread|std::time::Instant|std::time::SystemTime|Instant::now|\
    SystemTime::now|Utc::now|Local::now|tokio::|async fn|print!|println!|eprintln!|\
    unsafe ";

/// The icons the bundler and the trays name, with their size in pixels.
const ICONS: &[(&str, u32)] = &[
    ("32x32.png", 32),
    ("128x128.png", 128),
    ("128x128@2x.png", 256),
    ("icon.png", 512),
    ("Square30x30Logo.png", 30),
    ("Square44x44Logo.png", 44),
    ("Square71x71Logo.png", 71),
    ("Square89x89Logo.png", 89),
    ("Square107x107Logo.png", 107),
    ("Square142x142Logo.png", 142),
    ("Square150x150Logo.png", 150),
    ("Square284x284Logo.png", 284),
    ("Square310x310Logo.png", 310),
    ("StoreLogo.png", 50),
    ("tray-on-light-32.png", 32),
    ("tray-on-light-64.png", 64),
    ("tray-on-dark-32.png", 32),
    ("tray-on-dark-64.png", 64),
];

// What is read, once.

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests are a folder of the workspace")
}

fn output_of(command: &mut Command) -> String {
    let output = command.current_dir(root()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("git and cargo print UTF-8")
}

fn cargo(arguments: &[&str]) -> String {
    output_of(Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).args(arguments))
}

/// Every path git tracks, from the root, with `/` on every platform. A checkout owned by another user is read too.
static TRACKED: LazyLock<Vec<String>> = LazyLock::new(|| {
    let listed = output_of(Command::new("git").args(["-c", "safe.directory=*", "ls-files", "-z"]));
    let paths: Vec<String> =
        listed.split_terminator('\0').map(str::to_owned).filter(|path| root().join(path).is_file()).collect();
    assert!(!paths.is_empty(), "git tracks nothing here; these rules need a git checkout");
    paths
});

/// Every tracked text as `(path, text)`, without the lock file, which cargo writes, and without this file.
static TEXTS: LazyLock<Vec<(&'static str, String)>> = LazyLock::new(|| {
    TRACKED
        .iter()
        .filter(|path| !matches!(path.as_str(), "Cargo.lock" | "tests/it/tidy.rs"))
        .filter_map(|path| Some((path.as_str(), String::from_utf8(std::fs::read(root().join(path)).ok()?).ok()?)))
        .collect()
});

static METADATA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--locked", "--all-features"])).unwrap()
});

static DENY: LazyLock<toml::Table> =
    LazyLock::new(|| std::fs::read_to_string(root().join("deny.toml")).unwrap().parse().expect("deny.toml is TOML"));

fn packages() -> &'static [Value] {
    METADATA["packages"].as_array().unwrap()
}

fn text_of(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn files_ending(ending: &str) -> impl Iterator<Item = &'static (&'static str, String)> {
    TEXTS.iter().filter(move |(path, _)| path.ends_with(ending))
}

#[track_caller]
fn none_of<T: Display>(rule: &str, findings: impl IntoIterator<Item = T>) {
    let findings: Vec<String> = findings.into_iter().map(|finding| format!("  {finding}")).collect();
    assert!(findings.is_empty(), "{rule}:\n{}", findings.join("\n"));
}

/// Returns `path:line: text` for each line of each text in which `found` sees something.
fn lines_where(texts: &[(&'static str, String)], found: impl Fn(&str) -> bool) -> Vec<String> {
    let line_of = |path: &str, (at, line): (usize, &str)| format!("{path}:{}: {}", at + 1, line.trim());
    texts
        .iter()
        .flat_map(|(path, text)| {
            text.lines().enumerate().filter(|(_, line)| found(line)).map(move |at| line_of(path, at))
        })
        .collect()
}

// The rules over text.

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Tells whether `word` stands in `line` with no letter, digit or underscore on either side.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(is_word)
            && !line[at + word.len()..].chars().next().is_some_and(is_word)
    })
}

/// Tells whether a line says of itself that it is not done.
fn is_unfinished(line: &str) -> bool {
    ["todo!(", "unimplemented!(", "#[ignore"].iter().any(|form| line.contains(form))
        || ["TODO", "FIXME", "XXX", "it.skip", "test.skip", "describe.skip"].iter().any(|word| has_word(line, word))
}

/// Tells whether a line holds an absolute path below a home, or one that only exists where the author worked.
fn names_one_machine(line: &str) -> bool {
    ["/work/", "/root/", "/home/", "/Users/", "C:\\Users\\"].iter().any(|path| {
        line.match_indices(path).any(|(at, _)| {
            line[..at]
                .chars()
                .next_back()
                .is_none_or(|before| before.is_whitespace() || "\"'`=(:,;<>[|/".contains(before))
        })
    })
}

/// Tells whether a line names the host of a package registry: where packages come from is each machine's own setting.
fn names_a_registry(line: &str) -> bool {
    ["crates.io", "npmjs.org", "npmjs.com", "pypi.org", "pythonhosted.org", "proxy.golang.org", "rubygems.org"]
        .iter()
        .any(|host| line.contains(host))
}

/// Returns the first word of [`OUTSIDE`] in each line of code, comments and the test module left out.
fn outside_words(source: &str) -> Vec<&'static str> {
    let code = source.split("#[cfg(test)]\nmod tests").next().unwrap_or(source);
    code.lines()
        .map(|line| line.split("//").next().unwrap_or(line))
        .filter_map(|line| OUTSIDE.split('|').find(|word| line.contains(word)))
        .collect()
}

/// Returns each `make NAME` a document shows as a command: in a code span, or at the start of a line.
fn make_commands(document: &str) -> BTreeSet<&str> {
    document
        .lines()
        .flat_map(|line| {
            let spans = line.match_indices("`make ").map(|(at, opening)| &line[at + opening.len()..]);
            spans.chain(line.trim_start().trim_start_matches("$ ").strip_prefix("make "))
        })
        .map(|rest| rest.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or(rest))
        .filter(|name| !name.is_empty())
        .collect()
}

/// Returns the target of each relative Markdown link, without its fragment.
fn relative_links(document: &str) -> BTreeSet<&str> {
    document
        .match_indices("](")
        .filter_map(|(at, opening)| document[at + opening.len()..].split([')', ' ', '\n']).next())
        .filter(|target| !target.contains("://") && !target.starts_with(['#', '<']) && !target.starts_with("mailto:"))
        .filter_map(|target| target.split('#').next())
        .filter(|target| !target.is_empty())
        .collect()
}

/// Returns each path to a picture below a folder `icons` that a text names.
fn icon_paths(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "@._-/".contains(c)))
        .filter(|path| path.starts_with("icons/") || path.contains("/icons/"))
        .filter(|path| [".png", ".svg", ".ico", ".icns"].iter().any(|ending| path.ends_with(ending)))
        .collect()
}

/// Tells whether a license expression can be met with the `allowed` licenses: SPDX with `AND`, `OR`, parentheses and
/// `WITH`, and the old `/` for `OR`. An expression that does not parse is not met.
fn is_met(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    fn any<'a>(tokens: &mut &[&'a str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
        let mut met = all(tokens, allowed)?;
        while let Some(("OR", rest)) = tokens.split_first().map(|(first, rest)| (*first, rest)) {
            *tokens = rest;
            met |= all(tokens, allowed)?;
        }
        Some(met)
    }
    fn all<'a>(tokens: &mut &[&'a str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
        let mut met = one(tokens, allowed)?;
        while let Some(("AND", rest)) = tokens.split_first().map(|(first, rest)| (*first, rest)) {
            *tokens = rest;
            met &= one(tokens, allowed)?;
        }
        Some(met)
    }
    fn one<'a>(tokens: &mut &[&'a str], allowed: &dyn Fn(&str) -> bool) -> Option<bool> {
        match **tokens {
            ["(", ..] => {
                *tokens = &tokens[1..];
                let met = any(tokens, allowed)?;
                *tokens = tokens.strip_prefix(&[")"])?;
                Some(met)
            }
            [")" | "AND" | "OR" | "WITH", ..] | [] => None,
            [license, "WITH", exception, ..] => {
                *tokens = &tokens[3..];
                Some(allowed(&format!("{license} WITH {exception}")))
            }
            [license, ..] => {
                *tokens = &tokens[1..];
                Some(allowed(license))
            }
        }
    }
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let tokens: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = tokens.as_slice();
    any(&mut rest, allowed) == Some(true) && rest.is_empty()
}

// What may be built in.

fn strings<'a>(table: &'a toml::Table, key: &str) -> impl Iterator<Item = &'a str> {
    table[key]
        .as_array()
        .unwrap_or_else(|| panic!("{key} is a list"))
        .iter()
        .map(|value| value.as_str().expect("a string"))
}

#[test]
fn every_license_is_allowed() {
    let licenses = DENY["licenses"].as_table().unwrap();
    let everywhere: BTreeSet<&str> = strings(licenses, "allow").collect();
    let exceptions = licenses["exceptions"].as_array().unwrap();
    let excepted = |name: &str, license: &str| {
        exceptions.iter().filter_map(toml::Value::as_table).any(|exception| {
            exception["crate"].as_str() == Some(name) && strings(exception, "allow").any(|allowed| allowed == license)
        })
    };
    assert!(packages().len() > INWARD.len(), "the dependencies are in the metadata");
    none_of(
        "a package whose license deny.toml does not allow",
        packages().iter().filter_map(|package| {
            let name = package["name"].as_str().unwrap();
            let license = package["license"].as_str().unwrap_or("none declared");
            let met = is_met(license, &|one| everywhere.contains(one) || excepted(name, one));
            (!met).then(|| format!("{name} {}: {license}", package["version"]))
        }),
    );
}

#[test]
fn no_banned_package_is_built_in() {
    let banned: BTreeSet<&str> =
        DENY["bans"]["deny"].as_array().unwrap().iter().map(|ban| ban["crate"].as_str().unwrap()).collect();
    let named = packages().iter().map(|package| package["name"].as_str().unwrap());
    none_of("a package that deny.toml bans", named.filter(|name| banned.contains(name)));
}

#[test]
fn every_package_comes_from_the_default_registry_or_from_here() {
    const DEFAULT_REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
    let sources = DENY["sources"].as_table().unwrap();
    assert_eq!(sources.get("unknown-registry").and_then(toml::Value::as_str), Some("deny"));
    assert_eq!(sources.get("unknown-git").and_then(toml::Value::as_str), Some("deny"));
    assert_eq!(sources.len(), 2, "no other source is allowed in deny.toml");
    let here = root().canonicalize().unwrap();
    none_of(
        "a package from elsewhere",
        packages().iter().filter_map(|package| {
            let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
            let is_ours = match package["source"].as_str() {
                Some(source) => source == DEFAULT_REGISTRY,
                None => manifest.canonicalize().unwrap().starts_with(&here),
            };
            (!is_ours).then(|| format!("{} from {}", package["name"], package["source"]))
        }),
    );
}

// Which crate may know which.

fn members() -> impl Iterator<Item = &'static Value> {
    packages().iter().filter(|package| package["source"].is_null())
}

#[test]
fn crates_depend_inward_only() {
    let ours: BTreeSet<&str> = members().map(|member| member["name"].as_str().unwrap()).collect();
    let listed: BTreeSet<&str> = INWARD.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, listed, "the workspace and the table INWARD name the same crates");
    for (name, allowed) in INWARD {
        let member = members().find(|member| member["name"] == *name).unwrap();
        let known =
            member["dependencies"].as_array().unwrap().iter().map(|dependency| dependency["name"].as_str().unwrap());
        let outward = known.filter(|known| ours.contains(known) && !allowed.contains(known));
        none_of(&format!("{name} may not know"), outward);
    }
}

#[test]
fn the_core_depends_on_pure_crates_alone() {
    let core = members().find(|member| member["name"] == "countersign-core").unwrap();
    let normal = core["dependencies"].as_array().unwrap().iter().filter(|dependency| dependency["kind"] != "dev");
    let names = normal.map(|dependency| dependency["name"].as_str().unwrap());
    none_of(
        "countersign-core depends on a crate not in PURE",
        names.filter(|name| !PURE.split(' ').any(|pure| pure == *name)),
    );

    // Asked for the core alone, since other members switch on features that the core must do without.
    let below = cargo(&[
        "tree",
        "--locked",
        "--package",
        "countersign-core",
        "--edges",
        "normal,build",
        "--target",
        "all",
        "--prefix",
        "none",
        "--format",
        "{p}|{f}",
    ]);
    let below: BTreeSet<(&str, &str)> = below
        .lines()
        .filter_map(|line| line.trim_end_matches(" (*)").split_once('|'))
        .map(|(package, features)| (package.split(' ').next().unwrap_or(package), features))
        .collect();
    assert!(below.iter().any(|(name, _)| *name == "sha2"), "the tree has been read");
    none_of(
        "below countersign-core",
        below.iter().map(|(name, _)| *name).filter(|name| IMPURE.split_whitespace().any(|impure| impure == *name)),
    );
    let with_a_clock = below
        .iter()
        .filter(|(name, features)| *name == "chrono" && features.split(',').any(|f| f == "clock" || f == "now"));
    none_of("countersign-core has a clock", with_a_clock.map(|(name, features)| format!("{name} with {features}")));
}

#[test]
fn the_core_names_nothing_outside_itself() {
    let core = files_ending(".rs").filter(|(path, _)| path.starts_with("crates/countersign-core/src/"));
    none_of(
        "countersign-core reaches outside",
        core.flat_map(|(path, text)| outside_words(text).into_iter().map(move |word| format!("{path}: {word}"))),
    );
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    none_of(
        "no `[lints] workspace = true`",
        members().map(|member| member["manifest_path"].as_str().unwrap()).filter(|manifest| {
            let manifest: toml::Table = std::fs::read_to_string(manifest).unwrap().parse().unwrap();
            manifest.get("lints").and_then(|lints| lints.get("workspace")).and_then(toml::Value::as_bool) != Some(true)
        }),
    );
}

// What a checkout holds.

#[test]
fn every_source_file_is_declared() {
    let is_source = |path: &str| path.contains("/src/") || path.starts_with("tests/it/");
    let is_root = |path: &str| path.ends_with("/main.rs") || path.ends_with("/lib.rs") || path.contains("/src/bin/");
    let declares = |parent: &str, name: &str| {
        TEXTS.iter().any(|(path, text)| {
            *path == parent
                && text.lines().any(|line| {
                    line.trim_end().ends_with(&format!("mod {name};")) && !line.trim_start().starts_with("//")
                })
        })
    };
    let forgotten =
        TRACKED.iter().filter(|path| path.ends_with(".rs") && is_source(path) && !is_root(path)).filter(|path| {
            let (folder, file) = path.rsplit_once('/').expect("a source file is in a folder");
            let name = file.trim_end_matches(".rs");
            let parents = [format!("{folder}.rs"), format!("{folder}/lib.rs"), format!("{folder}/main.rs")];
            !parents.iter().any(|parent| declares(parent, name))
        });
    none_of("compiled by nobody: declare it with `mod`", forgotten);
}

#[test]
fn no_module_hides_in_a_mod_rs() {
    none_of("name it after its folder", TRACKED.iter().filter(|path| path.ends_with("/mod.rs")));
}

#[test]
fn no_tracked_file_is_larger_than_a_mebibyte() {
    let size_bytes = |path: &&String| std::fs::metadata(root().join(path)).map_or(0, |metadata| metadata.len());
    none_of("larger than 1 MiB", TRACKED.iter().filter(|path| size_bytes(path) > MEBIBYTE));
}

#[test]
fn nothing_unfinished_is_tracked() {
    none_of("finish it, or write down why it stands", lines_where(&TEXTS, is_unfinished));
}

#[test]
fn no_path_of_one_machine_is_tracked() {
    none_of("a path that only one machine has", lines_where(&TEXTS, names_one_machine));
}

#[test]
fn no_package_registry_is_named() {
    none_of("the host of a package registry", lines_where(&TEXTS, names_a_registry));
}

#[test]
fn every_icon_has_the_size_its_name_says() {
    for (name, size) in ICONS {
        let png =
            std::fs::read(root().join("icons").join(name)).unwrap_or_else(|error| panic!("icons/{name}: {error}"));
        let header = png.get(..26).unwrap_or_else(|| panic!("icons/{name} is cut short"));
        let pixels = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap());
        assert_eq!(&header[..8], b"\x89PNG\r\n\x1a\n", "icons/{name} is a PNG");
        assert_eq!((pixels(16), pixels(20)), (*size, *size), "icons/{name}");
        assert_eq!(&header[24..], [8, 6], "icons/{name}: 8 bits a channel, RGBA, as the bundler demands");
    }
}

#[test]
fn the_icon_files_hold_the_layers_each_system_wants() {
    let ico = std::fs::read(root().join("icons/icon.ico")).unwrap();
    assert_eq!(&ico[..4], [0, 0, 1, 0], "icon.ico is an icon");
    let layers: Vec<u8> = ico[6..].chunks(16).take(usize::from(ico[4])).map(|entry| entry[0]).collect();
    assert_eq!(layers, [32, 16, 24, 48, 64, 0], "sizes in pixels, 0 stands for 256, the one for development first");

    let icns = std::fs::read(root().join("icons/icon.icns")).unwrap();
    assert_eq!(&icns[..4], b"icns");
    assert_eq!(u32::from_be_bytes(icns[4..8].try_into().unwrap()) as usize, icns.len(), "icon.icns is whole");
}

// What the documents say.

#[test]
fn every_icon_a_text_names_exists() {
    none_of(
        "no such icon",
        TEXTS.iter().flat_map(|(path, text)| {
            let folder = root().join(path).parent().expect("a file is in a folder").to_path_buf();
            // A macro of the window's toolkit reads from the root of its crate.
            let of_crate = folder.parent().unwrap_or(&folder).to_path_buf();
            icon_paths(text)
                .into_iter()
                .filter(move |icon| ![root(), &folder, &of_crate].iter().any(|from| from.join(icon).is_file()))
                .map(move |icon| format!("{path}: {icon}"))
        }),
    );
}

#[test]
fn every_make_command_a_document_shows_exists() {
    let makefile = text_of("Makefile");
    let targets: BTreeSet<&str> = makefile.lines().filter_map(|line| Some(line.split_once(':')?.0)).collect();
    assert_eq!(make_commands(&text_of("README.md")).range("run"..="test").count(), 2, "the README shows both commands");
    none_of(
        "no such command in the Makefile",
        files_ending(".md").flat_map(|(path, text)| {
            make_commands(text)
                .into_iter()
                .filter(|name| !targets.contains(name))
                .map(move |name| format!("{path}: make {name}"))
        }),
    );
}

#[test]
fn every_relative_link_leads_to_a_file() {
    none_of(
        "a link to nothing",
        files_ending(".md").flat_map(|(path, text)| {
            let folder = root().join(path).parent().expect("a file is in a folder").to_path_buf();
            relative_links(text)
                .into_iter()
                .filter(move |target| !folder.join(target).exists())
                .map(move |target| format!("{path}: {target}"))
        }),
    );
}

#[test]
fn every_changelog_has_an_unreleased_section() {
    let changelogs: Vec<_> = files_ending("CHANGELOG.md").collect();
    assert!(!changelogs.is_empty(), "there is a changelog");
    none_of(
        "no `## [Unreleased]`",
        changelogs
            .iter()
            .filter(|(_, text)| !text.lines().any(|line| line.trim_end() == "## [Unreleased]"))
            .map(|(path, _)| path),
    );
}

#[test]
fn the_oldest_rust_and_node_are_the_same_everywhere() {
    let manifest: toml::Table = text_of("Cargo.toml").parse().unwrap();
    let rust = manifest["workspace"]["package"]["rust-version"].as_str().unwrap();
    let setup = text_of("scripts/setup");
    let node =
        setup.lines().find_map(|line| line.strip_prefix("node_minimum=")).expect("scripts/setup names the oldest Node");
    assert!(setup.lines().any(|line| line == format!("rust_minimum={rust}")), "scripts/setup asks for Rust {rust}");
    for wanted in [format!("Rust {rust}"), format!("Node {node}")] {
        assert!(text_of("README.md").contains(&wanted), "README.md says {wanted}");
    }
}

// Each rule over text finds what it is for.

#[test]
fn the_rules_over_lines_find_what_they_are_for() {
    type Rule = fn(&str) -> bool;
    let cases: &[(&str, Rule, &[&str], &[&str])] = &[
        (
            "is_unfinished",
            is_unfinished,
            &[
                "    todo!()",
                "unimplemented!(\"x\")",
                "#[ignore = \"slow\"]",
                "// TODO: mend",
                "# FIXME",
                "it.skip('x')",
                "XXX",
            ],
            &[
                "mktemp -d demo.XXXXXX",
                "todo = \"warn\"",
                "a to-do list",
                "list.iter().skip(n)",
                "unit.skip(n)",
                "MASTODON_TODOS",
            ],
        ),
        (
            "names_one_machine",
            names_one_machine,
            &["dir=/work/x", "see `/home/me/x`", "file:///Users/me", "/root/.cache", "\"C:\\Users\\me\""],
            &["https://example.org/home/", "$HOME/work/x", "./work/x", "src/home/x", "~/work/"],
        ),
        (
            "names_a_registry",
            names_a_registry,
            &["https://static.crates.io/x", "registry.npmjs.org", "https://files.pythonhosted.org"],
            &["the default registry", "crates in the workspace"],
        ),
        (
            "reaches outside",
            |source| !outside_words(source).is_empty(),
            &["use std::fs;", "let now = Utc::now();", "async fn f() {}", "    std::env::var(\"X\")"],
            &[
                "// never std::fs",
                "env!(\"CARGO_PKG_VERSION\")",
                "fn pure() {}\n#[cfg(test)]\nmod tests { use std::fs; }",
            ],
        ),
    ];
    for (name, rule, found, passed) in cases {
        none_of(&format!("{name} misses"), found.iter().filter(|line| !rule(line)));
        none_of(&format!("{name} wrongly finds"), passed.iter().filter(|line| rule(line)));
    }
}

#[test]
fn the_rules_over_documents_find_what_they_are_for() {
    let document = "Run `make run`, make haste:\n```\n$ make test\nmake check && make x\n```\nSee [one](docs/a.md#b), [two](https://x.example/y), [three](#here).\n![i](icons/icon.svg)";
    let set = |names: &[&'static str]| names.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(make_commands(document), set(&["run", "test", "check"]));
    assert_eq!(relative_links(document), set(&["docs/a.md", "icons/icon.svg"]));
    assert_eq!(
        icon_paths("\"../icons/a@2x.png\", icons/b.ico; the icons/ folder, lexicons/c.png"),
        set(&["../icons/a@2x.png", "icons/b.ico"])
    );
}

#[test]
fn a_license_expression_is_met_only_by_what_it_asks_for() {
    let allowed = |license: &str| ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].contains(&license);
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only/MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("MIT AND (GPL-3.0-only OR ISC)", true),
        ("GPL-3.0-only AND MIT OR ISC", true),
        ("(GPL-3.0-only OR MIT) AND LGPL-2.1-only", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH LLVM-exception", false),
        ("", false),
        ("MIT OR", false),
        ("(MIT", false),
        ("MIT MIT", false),
        ("none declared", false),
    ] {
        assert_eq!(is_met(expression, &allowed), met, "{expression:?}");
    }
}
