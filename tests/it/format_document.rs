//! The tables of docs/format.md are those of the code.

use std::fmt::Write as _;
use std::path::Path;

use countersign_core::act::{ACTS, COMMON_FIELDS};
use countersign_core::judge::{ReleaseState, SignOffState};
use countersign_core::rejection::Code;

const BEGIN: &str = "<!-- tables: begin -->\n";
const END: &str = "<!-- tables: end -->\n";

fn tables() -> String {
    let mut text = String::from("## Acts\n\n");
    let _ = writeln!(text, "Fields of every act: {}.\n", COMMON_FIELDS.map(|name| format!("`{name}`")).join(", "));
    for row in ACTS {
        let _ = writeln!(text, "### `{}`\n\nSigned by a {}. {}\n", row.act, row.signer.as_str(), row.admitted);
        if !row.fields.is_empty() {
            text.push_str("| field | meaning |\n|---|---|\n");
            for (name, meaning) in row.fields {
                let _ = writeln!(text, "| `{name}` |{meaning} |");
            }
            text.push('\n');
        }
    }
    let _ = write!(
        text,
        "## Who may do what\n\nA person who holds the role; a role held for one product counts for that product. Beside this, the person whose key it is \
         renews it, or ends it; a newcomer accepts for themselves; who holds a role that a policy asks to sign lends it; those genesis \
         names recover the ledger.\n\n{}\n",
        countersign_core::permission::table()
    );
    let list = |words: Vec<&str>| words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let codes = Code::ALL.iter().map(|code| code.as_str()).collect();
    let sign_offs = SignOffState::ALL.iter().map(|state| state.as_str()).collect();
    let releases = ReleaseState::ALL.iter().map(|state| state.as_str()).collect();
    let _ = write!(
        text,
        "## Words\n\nCodes of the rules: {}.\n\nStates of a sign-off: {}.\n\nStates of a release: {}.\n",
        list(codes),
        list(sign_offs),
        list(releases)
    );
    text
}

#[test]
fn the_document_says_what_the_code_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/format.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    if std::env::var_os("COUNTERSIGN_WRITE_FORMAT").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", tables())).unwrap();
        return;
    }
    assert_eq!(found, tables(), "write it anew with COUNTERSIGN_WRITE_FORMAT=1");
}
