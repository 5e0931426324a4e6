//! The leaves read again, in order, with what each changed.

use crate::model::Changed;
use countersign_core::act::{
    Act, AuthorizationChange, DeviceChange, FreezeChange, Grant, HoldChange, KeyChange, LiveRelease, ProposeChange,
};
use countersign_core::admit::{Statement, admit};
use countersign_core::entry::Entry;
use countersign_core::hash::Digest;
use countersign_core::judge::{self, Check};
use countersign_core::merkle::leaf_hash;
use countersign_core::rejection::{Code, Finding};
use countersign_core::state::{State, apply};
use countersign_core::words::{EntryRef, ReleaseId, Slug};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// One leaf of the ledger.
pub(super) struct Leaf {
    /// Its place.
    pub(super) index: u64,
    /// Its hash.
    pub(super) hash: Digest,
    /// Its act, [`super::UNREADABLE`] where it is no entry.
    pub(super) act: String,
    /// What it says, where it can be read.
    pub(super) statement: Option<Statement>,
    /// Why it has no effect.
    pub(super) finding: Option<Finding>,
    /// The release it is about.
    pub(super) release: Option<ReleaseId>,
    /// What it changed.
    pub(super) changes: Vec<Changed>,
    /// The last entry that took its place.
    pub(super) superseded_by: Option<u64>,
}

impl Leaf {
    /// What an admitted entry says.
    pub(super) fn admitted(&self) -> Option<&Statement> {
        self.statement.as_ref().filter(|_| self.finding.is_none())
    }

    /// Whether it was refused for its time.
    pub(super) fn clock_suspect(&self) -> bool {
        self.finding.as_ref().is_some_and(|it| it.code == Code::ClockSuspect)
    }
}

/// A gate that became red.
pub(super) struct Halt {
    /// The release it halted.
    pub(super) release: ReleaseId,
    /// The entry that made it red.
    pub(super) entry: u64,
    /// What the gate said.
    pub(super) check: Check,
}

/// The ledger as it was read again, entry by entry.
pub(super) struct History {
    /// Every leaf.
    pub(super) leaves: Vec<Leaf>,
    /// What the gates said when a sheet was frozen, by the entry of the sheet.
    pub(super) gates: BTreeMap<u64, Vec<Check>>,
    /// Each time a gate became red.
    pub(super) halts: Vec<Halt>,
    /// What was live when a release was closed, by the entry that closed it.
    pub(super) live: BTreeMap<u64, LiveRelease>,
}

impl History {
    /// Reads all leaves and folds them once more.
    pub(super) fn read(leaves: &[Vec<u8>]) -> Self {
        let mut history = Self {
            leaves: Vec::with_capacity(leaves.len()),
            gates: BTreeMap::new(),
            halts: Vec::new(),
            live: BTreeMap::new(),
        };
        let mut state = State::default();
        let mut red = BTreeSet::<(ReleaseId, String)>::new();
        for leaf in leaves {
            history.take(&mut state, &mut red, leaf);
        }
        history
    }

    fn take(&mut self, state: &mut State, red: &mut BTreeSet<(ReleaseId, String)>, bytes: &[u8]) {
        let index = self.leaves.len() as u64;
        let hash = leaf_hash(bytes);
        let parsed = Entry::parse(bytes.to_vec());
        let entry = parsed.as_ref().ok();
        let statement = entry.and_then(|entry| Statement::read(entry).ok());
        let release = statement.as_ref().and_then(|it| self.release_of(state, &it.act));
        let changed = statement.as_ref().map(|it| Change::of(state, it)).unwrap_or_default();
        let gates = statement.as_ref().map(|it| gates(state, it));
        let policies = match statement.as_ref().map(|it| &it.act) {
            Some(Act::Policy(_) | Act::Approval(_)) => in_force(state),
            _ => Vec::new(),
        };
        let admitted = match &parsed {
            Ok(entry) => admit(state, entry),
            Err(error) => Err(Finding { index, code: Code::Malformed, message: error.to_string() }),
        };
        state.tree.append(hash);
        let finding = admitted.map(|admitted| apply(state, admitted)).err();
        if finding.is_none() {
            for old in changed.supersedes {
                self.supersede(old.index, index);
            }
            for (product, before) in policies {
                if state.policy(&product).map(|it| it.entry) != Some(before) {
                    self.supersede(before.index, index);
                }
            }
            if let Some(gates) = gates.flatten() {
                self.gates.insert(index, gates);
            }
            if let (Some(id), Some(statement)) = (&release, &statement) {
                self.watch(state, red, id, index, statement);
            }
        }
        self.leaves.push(Leaf {
            index,
            hash,
            act: entry.map_or_else(|| super::UNREADABLE.to_owned(), |it| it.act().to_owned()),
            statement,
            finding,
            release,
            changes: changed.fields,
            superseded_by: None,
        });
    }

