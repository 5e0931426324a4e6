//! The bundle: a copy of a ledger, or of one release of it, that an auditor verifies without us.
//!
//! One container ([`zip`]) with these files, where `NNNNNNNN` is an entry's index and `HEX` a SHA-256:
//!
//! ```text
//! README.txt                     what this is and how to verify it
//! verify.sh                      verifies it with bash, coreutils, ssh-keygen and openssl
//! report.{html,pdf,csv,json}     the report, in as many forms as were asked for
//! leaves/NNNNNNNN.leaf           the entries: all, or those about one release and those about the ledger itself
//! proofs/NNNNNNNN.tlog-proof     one for each entry, where not all are there
//! checkpoint policy              the signed head, and whose log keys may sign it
//! allowed_signers allowed_signers.plain revoked   whose keys may sign entries
//! evidence/sha256/HEX            the files that entries name
//! SHA256SUMS SHA256SUMS.sig      the digests of all other files, signed by a device (countersign-export@v1)
//! ```
//!
//! [`judge`] believes none of it: the entries are admitted again, the root is computed from them, and every file that
//! follows from the entries must be what follows. What does not follow from them (README, verify.sh, reports) rests on
//! the signature of the device that made the copy, and on nothing else.
//!
//! With all entries the verdict is as good as on the ledger itself. With one release alone it is never better than
//! `incomplete`: the proofs show that these entries are there, never that no NO-GO is. Such a copy holds every entry
//! about people and devices, which are judged whole; of all others it is judged that somebody signed them who could,
//! on a desk that was enrolled. Roles, quorum and order are not.
//!
//! Absent: reading and writing files, the reports themselves, and whether it is wise to hand out a copy.

mod release;
pub mod zip;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ed25519_dalek::SigningKey;

use crate::act::closed_words;
use crate::admit::ParsedLeaf;
use crate::checkpoint::{CheckpointError, Opened};
use crate::entry::namespace;
use crate::hash::Digest;
use crate::judge::manifest;
use crate::merkle::{Head, Tree, leaf_hash};
use crate::note::Note;
use crate::proof::Proof;
use crate::signers::{self, Signers};
use crate::sshsig::{PublicKey, SshSig, sign};
use crate::state::State;
use crate::verify::{
    self, Anchor, Availability, BlobKind, Examined, Flaw, Fold, NamedBlob, Verification, VerifyFinding,
};
use crate::words::ReleaseId;
use zip::{File, ZipError};

/// The script that verifies a bundle with common tools.
pub const VERIFY_SH: &str = include_str!("../../../templates/verify.sh");
const README: &str = include_str!("../../../templates/bundle-readme.txt");

const README_NAME: &str = "README.txt";
const VERIFY_NAME: &str = "verify.sh";
const CHECKPOINT: &str = "checkpoint";
const POLICY: &str = "policy";
const ALLOWED_SIGNERS: &str = "allowed_signers";
const ALLOWED_SIGNERS_PLAIN: &str = "allowed_signers.plain";
const REVOKED: &str = "revoked";
const SUMS: &str = "SHA256SUMS";
const SUMS_SIGNATURE: &str = "SHA256SUMS.sig";
/// The files every bundle has.
const ALWAYS: [&str; 9] = [
    README_NAME,
    VERIFY_NAME,
    CHECKPOINT,
    POLICY,
    ALLOWED_SIGNERS,
    ALLOWED_SIGNERS_PLAIN,
    REVOKED,
    SUMS,
    SUMS_SIGNATURE,
];

closed_words!(
    /// A form of the report; its word is the name of its file.
    Report {
        /// For the browser.
        Html = "report.html",
        /// For print.
        Pdf = "report.pdf",
        /// For the spreadsheet.
        Csv = "report.csv",
        /// For programs.
        Json = "report.json",
    }
);

/// What a file of a bundle is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Always,
    Report,
    Leaf(u64),
    Proof(u64),
    Blob(Digest),
}

/// Returns what a file of that name is; none where a bundle has no such file.
fn place(name: &str) -> Option<Place> {
    let index = |folder: &str, ending: &str| {
        let digits = name.strip_prefix(folder)?.strip_suffix(ending)?;
        let eight = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
        eight.then(|| digits.parse().ok()).flatten()
    };
    if ALWAYS.contains(&name) {
        return Some(Place::Always);
    }
    if name.parse::<Report>().is_ok() {
        return Some(Place::Report);
    }
    let leaf = index("leaves/", ".leaf").map(Place::Leaf);
    let proof = || index("proofs/", ".tlog-proof").map(Place::Proof);
    let blob = || name.strip_prefix("evidence/sha256/")?.parse().ok().map(Place::Blob);
    leaf.or_else(proof).or_else(blob)
}

