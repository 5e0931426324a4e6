//! Grants are made at build time: the table of commands becomes the permissions that `capabilities/` hands out.

#[path = "src/grants.rs"]
#[allow(dead_code, reason = "the windows are read by the tests of the program")]
mod grants;

use std::path::Path;

/// What a window shows when nobody has built the pages yet.
const NOT_BUILT: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="countersign" content="not-built"><title>Countersign</title></head>
<body><h1>The pages are not built</h1><p>Run <code>make app</code> in the checkout, or <code>countersign</code> on the command line.</p></body></html>
"#;

fn main() {
    let dist = Path::new("../ui/dist");
    for page in ["index.html", "sign.html"] {
        let page = dist.join(page);
        if !page.exists() {
            std::fs::create_dir_all(dist).expect("ui/dist can be created");
            std::fs::write(&page, NOT_BUILT).expect("ui/dist can be written");
        }
    }
    println!("cargo:rerun-if-changed=../ui/dist");
    println!("cargo:rerun-if-changed=src/grants.rs");
    // Leaked, as the interface asks for names that live as long as the program, which ends in a moment.
    let names: Vec<&'static str> = grants::GRANTS.iter().map(|grant| grant.command).collect();
    let manifest = tauri_build::AppManifest::new().commands(names.leak());
    tauri_build::try_build(tauri_build::Attributes::new().app_manifest(manifest))
        .expect("tauri.conf.json, capabilities and the table of commands agree");
}