    fn supersede(&mut self, old: u64, by: u64) {
        if let Some(leaf) = usize::try_from(old).ok().and_then(|old| self.leaves.get_mut(old)) {
            leaf.superseded_by = Some(by);
        }
    }

    /// Remembers what was so when an entry came: gates that it turned red, what was live when it closed a release.
    fn watch(
        &mut self,
        state: &State,
        red: &mut BTreeSet<(ReleaseId, String)>,
        id: &ReleaseId,
        entry: u64,
        statement: &Statement,
    ) {
        let Some(release) = state.releases.get(id) else { return };
        for check in judge::checks(state, release, statement.common.time) {
            let key = (id.clone(), check.gate.clone());
            if !check.red() {
                red.remove(&key);
            } else if red.insert(key) {
                self.halts.push(Halt { release: id.clone(), entry, check });
            }
        }
        let product = &release.candidate.product;
        if let (Act::Outcome(_), Some(last)) = (&statement.act, state.last_environment(product))
            && let Some(live) = state.live.get(&(product.clone(), last.clone()))
        {
            self.live.insert(entry, live.clone());
        }
    }

    /// The release an act is about; a correction is about that of the entry it corrects.
    fn release_of(&self, state: &State, act: &Act) -> Option<ReleaseId> {
        match act {
            Act::Correction(body) => self.leaves.get(usize::try_from(body.entry.index).ok()?)?.release.clone(),
            other => judge::release_of(state, other).cloned(),
        }
    }
}

/// What the gates say of a release when its sheet is frozen.
fn gates(state: &State, statement: &Statement) -> Option<Vec<Check>> {
    let Act::Request(body) = &statement.act else { return None };
    Some(judge::checks(state, state.releases.get(&body.release)?, statement.common.time))
}

/// The policies in force.
fn in_force(state: &State) -> Vec<(Slug, EntryRef)> {
    let products = state.policies.keys();
    products.filter_map(|product| Some((product.clone(), state.policy(product)?.entry))).collect()
}

/// What an act changes, asked of the state before it.
#[derive(Default)]
struct Change {
    /// The fields, old and new.
    fields: Vec<Changed>,
    /// The entries whose place it takes.
    supersedes: Vec<EntryRef>,
}

impl Change {
    fn new(fields: Vec<Changed>, supersedes: impl IntoIterator<Item = EntryRef>) -> Self {
        Self { fields, supersedes: supersedes.into_iter().collect() }
    }

