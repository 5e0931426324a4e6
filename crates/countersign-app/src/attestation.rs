//! What a dispatch carries into the pipeline, and what the pipeline is given beforehand to judge it by.
//!
//! An [`Attestation`] is one string, base64 of lines `NAME SP BASE64(content) LF`:
//!
//! | part | content |
//! |---|---|
//! | `header` | 11 lines `key=value LF`, sorted: artifact, commit, environment, kind, ledger, not_after (seconds since 1970), release, request_id, sheet, version, wave |
//! | `header.sig` | SSHSIG of the dispatcher device over the header, namespace [`NAMESPACE`] |
//! | `request` | the entry with the decision sheet; its leaf hash is the header's `sheet` |
//! | `approval` | any number of entries: the verdicts on the sheet that count |
//! | `condition` | any number of entries: the conditions of such verdicts that were settled |
//! | `authorization` | at most one entry: the standing authorization the dispatcher's own verdict rests on |
//! | `adoption` | any number of entries: the verdicts of the people who adopted it |
//!
//! [`GATE`] is the shell template that checks it inside the pipeline, with nothing but bash, the core utilities, grep
//! and `ssh-keygen`. Its header documents the same format from the other side, and the rules in full. A [`Trust`] is
//! what an administrator pins where nobody who changes the code can reach it.
//!
//! A header alone, which is to say the dispatcher's key alone, opens no environment that people sign for.
//!
//! Absent: reading an attestation. Only the gate does, on purpose in another language than this one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use base64ct::{Base64, Encoding};
use countersign_core::act::{ChangeType, DispatchKind};
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::sshsig::{self, PublicKey};
use countersign_core::words::{CommitId, Line, Principal, ReleaseId, Slug, Timestamp};
use ed25519_dalek::SigningKey;

use crate::connector::RequestId;
use crate::durable::{self, FileError};

/// The namespace of a header's signature.
pub const NAMESPACE: &str = "countersign-attestation@v1";
/// The gate, a bash script to be installed in the pipeline's protected configuration.
pub const GATE: &str = include_str!("../../../templates/gate.sh");
/// The largest attestation: one variable of a process' environment holds it.
pub const ATTESTATION_BYTES_MAX: usize = 120 << 10;

/// What is to happen, in the words the pipeline compares with what it is about to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Digest of the file to deploy; in a rollback, of the one that comes back.
    pub artifact: Digest,
    /// The commit the artifact was built from.
    pub commit: CommitId,
    /// The environment.
    pub environment: Slug,
    /// Deploy or roll back.
    pub kind: DispatchKind,
    /// The ledger's origin.
    pub ledger: Line,
    /// The attestation opens nothing from this moment on.
    pub not_after: Timestamp,
    /// The release decided on; in a rollback, the one that is taken back.
    pub release: ReleaseId,
    /// The dispatch.
    pub request_id: RequestId,
    /// Leaf hash of the decision sheet; of the candidate, before the go/no-go.
    pub sheet: Digest,
    /// The version of the artifact.
    pub version: Line,
    /// The segment that the wave reaches.
    pub wave: Slug,
}

impl Header {
    /// Encodes the header as it is signed.
    ///
    /// # Errors
    /// [`AttestationError::NotPlain`] where the ledger or the version holds more than printable ASCII, or blanks at
    /// its ends: a shell could not compare it safely.
    pub fn encode(&self) -> Result<String, AttestationError> {
        for (field, value) in [("ledger", self.ledger.as_str()), ("version", self.version.as_str())] {
            if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) || value.trim() != value {
                return Err(AttestationError::NotPlain { field, value: value.to_owned() });
            }
        }
        let fields: BTreeMap<&str, String> = BTreeMap::from([
            ("artifact", self.artifact.to_string()),
            ("commit", self.commit.to_string()),
            ("environment", self.environment.to_string()),
            ("kind", self.kind.to_string()),
            ("ledger", self.ledger.to_string()),
            ("not_after", self.not_after.epoch_seconds().to_string()),
            ("release", self.release.to_string()),
            ("request_id", self.request_id.to_string()),
            ("sheet", self.sheet.to_string()),
            ("version", self.version.to_string()),
            ("wave", self.wave.to_string()),
        ]);
        Ok(fields.iter().map(|(name, value)| format!("{name}={value}\n")).collect())
    }
}

