//! What each entry of an open ledger is, in a few bytes: for lists that filter and page without reading entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use countersign_core::act::Act;
use countersign_core::admit::Statement;
use countersign_core::judge;
use countersign_core::state::State;
use countersign_core::words::{Principal, ReleaseId, Slug, Timestamp};

/// What one entry is.
#[derive(Debug, Clone)]
pub struct EntryMeta {
    /// When, by its signer's clock.
    pub time: Timestamp,
    /// Who signed it.
    pub actor: Arc<Principal>,
    /// The act's name.
    pub act: &'static str,
    /// The release it is about.
    pub release: Option<Arc<ReleaseId>>,
    /// The product it is about.
    pub product: Option<Arc<Slug>>,
}

/// What every entry is; none for one that was not admitted.
#[derive(Debug, Clone, Default)]
pub struct Index {
    entries: Vec<Option<EntryMeta>>,
    actors: BTreeMap<Principal, Arc<Principal>>,
    releases: BTreeMap<ReleaseId, Arc<ReleaseId>>,
    products: BTreeMap<Slug, Arc<Slug>>,
    about: BTreeMap<Arc<ReleaseId>, Vec<u64>>,
}

fn shared<T: Ord + Clone>(known: &mut BTreeMap<T, Arc<T>>, word: &T) -> Arc<T> {
    match known.get(word) {
        Some(shared) => shared.clone(),
        None => {
            let shared = Arc::new(word.clone());
            known.insert(word.clone(), shared.clone());
            shared
        }
    }
}

impl Index {
    /// Returns what the entries are, by index.
    #[must_use]
    pub fn entries(&self) -> &[Option<EntryMeta>] {
        &self.entries
    }

    /// Returns the entries about a release, in their order.
    #[must_use]
    pub fn about(&self, release: &ReleaseId) -> &[u64] {
        self.about.get(release).map_or(&[], Vec::as_slice)
    }

    /// Returns what an entry is; none for one that is not there or was not admitted.
    #[must_use]
    pub fn get(&self, index: u64) -> Option<&EntryMeta> {
        self.entries.get(usize::try_from(index).ok()?)?.as_ref()
    }

    /// Returns when an entry was signed.
    #[must_use]
    pub fn time(&self, index: u64) -> Option<Timestamp> {
        self.get(index).map(|meta| meta.time)
    }

    pub(super) fn take(&mut self, index: u64, state: &State, statement: &Statement) {
        debug_assert_eq!(index, self.entries.len() as u64, "entries come in order");
        let release = judge::release_of(state, &statement.act);
        let product = match &statement.act {
            Act::Product(body) => Some(&body.product),
            Act::Target(body) => Some(&body.product),
            Act::Policy(body) => Some(&body.product),
            _ => release.and_then(|id| state.releases.get(id)).map(|release| &release.candidate.product),
        };
        let meta = EntryMeta {
            time: statement.common.time,
            actor: shared(&mut self.actors, &statement.common.signer.principal),
            act: statement.act.name(),
            release: release.map(|id| shared(&mut self.releases, id)),
            product: product.map(|product| shared(&mut self.products, product)),
        };
        if let Some(release) = &meta.release {
            self.about.entry(release.clone()).or_default().push(index);
        }
        self.entries.push(Some(meta));
    }

    pub(super) fn take_unadmitted(&mut self, index: u64) {
        debug_assert_eq!(index, self.entries.len() as u64, "entries come in order");
        self.entries.push(None);
    }
}