fn leaf_name(index: u64) -> String {
    format!("leaves/{index:08}.leaf")
}

fn proof_name(index: u64) -> String {
    format!("proofs/{index:08}.tlog-proof")
}

fn blob_name(digest: &Digest) -> String {
    format!("evidence/sha256/{digest}")
}

/// The largest index that has a place.
const INDEX_MAX: u64 = 99_999_999;

/// What a bundle is made from.
pub struct Content<'a> {
    /// Every leaf of the ledger, also where only one release is copied.
    pub leaves: Vec<Vec<u8>>,
    /// The signed head over them.
    pub checkpoint: &'a str,
    /// Only this release; the whole ledger when `None`.
    pub release: Option<&'a ReleaseId>,
    /// Reads a file that an entry names; `None` where it cannot be had, which makes the copy incomplete.
    pub blob: &'a mut dyn FnMut(&Digest) -> Option<Vec<u8>>,
    /// The report in its forms.
    pub reports: Vec<(Report, Vec<u8>)>,
}

impl std::fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { leaves, release, .. } = self;
        f.debug_struct("Content").field("leaves", &leaves.len()).field("release", release).finish_non_exhaustive()
    }
}

/// Why a bundle cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// There is no such release.
    #[error("there is no release {0}")]
    NoRelease(ReleaseId),
    /// The signed head does not fit the entries.
    #[error("the signed head does not fit the entries: {0}")]
    Checkpoint(String),
    /// No device in use has a log key.
    #[error("no log key of this ledger is in use: {0}")]
    LogKeys(#[from] CheckpointError),
    /// The key belongs to no device in use.
    #[error("the key that should sign the copy is of no device of this ledger in use")]
    NotADevice,
    /// A form of the report was given twice.
    #[error("{0} was given twice")]
    ReportTwice(Report),
    /// It does not fit into a container.
    #[error("the copy does not fit into one bundle: {0}; export one release at a time")]
    Zip(#[from] ZipError),
}

/// Makes a bundle; equal arguments give equal bytes.
///
/// Entries that were not admitted are copied with the rest: a copy shows what is there. Judge it to see what it is
/// worth.
///
/// # Errors
/// See [`BundleError`].
pub fn pack(content: Content<'_>, device_key: &SigningKey) -> Result<Vec<u8>, BundleError> {
    let Content { leaves, checkpoint, release, blob, reports } = content;
    let mut whole = Fold::default();
    let mut said = Vec::new();
    for leaf in &leaves {
        said.push(whole.take(ParsedLeaf::new(leaf.clone())).ok().map(|(_, statement)| statement));
    }
    let opened = verify::open_checkpoint(&whole.state, checkpoint)
        .map_err(|finding| BundleError::Checkpoint(finding.message))?;
    if opened.checkpoint.head() != whole.state.head() {
        return Err(BundleError::Checkpoint("it is of another size or root".to_owned()));
    }
    check_origin(&whole.state).map_err(BundleError::Checkpoint)?;
    if device_of(&whole.state, &PublicKey::of(device_key)).is_none() {
        return Err(BundleError::NotADevice);
    }
    if leaves.len() as u64 > INDEX_MAX {
        return Err(ZipError::TooManyFiles.into());
    }

    let mut files = BTreeMap::new();
    let policy = signers::log_policy(&whole.state)?.to_string();
    let (blobs, signers, chosen) = match release {
        None => (whole.blobs, whole.signers, (0..leaves.len()).collect()),
        Some(id) => {
            let chosen = release::select(&whole.state, &said, id).ok_or_else(|| BundleError::NoRelease(id.clone()))?;
            let mut alone = Fold::default();
            for index in &chosen {
                // What is chosen was admitted, and alone it passes fewer rules.
                let _ = alone.take_alone(*index as u64, ParsedLeaf::new(leaves[*index].clone()));
            }
            let note = Note::parse(checkpoint).map_err(|error| BundleError::Checkpoint(error.to_string()))?;
            for index in &chosen {
                let proof = prove(&whole.state.tree, *index as u64, &note);
                files.insert(proof_name(*index as u64), proof.to_string().into_bytes());
            }
            (alone.blobs, alone.signers, chosen)
        }
    };
    let readme = readme(&whole.state, release, chosen.len());
    for index in chosen {
        files.insert(leaf_name(index as u64), leaves[index].clone());
    }
    for named in &blobs {
        let bytes = match named.kind {
            BlobKind::Manifest => manifest_text(&whole.state, &named.digest).map(String::into_bytes),
            _ => blob(&named.digest).filter(|bytes| Digest::of(bytes) == named.digest),
        };
        if let Some(bytes) = bytes {
            files.insert(blob_name(&named.digest), bytes);
        }
    }
    for (form, bytes) in reports {
        if files.insert(form.to_string(), bytes).is_some() {
            return Err(BundleError::ReportTwice(form));
        }
    }
    for (name, text) in [
        (README_NAME, readme),
        (VERIFY_NAME, VERIFY_SH.to_owned()),
        (CHECKPOINT, checkpoint.to_owned()),
        (POLICY, policy),
        (ALLOWED_SIGNERS, signers.allowed_signers()),
        (ALLOWED_SIGNERS_PLAIN, signers.allowed_signers_plain()),
        (REVOKED, signers.revoked()),
    ] {
        files.insert(name.to_owned(), text.into_bytes());
    }
    let list = sums(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
    files.insert(SUMS_SIGNATURE.to_owned(), sign(device_key, &namespace("export"), list.as_bytes()).into_bytes());
    files.insert(SUMS.to_owned(), list.into_bytes());
    let files: Vec<_> = files.iter().map(|(name, data)| File { name, data }).collect();
    Ok(zip::write(&files)?)
}

fn prove(tree: &Tree, index: u64, checkpoint: &Note) -> Proof {
    let hashes = tree.inclusion_proof(index, tree.size()).expect("the index is below the size");
    Proof { index, hashes, checkpoint: checkpoint.clone() }
}

/// Returns the text of a manifest that a decision sheet names.
fn manifest_text(state: &State, digest: &Digest) -> Option<String> {
    let mut sheets =
        state.releases.values().flat_map(|release| release.sheets.iter().map(move |sheet| (release, sheet)));
    let (release, sheet) = sheets.find(|(_, sheet)| sheet.body.evidence.digest == *digest)?;
    let (named, text) = manifest(release, Some(sheet.body.evidence.count));
    (named.digest == *digest).then_some(text)
}

/// Returns the text of `sha256sum` over the files but the list itself and its signature, sorted by name.
fn sums<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> String {
    let mut list = String::new();
    for (name, bytes) in files.filter(|(name, _)| *name != SUMS && *name != SUMS_SIGNATURE) {
        let _ = writeln!(list, "{}  {name}", Digest::of(bytes));
    }
    list
}

fn readme(state: &State, release: Option<&ReleaseId>, entries: usize) -> String {
    let head = state.head();
    let of_all = format!("{} entries", head.size);
    let scope = match release {
        None => format!("the whole ledger: {of_all}"),
        Some(id) => format!("release {id} alone: {entries} of {of_all}"),
    };
    let sample = if state.sample() { "SAMPLE: nothing in this ledger is a real approval.\n\n" } else { "" };
    let title = state.genesis.as_ref().map(|genesis| genesis.title.to_string()).unwrap_or_default();
    let origin = state.origin.as_ref().map(ToString::to_string).unwrap_or_default();
    README
        .replace("{sample}", sample)
        .replace("{scope}", &scope)
        .replace("{root}", &head.root.to_base64())
        .replace("{origin}", &origin)
        .replace("{title}", &title)
}

/// The common tools compare the origin as it stands; JSON would write these two characters another way.
fn check_origin(state: &State) -> Result<(), String> {
    let origin = state.origin.as_ref().map(ToString::to_string).unwrap_or_default();
    let plain = !origin.contains(['"', '\\']);
    if plain { Ok(()) } else { Err(format!("the ledger's name {origin} holds a quote or a backslash")) }
}

/// Returns the entries of a bundle by index.
pub(crate) fn leaves<'a>(files: &Files<'a>) -> BTreeMap<u64, &'a [u8]> {
    let leaf = |(name, bytes): (&str, &'a [u8])| match place(name) {
        Some(Place::Leaf(index)) => Some((index, bytes)),
        _ => None,
    };
    files.iter().filter_map(leaf).collect()
}