/// A dispatch's header with the entries that speak for it.
#[derive(Debug, Clone)]
pub struct Attestation {
    /// What is to happen.
    pub header: Header,
    /// The decision sheet; the candidate or nothing where no person's signature is needed.
    pub request: Option<Entry>,
    /// The verdicts on it that count.
    pub approvals: Vec<Entry>,
    /// The conditions of those that were settled.
    pub conditions: Vec<Entry>,
    /// The standing authorization, where one signs.
    pub authorization: Option<Entry>,
    /// The verdicts that adopted it.
    pub adoptions: Vec<Entry>,
}

/// An attestation cannot be made, or trust cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum AttestationError {
    /// A shell could not compare the value safely.
    #[error("the {field} '{value}' holds more than printable ASCII, which a pipeline cannot compare: rename it")]
    NotPlain {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
    /// An entry stands where one of another act belongs.
    #[error("an entry of the act {found} stands where {wanted} belongs")]
    WrongAct {
        /// What it is.
        found: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// The header names another entry than the one that is there.
    #[error("the header names another {what} than the entry that comes with it")]
    Mismatch {
        /// Which entry.
        what: &'static str,
    },
    /// It does not fit into a variable of the pipeline.
    #[error(
        "the attestation has {bytes} bytes and may have {ATTESTATION_BYTES_MAX}: fewer sign-offs, or a shorter sheet"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// What is to be trusted contradicts itself.
    #[error("this trust cannot be written down: {0}")]
    Trust(String),
    /// The disk failed.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Attestation {
    /// Signs the header with the dispatcher device's key and encodes the whole as one line.
    ///
    /// # Errors
    /// [`AttestationError`], one variant for each reason.
    pub fn encode(&self, dispatcher: &SigningKey) -> Result<String, AttestationError> {
        let header = self.header.encode()?;
        let signature = sshsig::sign(dispatcher, NAMESPACE, header.as_bytes());
        let mut lines = String::new();
        let mut part = |name: &str, content: &[u8]| {
            writeln!(lines, "{name} {}", Base64::encode_string(content)).expect("a string takes all that is written");
        };
        part("header", header.as_bytes());
        part("header.sig", signature.as_bytes());
        let entries = [
            ("request", "request", self.request.as_slice()),
            ("approval", "approval", &self.approvals),
            ("condition", "condition", &self.conditions),
            ("authorization", "authorization", self.authorization.as_slice()),
            ("adoption", "approval", &self.adoptions),
        ];
        for (name, act, entries) in entries {
            for entry in entries {
                let candidate = name == "request" && entry.act() == "propose";
                if entry.act() != act && !candidate {
                    return Err(AttestationError::WrongAct { found: entry.act().to_owned(), wanted: act });
                }
                part(name, entry.leaf());
            }
        }
        if self.request.as_ref().is_some_and(|request| request.leaf_hash() != self.header.sheet) {
            return Err(AttestationError::Mismatch { what: "sheet" });
        }
        let encoded = Base64::encode_string(lines.as_bytes());
        if encoded.len() > ATTESTATION_BYTES_MAX {
            return Err(AttestationError::TooLarge { bytes: encoded.len() });
        }
        Ok(encoded)
    }
}

/// A key and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedKey {
    /// Whose it is.
    pub principal: Principal,
    /// The key.
    pub key: PublicKey,
    /// The key is not accepted from this moment on. Pipelines then need OpenSSH 9.1.
    pub valid_before: Option<Timestamp>,
}

/// A person whom a pipeline knows. Somebody without a role may ask, and counts for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedPerson {
    /// The person's key; somebody with two keys is there twice.
    pub key: TrustedKey,
    /// The roles the person may fill.
    pub roles: Vec<Slug>,
}

/// Who may not be the same person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distinct {
    /// Nobody counts in two roles, and who asked counts in none.
    SignersAndRequester,
    /// Nobody counts in two roles.
    Signers,
    /// One person may fill several roles.
    Nobody,
}

