//! Bundles, and the verification of a ledger they rest on.

use crate::golden;

#[test]
fn x() {
    let g = golden::ledger();
    println!("{} {}", g.leaves.len(), g.leaves.iter().map(Vec::len).sum::<usize>());
    use countersign_core::bundle::*;
    let blobs = g.blobs.clone();
    let c = g.checkpoint();
    let bytes = pack(Content { leaves: g.leaves.clone(), checkpoint: &c, release: None, blob: &mut |d| blobs.get(d).cloned(), reports: vec![(Report::Html, b"<p>".to_vec())] }, &g.key_of(golden::DESK)).unwrap();
    std::fs::write("/tmp/b.zip", &bytes).unwrap();
    let anchor = countersign_core::verify::Anchor { fingerprint: Some(g.fingerprint()), pin: None };
    let v = judge(&bytes, &anchor);
    println!("{}", serde_json::to_string(&v).unwrap());
    let r = golden::parse(golden::RELEASE);
    let bytes = pack(Content { leaves: g.leaves.clone(), checkpoint: &c, release: Some(&r), blob: &mut |d| blobs.get(d).cloned(), reports: vec![(Report::Html, b"<p>".to_vec())] }, &g.key_of(golden::DESK)).unwrap();
    std::fs::write("/tmp/r.zip", &bytes).unwrap();
    let v = judge(&bytes, &anchor);
    println!("{}", serde_json::to_string(&v).unwrap());
    println!("{}", g.fingerprint());
    panic!();
}