/// Returns the device in use that signed the list of digests.
pub(crate) fn sealed_by(files: &Files<'_>, state: &State) -> Option<crate::words::Principal> {
    device_of(state, &SshSig::parse(files.text(SUMS_SIGNATURE)).ok()?.public_key)
}

/// Returns the principal of the device in use that has the key.
fn device_of(state: &State, key: &PublicKey) -> Option<crate::words::Principal> {
    let in_use = |device: &&crate::state::Device| device.revoked.is_none() && device.card.key == *key;
    state.devices.values().find(in_use).map(|device| device.card.principal.clone())
}

/// The files of a bundle whose container and layout are sound; nothing else is known of them.
#[derive(Debug, Clone)]
pub struct Files<'a>(BTreeMap<&'a str, &'a [u8]>);

impl<'a> Files<'a> {
    /// Reads the container and checks that every file in it has a place, and that those are there which always are.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Vec<VerifyFinding>> {
        let files = zip::read(bytes).map_err(|error| match error {
            ZipError::Damaged { names } => {
                names.iter().map(|name| about(name, Flaw::Container, "is damaged")).collect()
            }
            error => vec![VerifyFinding::new(None, Flaw::Container, format!("this is not a bundle: {error}"))],
        })?;
        let files: BTreeMap<_, _> = files.into_iter().map(|file| (file.name, file.data)).collect();
        let strange = files.keys().filter(|name| place(name).is_none());
        let mut findings: Vec<_> = strange
            .map(|name| VerifyFinding::new(None, Flaw::Layout, format!("{name} has no place in a bundle")))
            .collect();
        let absent = ALWAYS.iter().filter(|name| !files.contains_key(*name));
        findings.extend(absent.map(|name| VerifyFinding::new(None, Flaw::Layout, format!("{name} is missing"))));
        if findings.is_empty() { Ok(Self(files)) } else { Err(findings) }
    }

    /// Returns the files, sorted by name; each name is a plain relative path of at most three parts.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        self.0.iter().map(|(name, bytes)| (*name, *bytes))
    }

    fn get(&self, name: &str) -> &'a [u8] {
        self.0.get(name).copied().unwrap_or_default()
    }

    fn text(&self, name: &str) -> &'a str {
        str::from_utf8(self.get(name)).unwrap_or_default()
    }
}