/// The people a pipeline asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quorum {
    /// How many people are needed in each role.
    pub roles: BTreeMap<Slug, u32>,
    /// How many for changes of a type, where they are others.
    pub by_change: BTreeMap<ChangeType, BTreeMap<Slug, u32>>,
    /// The people.
    pub people: Vec<TrustedPerson>,
    /// Who may not be the same.
    pub distinct: Distinct,
    /// Leaf hashes of the standing authorizations that may stand in for them.
    pub authorizations: Vec<Digest>,
}

/// What the pipeline of one environment trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust {
    /// The environment.
    pub environment: Slug,
    /// The only product deployed by this pipeline, where it is pinned.
    pub product: Option<Slug>,
    /// The only ledger, where it is pinned.
    pub ledger: Option<Line>,
    /// The dispatcher devices.
    pub dispatchers: Vec<TrustedKey>,
    /// The people; none for an environment before the go/no-go, which must not be named `production`.
    pub quorum: Option<Quorum>,
}

impl Trust {
    /// Renders `allowed_signers`: each key with the namespaces it may sign for, and no others.
    ///
    /// # Errors
    /// [`AttestationError::Trust`] where a device and a person share a principal or a key.
    pub fn allowed_signers(&self) -> Result<String, AttestationError> {
        let quorum = self.quorum.as_ref();
        let people = || quorum.iter().flat_map(|quorum| &quorum.people).map(|person| &person.key);
        for device in &self.dispatchers {
            if people().any(|key| key.principal == device.principal || key.key == device.key) {
                return Err(AttestationError::Trust(format!("{} is a device and a person", device.principal)));
            }
        }
        let standing = quorum.is_some_and(|quorum| !quorum.authorizations.is_empty());
        let of_devices: &[&str] = if standing { &["attestation", "request", "approval"] } else { &["attestation"] };
        let of_people: &[&str] = &["request", "approval", "condition", "authorization"];
        let lines = self.dispatchers.iter().map(|key| (key, of_devices)).chain(people().map(|key| (key, of_people)));
        let mut text = String::new();
        for (key, acts) in lines {
            let namespaces: Vec<String> = acts.iter().map(|act| countersign_core::entry::namespace(act)).collect();
            let valid = key
                .valid_before
                .map(|time| format!(",valid-before=\"{}\"", time.to_chrono().format("%Y%m%d%H%M%SZ")))
                .unwrap_or_default();
            let line = format!("{} namespaces=\"{}\"{valid} {}\n", key.principal, namespaces.join(","), key.key);
            text.push_str(&line);
        }
        Ok(text)
    }

