//! The Merkle tree of a ledger (RFC 6962 §2.1) and its proofs, checked as RFC 9162 §2.1.3.2 and §2.1.4.2 write them
//! out.
//!
//! Absent: leaves (the tree holds hashes, the caller the bytes), storage, and any proof of its own invention.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::hash::Digest;

/// The root of a tree without leaves, SHA-256 of nothing.
pub const EMPTY_ROOT: Digest = Digest::from_bytes([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

/// Hashes a leaf: `SHA-256(0x00 || leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Digest {
    Digest::from_bytes(
        Sha256::new()
            .chain_update([0])
            .chain_update(leaf)
            .finalize()
            .into(),
    )
}

/// Hashes two subtrees into one: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let hasher = Sha256::new()
        .chain_update([1])
        .chain_update(left.as_bytes())
        .chain_update(right.as_bytes());
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
    pub const EMPTY: Self = Self {
        size: 0,
        root: EMPTY_ROOT,
    };
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
        Head {
            size: size as u64,
            root,
        }
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
        Head {
            size: self.size(),
            root: self.root(),
        }
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
        self.levels
            .first()?
            .get(usize::try_from(index).ok()?)
            .copied()
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
        node_hash(
            &self.range_root(start, middle),
            &self.range_root(middle, end),
        )
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
    let wrong_length = MerkleError::WrongLength {
        hashes: proof.len(),
    };
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
    if hash == *root {
        Ok(())
    } else {
        Err(MerkleError::RootMismatch)
    }
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
        return Err(MerkleError::SizeWentDown {
            old: old_size,
            new: new_size,
        });
    }
    let wrong_length = MerkleError::WrongLength {
        hashes: proof.len(),
    };
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
    let (first, rest) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        proof.split_first().ok_or(wrong_length)?
    };
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
    if new_hash == *new_root {
        Ok(())
    } else {
        Err(MerkleError::RootMismatch)
    }
}