/// A finding about a file, told by its entry where it is one.
fn about(name: &str, flaw: Flaw, what: &str) -> VerifyFinding {
    let index = match place(name) {
        Some(Place::Leaf(index) | Place::Proof(index)) => Some(index),
        _ => None,
    };
    VerifyFinding::new(index, flaw, format!("{name} {what}"))
}

/// Judges the bytes of a bundle.
///
/// Tree size and root are those computed from the entries (of one release alone: those of the checkpoint, once it is
/// believed); nothing and the empty root where the container is refused.
#[must_use]
pub fn judge(bytes: &[u8], anchor: &Anchor) -> Verification {
    let files = match Files::read(bytes) {
        Ok(files) => files,
        Err(findings) => return Examined { fold: Fold::default(), head: Head::EMPTY, findings }.conclude(),
    };
    let mut leaves = BTreeMap::new();
    let mut proofs = BTreeMap::new();
    let mut blobs = BTreeMap::new();
    for (name, bytes) in files.iter() {
        match place(name) {
            Some(Place::Leaf(index)) => drop(leaves.insert(index, bytes)),
            Some(Place::Proof(index)) => drop(proofs.insert(index, bytes)),
            Some(Place::Blob(digest)) => drop(blobs.insert(digest, bytes)),
            Some(Place::Always | Place::Report) | None => {}
        }
    }
    let mut examined = if proofs.is_empty() {
        examine_whole(&files, &leaves, &blobs, anchor)
    } else {
        release::examine(&files, &leaves, &proofs, &blobs, anchor)
    };
    let Fold { state, signers, blobs: named, .. } = &examined.fold;
    let mut findings = check_sums(&files, state);
    findings.extend(check_derived(&files, state, signers));
    findings.extend(check_strays(&blobs, named));
    examined.findings.extend(findings);
    examined.conclude()
}

fn examine_whole(
    files: &Files<'_>,
    leaves: &BTreeMap<u64, &[u8]>,
    blobs: &BTreeMap<Digest, &[u8]>,
    anchor: &Anchor,
) -> Examined {
    // Behind a gap nothing has its place any more; the gap is the finding.
    let contiguous = (0..).zip(leaves).take_while(|(place, (index, _))| *place == **index).count();
    let parsed = leaves.values().take(contiguous).map(|leaf| ParsedLeaf::new(leaf.to_vec()));
    let look_up = |digest: &Digest| availability(blobs, digest);
    let options = verify::Options { anchor: *anchor, checkpoint: Some(files.text(CHECKPOINT)), blobs: &look_up };
    let mut examined = verify::examine(parsed, &options);
    if contiguous < leaves.len() {
        let message = format!("{} is missing, later entries are here", leaf_name(contiguous as u64));
        examined.findings.push(VerifyFinding::new(Some(contiguous as u64), Flaw::EntryMissing, message));
    }
    examined
}