    /// Renders `requirement`.
    ///
    /// # Errors
    /// [`AttestationError::Trust`] where the gate would refuse it as a whole: without a dispatcher, without anybody
    /// asked for, for more than 99 people, or for `production` without people; [`AttestationError::NotPlain`] for a
    /// ledger that it cannot compare.
    pub fn requirement(&self) -> Result<String, AttestationError> {
        let refuse = |what: &str| Err(AttestationError::Trust(what.to_owned()));
        let mut lines = vec![format!("environment {}", self.environment)];
        lines.extend(self.product.iter().map(|product| format!("product {product}")));
        if let Some(ledger) = &self.ledger {
            if !ledger.as_str().bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return Err(AttestationError::NotPlain { field: "ledger", value: ledger.to_string() });
            }
            lines.push(format!("ledger {ledger}"));
        }
        if self.dispatchers.is_empty() {
            return refuse("there is no dispatcher");
        }
        lines.extend(self.dispatchers.iter().map(|key| format!("dispatcher {}", key.principal)));
        match &self.quorum {
            None if self.environment.as_str() == "production" => return refuse("production needs people"),
            None => lines.push("human no".to_owned()),
            Some(quorum) => {
                let all = || quorum.by_change.values().chain([&quorum.roles]);
                if all().any(|roles| roles.is_empty() || roles.values().any(|count| !(1..=99).contains(count))) {
                    return refuse("each environment needs 1 to 99 people in a role");
                }
                lines.extend(quorum.roles.iter().map(|(role, count)| format!("require {role} {count}")));
                for (change, roles) in &quorum.by_change {
                    lines.extend(roles.iter().map(|(role, count)| format!("require {role} {count} {change}")));
                }
                match quorum.distinct {
                    Distinct::SignersAndRequester => lines.push("distinct requester".to_owned()),
                    Distinct::Signers => lines.push("distinct".to_owned()),
                    Distinct::Nobody => {}
                }
                for person in &quorum.people {
                    lines.extend(person.roles.iter().map(|role| format!("may {role} {}", person.key.principal)));
                }
                lines.extend(quorum.authorizations.iter().map(|leaf| format!("authorization {leaf}")));
            }
        }
        Ok(lines.join("\n") + "\n")
    }

    /// Writes both files into the directory that the pipeline is given as `COUNTERSIGN_TRUST`.
    ///
    /// # Errors
    /// Those of [`Trust::allowed_signers`] and [`Trust::requirement`], and [`AttestationError::File`].
    pub fn write(&self, directory: &Path) -> Result<(), AttestationError> {
        let (signers, requirement) = (self.allowed_signers()?, self.requirement()?);
        durable::create_private_dir(directory)?;
        durable::replace(&directory.join("allowed_signers"), signers.as_bytes())?;
        Ok(durable::replace(&directory.join("requirement"), requirement.as_bytes())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn header() -> Header {
        Header {
            artifact: Digest::of(b"artifact"),
            commit: "c".repeat(40).parse().unwrap(),
            environment: "production".parse().unwrap(),
            kind: DispatchKind::Deploy,
            ledger: "acme.example/ledger".parse().unwrap(),
            not_after: "2027-01-01T00:00:00Z".parse().unwrap(),
            release: "shop-1.1.0".parse().unwrap(),
            request_id: "r-1".parse().unwrap(),
            sheet: Digest::of(b"sheet"),
            version: "1.1.0".parse().unwrap(),
            wave: "segment".parse().unwrap(),
        }
    }

    fn entry(act: &str) -> Entry {
        let payload = json!({
            "_type": countersign_core::entry::STATEMENT_TYPE,
            "predicate": {},
            "predicateType": countersign_core::entry::predicate_type(act),
            "subject": [{"digest": {"sha256": Digest::of(b"artifact")}, "name": "artifact"}],
        });
        Entry::sign(&payload, act, &SigningKey::from_bytes(&[7; 32])).unwrap()
    }

    fn bare(header: Header) -> Attestation {
        Attestation {
            header,
            request: None,
            approvals: vec![],
            conditions: vec![],
            authorization: None,
            adoptions: vec![],
        }
    }

    #[test]
    fn a_header_is_sorted_lines() {
        let text = header().encode().unwrap();
        let names: Vec<&str> = text.lines().map(|line| line.split_once('=').unwrap().0).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(names, sorted);
        assert_eq!(names.len(), 11);
        assert!(text.contains("\nkind=deploy\n") && text.contains("\nnot_after=1798761600\n"));
    }

    #[test]
    fn what_a_shell_could_not_compare_is_refused() {
        for bad in ["1.0 \u{e9}", " 1.0", "1.0 "] {
            let header = Header { version: bad.parse().unwrap(), ..header() };
            assert!(matches!(header.encode(), Err(AttestationError::NotPlain { field: "version", .. })), "{bad:?}");
        }
    }

    #[test]
    fn an_attestation_is_one_line_of_parts_in_order() {
        let request = entry("request");
        let whole = Attestation {
            header: Header { sheet: request.leaf_hash(), ..header() },
            request: Some(request.clone()),
            approvals: vec![entry("approval"), entry("approval")],
            conditions: vec![entry("condition")],
            authorization: Some(entry("authorization")),
            adoptions: vec![entry("approval")],
        };
        let key = SigningKey::from_bytes(&[9; 32]);
        let text = whole.encode(&key).unwrap();
        let lines = String::from_utf8(Base64::decode_vec(&text).unwrap()).unwrap();
        let parts: Vec<(&str, Vec<u8>)> = lines
            .lines()
            .map(|line| line.split_once(' ').unwrap())
            .map(|(name, content)| (name, Base64::decode_vec(content).unwrap()))
            .collect();
        let names: Vec<&str> = parts.iter().map(|(name, _)| *name).collect();
        let expected =
            ["header", "header.sig", "request", "approval", "approval", "condition", "authorization", "adoption"];
        assert_eq!(names, expected);
        assert_eq!(parts[2].1, request.leaf());
        let signature = sshsig::SshSig::parse(std::str::from_utf8(&parts[1].1).unwrap()).unwrap();
        signature.verify(NAMESPACE, &parts[0].1).unwrap();
        assert_eq!(signature.public_key, PublicKey::of(&key));
    }

    #[test]
    fn entries_stand_only_where_they_belong() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let wrong = Attestation { approvals: vec![entry("request")], ..bare(header()) };
        assert!(matches!(wrong.encode(&key), Err(AttestationError::WrongAct { .. })));
        let other = Attestation { request: Some(entry("request")), ..bare(header()) };
        assert!(matches!(other.encode(&key), Err(AttestationError::Mismatch { what: "sheet" })));
        let many = Attestation { approvals: vec![entry("approval"); 400], ..bare(header()) };
        assert!(matches!(many.encode(&key), Err(AttestationError::TooLarge { .. })));
        assert!(bare(header()).encode(&key).is_ok());
    }

    fn trust() -> Trust {
        let key = |seed: u8, who: &str| TrustedKey {
            principal: who.parse().unwrap(),
            key: PublicKey::of(&SigningKey::from_bytes(&[seed; 32])),
            valid_before: None,
        };
        Trust {
            environment: "production".parse().unwrap(),
            product: Some("shop".parse().unwrap()),
            ledger: None,
            dispatchers: vec![key(1, "desk@acme.example")],
            quorum: Some(Quorum {
                roles: BTreeMap::from([("qa".parse().unwrap(), 1), ("po".parse().unwrap(), 2)]),
                by_change: BTreeMap::from([(ChangeType::Emergency, BTreeMap::from([("qa".parse().unwrap(), 2)]))]),
                people: vec![TrustedPerson {
                    key: TrustedKey {
                        valid_before: Some("2027-01-01T00:00:00Z".parse().unwrap()),
                        ..key(2, "ann@acme.example")
                    },
                    roles: vec!["qa".parse().unwrap(), "po".parse().unwrap()],
                }],
                distinct: Distinct::SignersAndRequester,
                authorizations: vec![],
            }),
        }
    }

    #[test]
    fn a_key_may_sign_only_what_it_is_trusted_for() {
        let mut trust = trust();
        let text = trust.allowed_signers().unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("desk@acme.example namespaces=\"countersign-attestation@v1\" ssh-ed25519 AAAA"));
        assert!(lines[1].starts_with(
            "ann@acme.example namespaces=\"countersign-request@v1,countersign-approval@v1,countersign-condition@v1,countersign-authorization@v1\",valid-before=\"20270101000000Z\" ssh-ed25519 "
        ));
        trust.quorum.as_mut().unwrap().authorizations.push(Digest::of(b"a"));
        assert!(
            trust
                .allowed_signers()
                .unwrap()
                .contains("attestation@v1,countersign-request@v1,countersign-approval@v1\" ")
        );
        trust.dispatchers[0].key = trust.quorum.as_ref().unwrap().people[0].key.key;
        assert!(matches!(trust.allowed_signers(), Err(AttestationError::Trust(_))));
    }

    #[test]
    fn a_requirement_lists_what_is_asked_for() {
        let mut trust = trust();
        assert_eq!(
            trust.requirement().unwrap(),
            "environment production\nproduct shop\ndispatcher desk@acme.example\nrequire po 2\nrequire qa 1\n\
             require qa 2 emergency\ndistinct requester\nmay qa ann@acme.example\nmay po ann@acme.example\n"
        );
        trust.quorum = None;
        assert!(matches!(trust.requirement(), Err(AttestationError::Trust(_))), "production without people");
        trust.environment = "staging".parse().unwrap();
        assert!(trust.requirement().unwrap().ends_with("\nhuman no\n"));
        trust.dispatchers.clear();
        assert!(matches!(trust.requirement(), Err(AttestationError::Trust(_))));
    }
}
