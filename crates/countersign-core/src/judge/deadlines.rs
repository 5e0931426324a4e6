//! What ends, or has to be looked at, by a certain day: one list over everything in the ledger that has a date.

use super::*;
use crate::state::Person;

closed_words!(
    /// What is due.
    DeadlineKind {
        /// A person's key ends.
        Key = "key",
        /// A role ends.
        Role = "role",
        /// The training for a role runs out.
        Qualification = "qualification",
        /// A role lent to somebody goes back.
        Delegation = "delegation",
        /// A waiver ends.
        Waiver = "waiver",
        /// A standing authorization ends.
        Authorization = "authorization",
        /// A decision sheet that waits for signatures ends.
        Sheet = "sheet",
        /// A condition of a GO is to be met before the sheet ends.
        Condition = "condition",
        /// An emergency change is to be reviewed.
        EmergencyReview = "emergency-review",
        /// Who may do what, or the trail, is to be looked at again.
        Review = "review",
        /// A product has no process owner: due at once.
        Vacancy = "vacancy",
    }
);

/// Something with a date.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Deadline {
    /// What kind of thing.
    pub kind: DeadlineKind,
    /// What it is, in words.
    pub what: String,
    /// Whose it is, where it is somebody's.
    pub who: Option<Principal>,
    /// When it ends, or was to be done.
    pub when: Timestamp,
    /// The entry it comes from, where one says it.
    pub entry: Option<u64>,
}

impl Deadline {
    /// Returns whether it has passed.
    #[must_use]
    pub fn overdue(&self, at: Timestamp) -> bool {
        at > self.when
    }
}

/// Returns everything that ends or is to be done up to that moment, the earliest first; what has run out and was not
/// renewed stands first.
pub fn deadlines(state: &State, at: Timestamp, until: Timestamp) -> Vec<Deadline> {
    let mut list = Vec::new();
    for person in state.people.values().filter(|person| person.current_key().is_some()) {
        of_person(person, &mut list);
    }
    for record in state.authorizations.values().filter(|record| record.adopted.is_some() && record.suspended.is_none())
    {
        let what = format!("the standing authorization of {} for {} ends", record.product, record.environment);
        list.push(deadline(DeadlineKind::Authorization, what, Some(&record.by), record.valid.until, record.entry));
    }
    for release in state.releases.values().filter(|release| release.ended.is_none() && release.outcome.is_none()) {
        of_release(state, release, at, &mut list);
    }
    for release in state.releases.values().filter(|release| release.emergency_review.is_none()) {
        if let Some(due) = review_due(state, release) {
            let what = format!("the emergency change {} is reviewed", release.id);
            list.push(deadline(DeadlineKind::EmergencyReview, what, None, due, release.candidate_entry));
        }
    }
    for (scope, when) in reviews_due(state) {
        list.push(Deadline {
            kind: DeadlineKind::Review,
            what: format!("the {scope} review"),
            who: None,
            when,
            entry: state.last_review(scope).map(|last| last.entry.index),
        });
    }
    for product in vacancies(state, at) {
        let what = format!("{product} has no process owner: its policy cannot change");
        list.push(Deadline { kind: DeadlineKind::Vacancy, what, who: None, when: at, entry: None });
    }
    list.retain(|deadline| deadline.when <= until);
    list.sort_by(|a, b| (a.when, a.kind, &a.what).cmp(&(b.when, b.kind, &b.what)));
    list
}

/// Returns when who may do what and the trail are to be looked at again, where the charter asks for it.
pub fn reviews_due(state: &State) -> impl Iterator<Item = (ReviewScope, Timestamp)> {
    let days = state.genesis.as_ref().and_then(|genesis| genesis.charter).and_then(|charter| charter.review_days);
    let span = days.and_then(|days| i64::try_from(days).ok()).map(|days| days * 86_400);
    [ReviewScope::Access, ReviewScope::Trail].into_iter().filter_map(move |scope| {
        let since = state.last_review(scope).map(|last| last.time).or(state.began)?;
        Some((scope, since.plus_seconds(span?)))
    })
}

fn deadline(kind: DeadlineKind, what: String, who: Option<&Principal>, when: Timestamp, entry: EntryRef) -> Deadline {
    Deadline { kind, what, who: who.cloned(), when, entry: Some(entry.index) }
}

fn of_person(person: &Person, list: &mut Vec<Deadline>) {
    let who = Some(&person.card.principal);
    if let Some(key) = person.current_key() {
        list.push(deadline(
            DeadlineKind::Key,
            format!("the key of {} ends", person.card.name),
            who,
            key.valid_until,
            key.since,
        ));
    }
    for held in person.roles.iter().filter(|record| record.stands()) {
        let place = held.product.as_ref().map(|product| format!(" of {product}")).unwrap_or_default();
        if let Some(until) = held.until {
            let (kind, what) = match held.delegated_by() {
                Some(of) => (
                    DeadlineKind::Delegation,
                    format!("{} signs as {}{place} in the place of {of}", person.card.name, held.role),
                ),
                None => (DeadlineKind::Role, format!("{} is {}{place}", person.card.name, held.role)),
            };
            list.push(deadline(kind, what, who, until, held.granted));
        }
        // One that was renewed by a later grant of the same role is not due.
        let renewed = |trained: Timestamp| {
            person.roles.iter().any(|other| {
                let longer = other.qualification.as_ref().is_none_or(|later| later.until > trained);
                other.stands()
                    && other.granted > held.granted
                    && other.role == held.role
                    && other.product == held.product
                    && longer
            })
        };
        if let Some(trained) = held.qualification.as_ref().filter(|trained| !renewed(trained.until)) {
            let what = format!("the training of {} as {}{place} ({})", person.card.name, held.role, trained.reference);
            list.push(deadline(DeadlineKind::Qualification, what, who, trained.until, held.granted));
        }
    }
}

fn of_release(state: &State, release: &Release, at: Timestamp, list: &mut Vec<Deadline>) {
    let id = &release.id;
    let sent = release.rollout().is_some();
    if !sent {
        for waiver in waivers(release, at) {
            let what = format!("the waiver of gate {} of {id} ends", waiver.body.gate);
            let who = Some(&waiver.body.owner);
            list.push(deadline(DeadlineKind::Waiver, what, who, waiver.body.expires, waiver.entry));
        }
    }
    if let Some(sheet) = release.sheet().filter(|sheet| !sent && at <= sheet.body.not_after) {
        let due = sheet.body.due.unwrap_or(sheet.body.not_after);
        let decided = decision(state, release, sheet, at);
        if matches!(decided.outcome, Outcome::Incomplete | Outcome::Hold(_)) {
            list.push(deadline(DeadlineKind::Sheet, format!("{id} waits for signatures"), None, due, sheet.entry));
        }
        for judged in decided.answers.iter().filter(|judged| !judged.replaced) {
            for (text, _) in judged.answer.conditions.iter().filter(|(_, met)| met.is_none()) {
                let what = format!("{id} goes on the condition: {text}");
                let who = Some(&judged.answer.principal);
                list.push(deadline(DeadlineKind::Condition, what, who, sheet.body.not_after, judged.answer.entry));
            }
        }
    }
}
