//! The Merkle tree of a ledger (RFC 6962 §2.1) and its proofs, checked as RFC 9162 §2.1.3.2 and §2.1.4.2 write them
//! out.
//!
//! Absent: leaves (the tree holds hashes, the caller the bytes), storage, and any proof of its own invention.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::hash::Digest;

/// The root of a tree without leaves, SHA-256 of nothing.
pub const EMPTY_ROOT: Digest = Digest::from_bytes([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Hashes a leaf: `SHA-256(0x00 || leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::from_bytes(Sha256::new().chain_update([0]).chain_update(leaf).finalize().into())
}

/// Hashes two subtrees into one: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hasher = Sha256::new().chain_update([1]).chain_update(left.as_bytes()).chain_update(right.as_bytes());
    Digest::from_bytes(hasher.finalize().into())
}

/// The size and root of a ledger, which together fix every entry of it; serde writes the root in base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// How many entries there are.
    pub size: u64,
    /// The root of their tree.
    #[serde(with = "crate::hash::as_base64")]
    pub root: Digest,
}

impl Head {
    /// The head of a ledger without entries.
    pub const EMPTY: Self = Self { size: 0, root: EMPTY_ROOT };
}

/// A growing tree that remembers the root of every prefix; 96 bytes a leaf.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// `levels[k][i]` is the root of the complete subtree over leaves `[i·2^k, (i+1)·2^k)`.
    levels: Vec<Vec<Digest>>,
    /// `roots[n - 1]` is the root of the first `n` leaves.
    roots: Vec<Digest>,
}

impl Tree {
    /// Makes a tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends one leaf by its [`leaf_hash`] in O(log n) and returns the new head.
    pub fn append(&mut self, leaf_hash: Digest) -> Head {
        let mut carry = leaf_hash;
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let nodes = &mut self.levels[level];
            nodes.push(carry);
            if nodes.len() % 2 == 1 {
                break;
            }
            carry = node_hash(&nodes[nodes.len() - 2], &carry);
        }
        let size = self.levels[0].len();
        let root = self.range_root(0, size);
        self.roots.push(root);
        Head { size: size as u64, root }
    }

    /// Returns the number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.roots.len() as u64
    }

    /// Returns the root of all leaves.
    #[must_use]
    pub fn root(&self) -> Digest {
        self.roots.last().copied().unwrap_or(EMPTY_ROOT)
    }

    /// Returns size and root.
    #[must_use]
    pub fn head(&self) -> Head {
        Head { size: self.size(), root: self.root() }
    }

    /// Returns the root of the first `size` leaves in O(1); none beyond the tree.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Digest> {
        match usize::try_from(size).ok()? {
            0 => Some(EMPTY_ROOT),
            size => self.roots.get(size - 1).copied(),
        }
    }

    /// Returns the hash of leaf `index`; none beyond the tree.
    #[must_use]
    pub fn leaf_hash_at(&self, index: u64) -> Option<Digest> {
        self.levels.first()?.get(usize::try_from(index).ok()?).copied()
    }

    /// Proves that leaf `index` is among the first `size` leaves (RFC 6962 §2.1.1), sibling first; none where
    /// `index < size <= self.size()` does not hold.
    #[must_use]
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Option<Vec<Digest>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (index, mut end) = (usize::try_from(index).ok()?, usize::try_from(size).ok()?);
        let mut start = 0;
        let mut proof = Vec::new();
        while end - start > 1 {
            let middle = start + left_size(end - start);
            if index < middle {
                proof.push(self.range_root(middle, end));
                end = middle;
            } else {
                proof.push(self.range_root(start, middle));
                start = middle;
            }
        }
        proof.reverse();
        Some(proof)
    }

    /// Proves that the first `old` leaves are a prefix of the first `new` (RFC 6962 §2.1.2); empty where `old` is 0
    /// or equals `new`, none where `old <= new <= self.size()` does not hold.
    #[must_use]
    pub fn consistency_proof(&self, old: u64, new: u64) -> Option<Vec<Digest>> {
        if old > new || new > self.size() {
            return None;
        }
        let (old, mut end) = (usize::try_from(old).ok()?, usize::try_from(new).ok()?);
        if old == 0 || old == end {
            return Some(Vec::new());
        }
        let mut start = 0;
        let mut proof = Vec::new();
        while end != old {
            let middle = start + left_size(end - start);
            if old <= middle {
                proof.push(self.range_root(middle, end));
                end = middle;
            } else {
                proof.push(self.range_root(start, middle));
                start = middle;
            }
        }
        // The subtree that ends the old tree is what the verifier starts from; when it is the whole old tree, the
        // verifier knows it already.
        if start != 0 {
            proof.push(self.range_root(start, end));
        }
        proof.reverse();
        Some(proof)
    }

    /// The root of leaves `[start, end)`, where `start` is a multiple of the next power of two at or above the length.
    fn range_root(&self, start: usize, end: usize) -> Digest {
        let length = end - start;
        if length.is_power_of_two() {
            return self.levels[length.trailing_zeros() as usize][start / length];
        }
        let middle = start + left_size(length);
        node_hash(&self.range_root(start, middle), &self.range_root(middle, end))
    }
}

/// The largest power of two smaller than `length`, for `length >= 2`.
fn left_size(length: usize) -> usize {
    1 << (length - 1).ilog2()
}

/// Why a proof proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// There is no such leaf in a tree of that size.
    #[error("entry {index} is not in a tree of {size} entries")]
    IndexBeyondSize {
        /// The leaf asked for.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The newer tree is the smaller one: entries were cut off.
    #[error("the tree went back from {old} to {new} entries: entries were cut off")]
    SizeWentDown {
        /// The size of the older tree.
        old: u64,
        /// The size of the newer tree.
        new: u64,
    },
    /// The proof has hashes missing or left over.
    #[error("the proof has {hashes} hashes, which is not what a proof for these sizes has")]
    WrongLength {
        /// How many hashes it has.
        hashes: usize,
    },
    /// The proof leads to another root: this entry, or this tree, is not the one that was there.
    #[error("the proof does not lead to the root: the tree holds something else")]
    RootMismatch,
    /// The proof does not start from the older root: the older tree is no prefix of the newer.
    #[error("the proof does not lead to the older root: history was rewritten")]
    OldRootMismatch,
}

/// Verifies that the leaf with `leaf_hash` is entry `index` of the tree of `size` entries with `root` (RFC 9162
/// §2.1.3.2).
///
/// # Errors
/// An index beyond the size, a proof of the wrong length, or one that leads elsewhere.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf_hash: &Digest,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), MerkleError> {
    if index >= size {
        return Err(MerkleError::IndexBeyondSize { index, size });
    }
    let wrong_length = MerkleError::WrongLength { hashes: proof.len() };
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf_hash;
    for sibling in proof {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if hash == *root { Ok(()) } else { Err(MerkleError::RootMismatch) }
}

/// Verifies that the tree `old_size`, `old_root` is a prefix of the tree `new_size`, `new_root` (RFC 9162 §2.1.4.2).
///
/// An empty tree is a prefix of every tree and a tree of itself, both by the empty proof; an empty tree has
/// [`EMPTY_ROOT`] and no other.
///
/// # Errors
/// A newer tree that is smaller, a proof of the wrong length, or one that leads elsewhere.
pub fn verify_consistency(
    old_size: u64,
    new_size: u64,
    old_root: &Digest,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<(), MerkleError> {
    if old_size > new_size {
        return Err(MerkleError::SizeWentDown { old: old_size, new: new_size });
    }
    let wrong_length = MerkleError::WrongLength { hashes: proof.len() };
    if old_size == 0 || old_size == new_size {
        return match () {
            () if !proof.is_empty() => Err(wrong_length),
            () if old_size == 0 && *old_root != EMPTY_ROOT => Err(MerkleError::OldRootMismatch),
            () if old_size == new_size && old_root != new_root => Err(MerkleError::RootMismatch),
            () => Ok(()),
        };
    }
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    // A complete old tree is itself the node to start from, so the proof leaves it out.
    let (first, rest) =
        if old_size.is_power_of_two() { (old_root, proof) } else { proof.split_first().ok_or(wrong_length)? };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(wrong_length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if old_hash != *old_root {
        return Err(MerkleError::OldRootMismatch);
    }
    if new_hash == *new_root { Ok(()) } else { Err(MerkleError::RootMismatch) }
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
    use proptest::prelude::*;

    use super::*;

    const SIZE_MAX: u64 = 64;
    type Foreign = MemoryBackedTree<Sha256, Vec<u8>>;
    type Bytes = ct_merkle::digest::Output<Sha256>;

    fn leaf(index: u64) -> Vec<u8> {
        format!("leaf {index}").into_bytes()
    }

    fn tree(size: u64) -> Tree {
        let mut tree = Tree::new();
        for index in 0..size {
            tree.append(leaf_hash(&leaf(index)));
        }
        tree
    }

    /// The definition of RFC 6962 §2.1, over leaf hashes.
    fn root_by_definition(hashes: &[Digest]) -> Digest {
        match hashes {
            [] => Digest::of(b""),
            [hash] => *hash,
            _ => {
                let mut middle = 1;
                while middle * 2 < hashes.len() {
                    middle *= 2;
                }
                node_hash(&root_by_definition(&hashes[..middle]), &root_by_definition(&hashes[middle..]))
            }
        }
    }

    /// Every way to spoil a proof by one hash: dropped, added, swapped, one bit flipped.
    fn spoiled(proof: &[Digest]) -> Vec<Vec<Digest>> {
        let mut all = Vec::new();
        let mut push = |change: &dyn Fn(&mut Vec<Digest>)| {
            let mut copy = proof.to_vec();
            change(&mut copy);
            if copy != proof {
                all.push(copy);
            }
        };
        for at in 0..=proof.len() {
            push(&|proof| proof.insert(at, Digest::of(b"added")));
        }
        for at in 0..proof.len() {
            push(&|proof| {
                proof.remove(at);
            });
            push(&|proof| proof.insert(at, proof[at]));
            let next = (at + 1) % proof.len();
            push(&|proof| proof.swap(at, next));
            push(&|proof| proof[at] = flipped(&proof[at], at * 37 % 256));
        }
        all
    }

    fn flipped(digest: &Digest, bit: usize) -> Digest {
        let mut bytes = *digest.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Digest::from_bytes(bytes)
    }

    #[test]
    fn an_empty_tree_has_the_hash_of_nothing() {
        assert_eq!(EMPTY_ROOT, Digest::of(b""));
        assert_eq!(Tree::new().head(), Head::EMPTY);
        assert_eq!(Tree::new().root_at(0), Some(EMPTY_ROOT));
        assert_eq!(Tree::new().root_at(1), None);
    }

    #[test]
    fn leaves_and_nodes_hash_with_different_prefixes() {
        assert_eq!(leaf_hash(b""), Digest::of(&[0]));
        let (left, right) = (Digest::of(b"l"), Digest::of(b"r"));
        let bytes = [[1].as_slice(), left.as_bytes(), right.as_bytes()].concat();
        assert_eq!(node_hash(&left, &right), Digest::of(&bytes));
        assert_ne!(node_hash(&left, &right), leaf_hash(&bytes[1..]));
    }

    #[test]
    fn every_prefix_root_is_that_of_the_definition_and_of_a_foreign_tree() {
        let ours = tree(SIZE_MAX);
        let hashes: Vec<_> = (0..SIZE_MAX).map(|index| leaf_hash(&leaf(index))).collect();
        let mut foreign = Foreign::new();
        for size in 0..=SIZE_MAX {
            let root = ours.root_at(size).unwrap();
            assert_eq!(root, root_by_definition(&hashes[..size as usize]), "size {size}");
            assert_eq!(root, tree(size).root(), "size {size}");
            assert_eq!(root.as_bytes().as_slice(), foreign.root().as_bytes().as_slice(), "size {size}");
            assert_eq!(ours.leaf_hash_at(size), hashes.get(size as usize).copied());
            foreign.push(leaf(size));
        }
        assert_eq!(ours.root_at(SIZE_MAX + 1), None);
    }

    #[test]
    fn every_inclusion_proof_is_that_of_a_foreign_tree_and_spoiled_ones_are_refused() {
        let ours = tree(SIZE_MAX);
        let mut foreign = Foreign::new();
        for size in 1..=SIZE_MAX {
            foreign.push(leaf(size - 1));
            let root = ours.root_at(size).unwrap();
            let foreign_root = RootHash::<Sha256>::new(Bytes::from(*root.as_bytes()), size);
            for index in 0..size {
                let at = format!("leaf {index} of {size}");
                let proof = ours.inclusion_proof(index, size).unwrap();
                let bytes: Vec<u8> = proof.iter().flat_map(|hash| *hash.as_bytes()).collect();
                assert_eq!(bytes, foreign.prove_inclusion(index as usize).as_bytes(), "{at}");
                let theirs = InclusionProof::<Sha256>::try_from_bytes(bytes).unwrap();
                foreign_root.verify_inclusion(&leaf(index), index, &theirs).unwrap();

                let hash = leaf_hash(&leaf(index));
                assert_eq!(verify_inclusion(index, size, &hash, &proof, &root), Ok(()), "{at}");
                for bad in spoiled(&proof) {
                    assert!(verify_inclusion(index, size, &hash, &bad, &root).is_err(), "{at}: {bad:?}");
                }
                for other in (0..=size).filter(|other| *other != index) {
                    assert!(verify_inclusion(other, size, &hash, &proof, &root).is_err(), "{at} as {other}");
                }
                let other = leaf_hash(&leaf(index + 1));
                assert!(verify_inclusion(index, size, &other, &proof, &root).is_err(), "{at}, other leaf");
                let other = flipped(&root, (index % 256) as usize);
                assert!(verify_inclusion(index, size, &hash, &proof, &other).is_err(), "{at}, other root");
            }
        }
    }

    #[test]
    fn every_consistency_proof_is_that_of_a_foreign_tree_and_spoiled_ones_are_refused() {
        let ours = tree(SIZE_MAX);
        let mut foreign = Foreign::new();
        for new in 1..=SIZE_MAX {
            foreign.push(leaf(new - 1));
            let new_root = ours.root_at(new).unwrap();
            let foreign_new = RootHash::<Sha256>::new(Bytes::from(*new_root.as_bytes()), new);
            for old in 0..=new {
                let at = format!("{old} to {new}");
                let old_root = ours.root_at(old).unwrap();
                let proof = ours.consistency_proof(old, new).unwrap();
                if 0 < old && old < new {
                    let bytes: Vec<u8> = proof.iter().flat_map(|hash| *hash.as_bytes()).collect();
                    assert_eq!(bytes, foreign.prove_consistency((new - old) as usize).as_bytes(), "{at}");
                    let theirs = ConsistencyProof::<Sha256>::try_from_bytes(bytes).unwrap();
                    let foreign_old = RootHash::<Sha256>::new(Bytes::from(*old_root.as_bytes()), old);
                    foreign_new.verify_consistency(&foreign_old, &theirs).unwrap();
                } else {
                    assert!(proof.is_empty(), "{at}");
                }

                assert_eq!(verify_consistency(old, new, &old_root, &new_root, &proof), Ok(()), "{at}");
                for bad in spoiled(&proof) {
                    assert!(verify_consistency(old, new, &old_root, &new_root, &bad).is_err(), "{at}: {bad:?}");
                }
                let other = flipped(&old_root, (new % 256) as usize);
                assert!(verify_consistency(old, new, &other, &new_root, &proof).is_err(), "{at}, other old root");
                if old > 0 {
                    let other = flipped(&new_root, (old % 256) as usize);
                    assert!(verify_consistency(old, new, &old_root, &other, &proof).is_err(), "{at}, other new root");
                }
            }
        }
    }

    #[test]
    fn a_rewritten_history_has_no_consistency_proof() {
        let honest = tree(20);
        for rewritten in 0..20 {
            let mut forged = Tree::new();
            for index in 0..32 {
                forged.append(leaf_hash(&leaf(if index == rewritten { 99 } else { index })));
            }
            let proof = forged.consistency_proof(20, 32).unwrap();
            let result = verify_consistency(20, 32, &honest.root(), &forged.root(), &proof);
            assert_eq!(result, Err(MerkleError::OldRootMismatch), "leaf {rewritten}");
        }
    }

    #[test]
    fn a_tree_that_shrank_is_named_so() {
        let root = Digest::of(b"any");
        let shrank = Err(MerkleError::SizeWentDown { old: 6, new: 5 });
        assert_eq!(verify_consistency(6, 5, &root, &root, &[]), shrank);
    }

    #[test]
    fn proofs_beyond_the_tree_do_not_exist() {
        let tree = tree(5);
        assert_eq!(tree.inclusion_proof(5, 5), None);
        assert_eq!(tree.inclusion_proof(0, 6), None);
        assert_eq!(tree.inclusion_proof(0, 0), None);
        assert_eq!(tree.consistency_proof(3, 2), None);
        assert_eq!(tree.consistency_proof(3, 6), None);
        assert_eq!(tree.inclusion_proof(u64::MAX, u64::MAX), None);
    }

    #[test]
    fn a_head_is_written_with_its_root_in_base64() {
        let json = serde_json::to_string(&Head::EMPTY).unwrap();
        assert_eq!(json, r#"{"size":0,"root":"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}"#);
        assert_eq!(serde_json::from_str::<Head>(&json).unwrap(), Head::EMPTY);
    }

    proptest! {
        #[test]
        fn no_proof_panics(
            a in any::<u64>(), b in any::<u64>(), hashes in prop::collection::vec(any::<[u8; 32]>(), 0..70)
        ) {
            let proof: Vec<_> = hashes.into_iter().map(Digest::from_bytes).collect();
            prop_assert!(verify_inclusion(a, b, &EMPTY_ROOT, &proof, &EMPTY_ROOT).is_err());
            prop_assert!(verify_consistency(a | 1, b, &EMPTY_ROOT, &Digest::of(b"1"), &proof).is_err());
        }
    }
}
