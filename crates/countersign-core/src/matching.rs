//! People to seats: who can fill a quorum together, each sitting once.
//!
//! A seat is one signature a role asks for. Whoever holds several roles can fill a seat of any of them, but only one seat;
//! whether everybody finds a place is a matching in a bipartite graph, and taking seats one by one as they come
//! answers it wrongly. Here seats are re-arranged along augmenting paths until no more can be filled.

use std::collections::{BTreeMap, BTreeSet};

use crate::words::{Principal, Slug};

/// The seats of one role that are still free, and who could take one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bench {
    /// The role.
    pub(crate) role: Slug,
    /// How many seats are free.
    pub(crate) free: usize,
    /// Who could take one.
    pub(crate) able: BTreeSet<Principal>,
}

/// Seats as many people as can be seated, each once.
///
/// Returns who sits where; it is a largest such arrangement, and always the same for the same benches.
pub(crate) fn seat(benches: &[Bench], without: &BTreeSet<Principal>) -> BTreeMap<Principal, Slug> {
    // Nobody needs more seats than there are people who could take one.
    let seats: Vec<&Bench> =
        benches.iter().flat_map(|bench| std::iter::repeat_n(bench, bench.free.min(bench.able.len()))).collect();
    let mut taken: BTreeMap<&Principal, usize> = BTreeMap::new();
    for place in 0..seats.len() {
        arrange(&seats, without, place, &mut taken, &mut BTreeSet::new());
    }
    taken.into_iter().map(|(who, place)| (who.clone(), seats[place].role.clone())).collect()
}

/// Fills the seat, moving whoever sits elsewhere where that frees somebody; returns whether it could.
fn arrange<'a>(
    seats: &[&'a Bench],
    without: &BTreeSet<Principal>,
    place: usize,
    taken: &mut BTreeMap<&'a Principal, usize>,
    asked: &mut BTreeSet<&'a Principal>,
) -> bool {
    for who in seats[place].able.iter().filter(|who| !without.contains(*who)) {
        if !asked.insert(who) {
            continue;
        }
        let free = match taken.get(who).copied() {
            None => true,
            Some(other) => arrange(seats, without, other, taken, asked),
        };
        if free {
            taken.insert(who, place);
            return true;
        }
    }
    false
}

/// Returns the roles, with how many each, that nobody is left for.
pub(crate) fn unfilled(benches: &[Bench], seated: &BTreeMap<Principal, Slug>) -> Vec<(Slug, usize)> {
    benches
        .iter()
        .map(|bench| {
            let filled = seated.values().filter(|role| **role == bench.role).count();
            (bench.role.clone(), bench.free.saturating_sub(filled))
        })
        .filter(|(_, missing)| *missing > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bench(role: &str, free: usize, able: &[&str]) -> Bench {
        Bench {
            role: role.parse().unwrap(),
            free,
            able: able.iter().map(|who| format!("{who}@acme.example").parse().unwrap()).collect(),
        }
    }

    fn seated(benches: &[Bench]) -> usize {
        seat(benches, &BTreeSet::new()).len()
    }

    /// Takes the first free person for each seat, as they come.
    fn greedily(benches: &[Bench]) -> usize {
        let mut taken = BTreeSet::new();
        for bench in benches {
            for _ in 0..bench.free {
                let Some(who) = bench.able.iter().find(|who| !taken.contains(*who)) else { break };
                taken.insert(who.clone());
            }
        }
        taken.len()
    }

    #[test]
    fn seats_are_rearranged_where_taking_them_as_they_come_would_fail() {
        // Ana alone is security, and comes first for qa, too.
        let benches = [bench("qa", 1, &["ana", "quinn"]), bench("security", 1, &["ana"])];
        assert_eq!(greedily(&benches), 1, "one by one leaves security empty");
        let found = seat(&benches, &BTreeSet::new());
        assert_eq!(found.len(), 2);
        assert_eq!(found[&"ana@acme.example".parse().unwrap()].as_str(), "security");
        assert_eq!(found[&"quinn@acme.example".parse().unwrap()].as_str(), "qa");
        // Three in a row: each moves one seat on.
        let benches =
            [bench("qa", 1, &["ana", "bo"]), bench("safety", 1, &["bo", "cleo"]), bench("security", 1, &["ana"])];
        assert_eq!((greedily(&benches), seated(&benches)), (2, 3));
    }

    #[test]
    fn one_person_never_sits_twice() {
        let benches = [bench("qa", 1, &["bo"]), bench("security", 1, &["bo"])];
        let found = seat(&benches, &BTreeSet::new());
        assert_eq!(found.len(), 1);
        assert_eq!(unfilled(&benches, &found).iter().map(|(_, missing)| missing).sum::<usize>(), 1);
        assert_eq!(seated(&[bench("qa", 3, &["ana", "bo"])]), 2);
        assert_eq!(seated(&[bench("qa", 0, &["ana"])]), 0);
    }

    proptest! {
        /// Against every arrangement there is, tried one after the other.
        #[test]
        fn no_arrangement_seats_more(
            able in prop::collection::vec(prop::collection::btree_set(0..5_usize, 0..5), 1..4),
            free in prop::collection::vec(0..3_usize, 3),
        ) {
            let names = ["ana", "bo", "cleo", "dan", "eva"];
            let benches: Vec<Bench> = able
                .iter()
                .zip(&free)
                .zip(["qa", "security", "safety"])
                .map(|((able, free), role)| bench(role, *free, &able.iter().map(|one| names[*one]).collect::<Vec<_>>()))
                .collect();
            let found = seat(&benches, &BTreeSet::new());
            for (who, role) in &found {
                prop_assert!(benches.iter().any(|bench| bench.role == *role && bench.able.contains(who)));
            }
            for bench in &benches {
                prop_assert!(found.values().filter(|role| **role == bench.role).count() <= bench.free);
            }
            prop_assert_eq!(found.len(), most(&benches, &names, 0, &mut vec![0; benches.len()]));
        }
    }

    /// Returns how many can sit at most, by trying every seat for every person.
    fn most(benches: &[Bench], names: &[&str], person: usize, used: &mut Vec<usize>) -> usize {
        let Some(name) = names.get(person) else { return 0 };
        let who: Principal = format!("{name}@acme.example").parse().unwrap();
        let mut best = most(benches, names, person + 1, used);
        for place in 0..benches.len() {
            if benches[place].able.contains(&who) && used[place] < benches[place].free {
                used[place] += 1;
                best = best.max(1 + most(benches, names, person + 1, used));
                used[place] -= 1;
            }
        }
        best
    }
}
