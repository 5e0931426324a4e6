//! Bundles as files: written whole or not at all, unpacked nowhere but where they should.

use std::fs;
use std::path::Path;

use countersign_app::blob::{BlobError, BlobStore};
use countersign_app::error::{Error, ErrorKind};
use countersign_app::export::{ExportError, Exported, Source, export, read, unpack};
use countersign_core::bundle::zip::{self, File};
use countersign_core::bundle::{Report, judge};
use countersign_core::hash::Digest;
use countersign_core::verify::Verdict;

use crate::bundle::{known, unpacked};
use crate::golden::{self, DESK, Golden};

fn exported(golden: &Golden, blobs: &BlobStore, out: &Path) -> Result<Exported, ExportError> {
    let source = Source {
        leaves: golden.leaves.clone(),
        checkpoint: &golden.checkpoint(),
        release: None,
        blob: &mut |digest| blobs.read(digest),
        reports: vec![(Report::Csv, b"a,b\n".to_vec())],
    };
    export(source, &golden.key_of(DESK), out)
}

#[test]
fn a_copy_is_written_whole_and_says_what_it_lacks() {
    let golden = golden::decided();
    let dir = tempfile::tempdir().unwrap();
    let blobs = BlobStore::new(dir.path().join("blobs"));
    for bytes in golden.blobs.values() {
        blobs.write(bytes).unwrap();
    }
    let out = dir.path().join("bundle.zip");
    fs::write(&out, "what was there before").unwrap();
    let whole = exported(&golden, &blobs, &out).unwrap();
    let bytes = read(&out).unwrap();
    assert_eq!((whole.size, whole.digest), (bytes.len() as u64, Digest::of(&bytes)));
    assert_eq!((whole.verification.verdict, whole.left_out.len()), (Verdict::Valid, 0));
    assert_eq!(judge(&bytes, &known(&golden)).verdict, Verdict::Valid);

    let junit = Digest::of(golden::JUNIT);
    fs::write(blobs.path(&junit), "damaged").unwrap();
    let lacking = exported(&golden, &blobs, &out).unwrap();
    assert_eq!(lacking.verification.verdict, Verdict::Incomplete);
    assert_eq!(lacking.left_out[0].0, junit);
    assert!(!unpacked(&read(&out).unwrap()).contains_key(&format!("evidence/sha256/{junit}")));

    // What cannot be looked at is not taken for absent: nothing is written.
    let before = fs::read(&out).unwrap();
    let refused = exported(&golden, &blobs.with_limit(3), &out).unwrap_err();
    assert!(matches!(refused, ExportError::Blob(BlobError::TooLarge { .. })), "{refused}");
    assert_eq!(fs::read(&out).unwrap(), before);
}

#[test]
fn nothing_is_unpacked_but_a_bundle_and_only_where_nothing_is() {
    let golden = golden::decided();
    let dir = tempfile::tempdir().unwrap();
    let blobs = BlobStore::new(dir.path().join("blobs"));
    let out = dir.path().join("bundle.zip");
    exported(&golden, &blobs, &out).unwrap();
    let files = unpacked(&read(&out).unwrap());
    let target = dir.path().join("copy");
    assert_eq!(unpack(&out, &target).unwrap(), files.len());
    for (name, data) in &files {
        assert_eq!(&fs::read(target.join(name)).unwrap(), data, "{name}");
    }
    let again = Error::from(unpack(&out, &target).unwrap_err());
    assert_eq!((again.kind, again.code.as_str()), (ErrorKind::No, "already_there"));

    let names = |dir: &Path| fs::read_dir(dir).unwrap().count();
    let before = names(dir.path());
    let good = fs::read(&out).unwrap();
    let strange = zip::write(&[File { name: "strange", data: b"x" }]).unwrap();
    let slip = String::from_utf8_lossy(&strange).replace("strange", "../slip").into_bytes();
    for bytes in [&b""[..], b"PK", &good[..good.len() / 2], &strange, &slip] {
        fs::write(&out, bytes).unwrap();
        let refused = unpack(&out, &dir.path().join("other")).unwrap_err();
        assert!(matches!(refused, ExportError::NotABundle { .. }), "{refused}");
        assert_eq!(Error::from(refused).kind, ErrorKind::Integrity);
        assert_eq!(names(dir.path()), before, "nothing appeared");
    }
}
