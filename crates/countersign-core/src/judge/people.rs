//! What follows for people: who owns a product, whose role waits for a second person, who signs in whose place.

use crate::act::{self, Grant};
use crate::state::{Answerable, Person, RoleOrigin, RoleRecord, State};
use crate::words::{EntryRef, Principal, Slug, Timestamp, role};

/// The role in which those named by genesis say that they recover the ledger.
pub const RECOVERY: &str = "recovery";

/// The longest time somebody may sign in another's place under one delegation.
pub const DELEGATION_DAYS_MAX: i64 = 92;

/// Returns whether a second person states the identity of somebody whom that person enrols: of all but the first newcomer,
/// whom nobody else could know.
pub(crate) fn identity_is_co_signed(state: &State, by: &Principal) -> bool {
    let asked =
        state.genesis.as_ref().and_then(|genesis| genesis.charter).is_some_and(|charter| charter.co_signed_identity);
    asked && state.people.values().any(|person| person.card.principal != *by && person.known())
}

/// Returns whether the grant counts only once a second person has confirmed it.
pub(crate) fn role_is_co_signed(state: &State, by: &Principal, body: &act::Role) -> bool {
    let asked =
        state.genesis.as_ref().and_then(|genesis| genesis.charter).is_some_and(|charter| charter.co_signed_roles);
    asked && !founding(state, by, body)
}

/// Returns whether the grant is the one nobody could confirm: the first role anybody but the founder has, and none of those
/// that a policy may ask to sign.
pub fn founding(state: &State, by: &Principal, body: &act::Role) -> bool {
    const SERVING: [&str; 4] = [role::PROCESS_OWNER, role::RELEASE_MANAGER, role::PRACTITIONER, role::AUDITOR];
    let ever_stood = |record: &RoleRecord| !record.awaits || record.confirmed.is_some();
    let alone = state
        .people
        .values()
        .filter(|person| person.card.principal != *by)
        .all(|person| !person.roles.iter().any(ever_stood));
    alone && body.principal != *by && SERVING.contains(&body.role.as_str())
}

/// Returns the one person who answers for the product at that moment; none where the place is vacant.
///
/// That is the process owner appointed for the product; where none was appointed, the one who described it; where they are
/// gone, the only process owner of the ledger. Where several are left, nobody is it until one is appointed.
pub fn process_owner<'a>(state: &'a State, product: &Slug, at: Timestamp) -> Option<&'a Person> {
    if let Some(own) = appointed_owner(state, product, at) {
        return Some(own);
    }
    let may = |person: &&Person| person.can_sign(at) && person.holds(role::PROCESS_OWNER, None, at);
    let described = state.described.get(product).and_then(|who| state.people.get(who)).filter(may);
    described.or_else(|| {
        let mut all = state.people.values().filter(may);
        all.next().filter(|_| all.next().is_none())
    })
}

/// Returns the process owner appointed for the product itself.
pub(crate) fn appointed_owner<'a>(state: &'a State, product: &Slug, at: Timestamp) -> Option<&'a Person> {
    state.people.values().filter(|person| person.can_sign(at)).find(|person| {
        person.roles.iter().any(|record| {
            record.role.as_str() == role::PROCESS_OWNER
                && record.product.as_ref() == Some(product)
                && record.in_force(at)
        })
    })
}

/// Returns the products nobody answers for at that moment: their policy cannot change until somebody is appointed.
pub fn vacancies(state: &State, at: Timestamp) -> Vec<&Slug> {
    state.products.keys().filter(|product| process_owner(state, product, at).is_none()).collect()
}

/// Returns whether the signer of a lapse may only take back what they delegated themselves.
pub(crate) fn lapses_only_delegated(state: &State, by: &Principal, body: &act::Role, at: Timestamp) -> bool {
    body.change == Grant::Lapse
        && !state.people.get(by).is_some_and(|person| person.holds(role::PROCESS_OWNER, None, at))
}

/// Returns in whose place the person signs as that role at that moment; nobody's where they hold it themselves.
pub fn signs_for<'a>(
    state: &'a State,
    who: &Principal,
    role: &str,
    product: Option<&Slug>,
    at: Timestamp,
) -> Option<&'a Principal> {
    state.people.get(who)?.role_held(role, product, at)?.delegated_by()
}

/// Returns in whose place the person answers the subject as that role at that moment.
pub(crate) fn signs_for_subject(
    state: &State,
    subject: &Answerable,
    who: &Principal,
    role: &Slug,
    at: Timestamp,
) -> Option<Principal> {
    let product = match subject {
        Answerable::Sheet(id) | Answerable::Evidence(id) => Some(&state.releases.get(id)?.candidate.product),
        Answerable::Policy(product) | Answerable::Authorization(product) => Some(product),
        Answerable::Device(_) | Answerable::Person(_) | Answerable::Role(_) | Answerable::Removal(_) => None,
    };
    signs_for(state, who, role.as_str(), product, at).cloned()
}

/// A role, or a person, that waits for somebody to confirm it.
#[derive(Debug, Clone)]
pub struct Waiting<'a> {
    /// Whose role, or who.
    pub person: &'a Principal,
    /// The role; none where the identity waits.
    pub role: Option<&'a RoleRecord>,
    /// The entry an approval has to name.
    pub entry: EntryRef,
    /// Who asked for it, and so cannot confirm it.
    pub by: Vec<&'a Principal>,
}

/// Returns everything about people that waits for a confirmation, in the order of its entries.
pub fn waiting_for_second(state: &State) -> Vec<Waiting<'_>> {
    let mut list: Vec<Waiting<'_>> = Vec::new();
    for person in state.people.values() {
        let who = &person.card.principal;
        if !person.known() && person.current_key().is_some() {
            list.push(Waiting { person: who, role: None, entry: person.enrolled, by: vec![&person.enrolled_by] });
        }
        for record in person.roles.iter().filter(|record| record.waits()) {
            let by = match &record.origin {
                RoleOrigin::Recovered { by, .. } => by.iter().collect(),
                RoleOrigin::Granted | RoleOrigin::Delegated => vec![&record.by],
            };
            list.push(Waiting { person: who, role: Some(record), entry: record.granted, by });
        }
    }
    list.sort_by_key(|waiting| waiting.entry);
    list
}

/// Returns whether the person may confirm it at that moment.
pub fn may_confirm(state: &State, waiting: &Waiting<'_>, who: &Principal, at: Timestamp) -> bool {
    let Some(person) = state.people.get(who).filter(|person| person.can_sign(at)) else { return false };
    let apart = !waiting.by.contains(&who);
    match waiting.role {
        Some(RoleRecord { origin: RoleOrigin::Recovered { .. }, .. }) => {
            apart && state.genesis.as_ref().is_some_and(|genesis| genesis.recovery.people.contains(who))
        }
        Some(record) => {
            apart
                && waiting.person != who
                && person.roles.iter().any(|held| {
                    held.in_force(at) && held.reaches(record.product.as_ref()) && held.delegated_by().is_none()
                })
        }
        None => apart && waiting.person != who && person.holds_any(at),
    }
}