fn availability(blobs: &BTreeMap<Digest, &[u8]>, digest: &Digest) -> Availability {
    match blobs.get(digest) {
        None => Availability::Missing,
        Some(bytes) if Digest::of(bytes) == *digest => Availability::Present,
        Some(_) => Availability::Corrupt,
    }
}

/// The list of digests lists every other file as it is, and a device in use signed it.
fn check_sums(files: &Files<'_>, state: &State) -> Vec<VerifyFinding> {
    let mut findings = Vec::new();
    let (found, expected) = (files.text(SUMS), sums(files.iter()));
    if found != expected {
        let parse = |text: &str| -> BTreeMap<String, String> {
            let pair = |line: &str| line.split_once("  ").map(|(digest, name)| (name.to_owned(), digest.to_owned()));
            text.lines().filter_map(pair).collect()
        };
        let (listed, here) = (parse(found), parse(&expected));
        let names: BTreeSet<_> = listed.keys().chain(here.keys()).collect();
        for name in names {
            let what = match (listed.get(name), here.get(name)) {
                (Some(listed), Some(here)) if listed == here => continue,
                (Some(_), Some(_)) => "is not the file that SHA256SUMS lists: it was changed",
                (None, _) => "is not listed in SHA256SUMS: it was added",
                (_, None) => "is listed in SHA256SUMS and not here: it was removed",
            };
            findings.push(about(&name.escape_default().to_string(), Flaw::Sums, what));
        }
        if findings.is_empty() {
            findings.push(about(SUMS, Flaw::Sums, "is not written as sha256sum writes it, sorted by name"));
        }
    }
    let signed = SshSig::parse(files.text(SUMS_SIGNATURE)).and_then(|signature| {
        signature.verify(&namespace("export"), files.get(SUMS))?;
        Ok(signature.public_key)
    });
    match signed {
        Err(error) => findings.push(about(SUMS_SIGNATURE, Flaw::SumsSignature, &format!("is refused: {error}"))),
        Ok(key) if device_of(state, &key).is_none() => {
            let what = format!("was made by {}, which is no device of this ledger in use", key.fingerprint());
            findings.push(about(SUMS_SIGNATURE, Flaw::SumsSignature, &what));
        }
        Ok(_) => {}
    }
    findings
}

/// What follows from the entries is what follows.
fn check_derived(files: &Files<'_>, state: &State, signers: &Signers) -> Vec<VerifyFinding> {
    let mut findings = Vec::new();
    let policy = signers::log_policy(state).map(|policy| policy.to_string()).map_err(|error| error.to_string());
    for (name, expected) in [
        (POLICY, policy),
        (ALLOWED_SIGNERS, Ok(signers.allowed_signers())),
        (ALLOWED_SIGNERS_PLAIN, Ok(signers.allowed_signers_plain())),
        (REVOKED, Ok(signers.revoked())),
    ] {
        let what = match expected {
            Ok(expected) if expected.as_bytes() == files.get(name) => continue,
            Ok(_) => "is not what follows from the entries".to_owned(),
            Err(error) => format!("cannot follow from the entries: {error}"),
        };
        findings.push(about(name, Flaw::NotDerived, &what));
    }
    if let Err(message) = check_origin(state) {
        findings.push(VerifyFinding::new(None, Flaw::Checkpoint, message));
    }
    findings
}

/// Every file under `evidence` has the digest of its name and is named by an entry.
fn check_strays(blobs: &BTreeMap<Digest, &[u8]>, named: &[NamedBlob]) -> Vec<VerifyFinding> {
    let named: BTreeSet<_> = named.iter().map(|blob| blob.digest).collect();
    let strays = blobs.keys().filter(|digest| !named.contains(digest));
    strays.map(|digest| about(&blob_name(digest), Flaw::Layout, "is named by no entry")).collect()
}

/// Opens the checkpoint of a bundle and returns it, or what is wrong with it.
fn opened(files: &Files<'_>, state: &State) -> Result<Opened, VerifyFinding> {
    verify::open_checkpoint(state, files.text(CHECKPOINT))
}

/// Returns whether the proof shows that the leaf is at that index of the ledger with that head.
fn proves(proof: &Proof, index: u64, leaf: &[u8], head: &Head) -> Result<(), String> {
    if proof.index != index {
        return Err(format!("is of entry {}", proof.index));
    }
    crate::merkle::verify_inclusion(index, head.size, &leaf_hash(leaf), &proof.hashes, &head.root)
        .map_err(|error| format!("shows nothing: {error}"))
}