    fn of(state: &State, statement: &Statement) -> Self {
        let release = |id: &ReleaseId| state.releases.get(id);
        match &statement.act {
            Act::Propose(body) => match (&body.change, release(&body.release)) {
                (ProposeChange::Amend { candidate }, Some(before)) => {
                    Self::new(compared(&json(&before.candidate), &json(candidate)), [before.candidate_entry])
                }
                _ => Self::default(),
            },
            Act::Evidence(body) => Self::new(Vec::new(), body.replaces),
            Act::Request(body) => {
                Self::new(Vec::new(), release(&body.release).and_then(|it| it.sheet()).map(|sheet| sheet.entry))
            }
            Act::Approval(body) => {
                let sheets = state.releases.values().flat_map(|it| &it.sheets);
                let answers = sheets.filter(|it| it.entry == body.request).flat_map(|it| &it.answers);
                let own = answers.filter(|it| it.principal == statement.common.signer.principal);
                Self::new(Vec::new(), own.map(|it| it.entry))
            }
            Act::Product(body) => match state.products.get(&body.product) {
                Some((entry, before)) => Self::new(compared(&json(before), &json(body)), [*entry]),
                None => Self::default(),
            },
            Act::Target(body) => match state.targets.get(&(body.product.clone(), body.environment.clone())) {
                Some((entry, before)) => Self::new(compared(&json(before), &json(body)), [*entry]),
                None => Self::default(),
            },
            Act::Policy(body) => {
                let digest = |toml: &str| Some(Digest::of(toml.as_bytes()).to_string());
                let before = state.policy(&body.product);
                let fields = vec![
                    field("version", before.map(|it| it.version.to_string()), Some(body.version.to_string())),
                    field("text, SHA-256", before.and_then(|it| digest(&it.toml)), digest(&body.toml)),
                ];
                // It takes the place of the one in force only when its quorum has said GO.
                Self::new(fields, [])
            }
            Act::Role(body) => {
                let role = Some(match &body.product {
                    Some(product) => format!("{} for {product}", body.role),
                    None => body.role.to_string(),
                });
                match body.change {
                    Grant::Grant | Grant::Delegate | Grant::Recover => Self::new(vec![field("role", None, role)], []),
                    Grant::Lapse => {
                        let held = state.people.get(&body.principal).into_iter().flat_map(|it| &it.roles);
                        let ended = held.filter(|it| it.role == body.role && it.product == body.product);
                        let ended = ended.filter(|it| it.lapsed.is_none()).map(|it| it.granted);
                        Self::new(vec![field("role", role, None)], ended.collect::<Vec<_>>())
                    }
                }
            }
            Act::Key(body) => {
                let before = state.people.get(&body.principal).and_then(|it| it.current_key());
                let after = match &body.change {
                    KeyChange::Rotate { key, .. } => Some(key.fingerprint()),
                    KeyChange::Revoke {} | KeyChange::Lost {} => None,
                };
                Self::new(vec![field("key", before.map(|it| it.key.fingerprint()), after)], [])
            }
            Act::Device(body) => match &body.change {
                DeviceChange::Enrol { .. } => Self::default(),
                DeviceChange::Revoke { principal } => {
                    let before = state.devices.get(principal);
                    let key = field("device key", before.map(|it| it.card.key.fingerprint()), None);
                    Self::new(vec![key], before.map(|it| it.enrolled))
                }
            },
            Act::Authorization(body) => match &body.change {
                AuthorizationChange::Grant { .. } => Self::default(),
                AuthorizationChange::Suspend { authorization } => {
                    Self::new(vec![field("suspended", said("no"), said("yes"))], [*authorization])
                }
                AuthorizationChange::Resume { authorization } => {
                    Self::new(vec![field("suspended", said("yes"), said("no"))], [*authorization])
                }
            },
            Act::Freeze(body) => match &body.change {
                FreezeChange::Declare { .. } => Self::default(),
                FreezeChange::Lift { freeze } => Self::new(vec![field("frozen", said("yes"), said("no"))], [*freeze]),
            },
            Act::Hold(body) => match &body.change {
                HoldChange::Resume { hold, .. } => Self::new(vec![field("stopped", said("yes"), said("no"))], [*hold]),
                HoldChange::Hold { .. } | HoldChange::Halt {} | HoldChange::Cancel { .. } => Self::default(),
            },
            Act::Correction(body) => Self::new(
                vec![field(body.field.as_str(), said(body.old.as_str()), said(body.new.as_str()))],
                [body.entry],
            ),
            Act::Genesis(_)
            | Act::Enrol(_)
            | Act::EnrolAccept(_)
            | Act::Waiver(_)
            | Act::Stage(_)
            | Act::Condition(_)
            | Act::Dispatch(_)
            | Act::Lease(_)
            | Act::Run(_)
            | Act::Wave(_)
            | Act::Meeting(_)
            | Act::Outcome(_)
            | Act::Announce(_)
            | Act::Attempt(_)
            | Act::Refusal(_)
            | Act::Late(_)
            | Act::Review(_)
            | Act::Export(_) => Self::default(),
        }
    }
}

fn said(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn field(name: &str, before: Option<String>, after: Option<String>) -> Changed {
    Changed { field: name.to_owned(), before, after }
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or(Value::Null)
}

/// The fields of two records that differ.
fn compared(before: &Value, after: &Value) -> Vec<Changed> {
    let none = Map::new();
    let (before, after) = (before.as_object().unwrap_or(&none), after.as_object().unwrap_or(&none));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let shown =
        |value: Option<&Value>| value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| field(name, shown(before.get(name)), shown(after.get(name))))
        .collect()
}
