//! Private keys in OpenSSH files (`PROTOCOL.key` of OpenSSH), Ed25519 alone: three kinds for three jobs.
//!
//! | key | who | file |
//! |---|---|---|
//! | [`PersonKeyFile`] | a person, at each signature | passphrase, bcrypt-pbkdf with at least 128 rounds |
//! | [`DeviceKeyFile`] | this machine, for what it has observed | no passphrase |
//! | [`LogKeyFile`] | this machine, for checkpoints | no passphrase |
//!
//! A key of one kind cannot be used for another job: the types differ, a person's file must be encrypted and the
//! others must not be, and those two say in their comment which of them they are. Device and log keys are as safe as
//! the file (0600) and weaker than a key in a secret service or in hardware; whoever shows them says so.
//!
//! Secrets are wiped from memory when they are dropped, as far as the language lets us.
//!
//! Deliberately absent: agents, hardware keys, other algorithms; deciding who may sign; counting wrong passphrases
//! (`lockout`). Windows: permissions are those of the user's profile and are not checked.

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use countersign_core::sshsig::PublicKey;
use ed25519_dalek::SigningKey;
use ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use ssh_key::{Cipher, Kdf, LineEnding, PrivateKey};
use zeroize::Zeroizing;

use crate::durable::{self, FileError};

/// The least cost of a person's passphrase; each guess takes about a second.
pub const ROUNDS_MIN: u32 = 128;

/// The largest cost that is tried: more would take minutes and is a mistake or an attack.
const ROUNDS_MAX: u32 = 4096;

const LIMIT_BYTES: u64 = 64 * 1024;
const PASSPHRASE_LIMIT_BYTES: u64 = 4096;

/// Why a key file could not be made, loaded or unlocked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such file.
    #[error("no key at {}", .0.display())]
    NotFound(PathBuf),
    /// A key is there already; keys are never overwritten.
    #[error("{} exists already: a key is never overwritten", .0.display())]
    AlreadyExists(PathBuf),
    /// The file is no OpenSSH private key, or a broken one.
    #[error("{} is not an OpenSSH private key: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The key is of another algorithm.
    #[error("{} holds a key of type {algorithm}: only ssh-ed25519 is used", path.display())]
    NotEd25519 {
        /// The file.
        path: PathBuf,
        /// Its algorithm.
        algorithm: String,
    },
    /// A person's key without a passphrase.
    #[error("{} has no passphrase: give it one with `ssh-keygen -p -a {ROUNDS_MIN} -f` and its name", .0.display())]
    Unencrypted(PathBuf),
    /// A person's key whose passphrase is too cheap to guess.
    #[error("{} is protected by {rounds} rounds, at least {ROUNDS_MIN} are needed: protect it again with `ssh-keygen -p -a {ROUNDS_MIN} -f` and its name", path.display())]
    WeakProtection {
        /// The file.
        path: PathBuf,
        /// Its rounds of bcrypt-pbkdf.
        rounds: u32,
    },
    /// A cost beyond reason.
    #[error("{} asks for {rounds} rounds, at most {ROUNDS_MAX} are tried", path.display())]
    CostTooHigh {
        /// The file.
        path: PathBuf,
        /// Its rounds of bcrypt-pbkdf.
        rounds: u32,
    },
    /// The key is of another kind than the place it lies in.
    #[error("{} is not a {expected} key: a key is used for one job only", path.display())]
    WrongJob {
        /// The file.
        path: PathBuf,
        /// The kind that belongs there.
        expected: &'static str,
    },
    /// The passphrase does not open the key.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// A passphrase that protects nothing, or that nobody could type.
    #[error("not a passphrase: {0}")]
    NotAPassphrase(&'static str),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    NoRandomness(String),
    /// A file could not be used.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The job of a person's key.
#[derive(Debug, Clone, Copy)]
pub enum Person {}
/// The job of a device's key.
#[derive(Debug, Clone, Copy)]
pub enum Device {}
/// The job of a key that signs checkpoints.
#[derive(Debug, Clone, Copy)]
pub enum Log {}

/// A key ready to sign, for one job; wiped when dropped.
pub struct UnlockedKey<Job> {
    key: SigningKey,
    job: PhantomData<fn() -> Job>,
}

impl<Job> UnlockedKey<Job> {
    fn new(keypair: &Ed25519Keypair) -> Self {
        // `SigningKey` wipes itself, and so does the pair.
        Self { key: SigningKey::from(&keypair.private), job: PhantomData }
    }

    /// Lends the key to whoever signs.
    #[must_use]
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// Returns the public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        PublicKey::of(&self.key)
    }
}

impl<Job> fmt::Debug for UnlockedKey<Job> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnlockedKey").field(&self.public_key()).finish()
    }
}

/// A person's key under its passphrase.
#[derive(Debug, Clone)]
pub struct PersonKeyFile {
    path: PathBuf,
    key: PrivateKey,
    public_key: PublicKey,
}

impl PersonKeyFile {
    /// Generates a key, protects it with a passphrase at [`ROUNDS_MIN`] rounds (aes256-ctr) and writes it, 0600.
    ///
    /// `comment` is what `ssh-keygen` shows for the key, such as the principal. Takes about a second.
    ///
    /// # Errors
    /// [`KeyError::AlreadyExists`], [`KeyError::NotAPassphrase`], [`KeyError::NoRandomness`], or what the disk
    /// refuses.
    pub fn generate(path: &Path, comment: &str, passphrase: &Zeroizing<String>) -> Result<Self, KeyError> {
        Self::generate_unlocked(path, comment, passphrase).map(|(file, _)| file)
    }

    /// Generates a key as [`generate`](Self::generate) does, and lends it at once: for personas, whose keys sign a whole
    /// story as soon as they are made.
    pub(crate) fn generate_unlocked(
        path: &Path,
        comment: &str,
        passphrase: &Zeroizing<String>,
    ) -> Result<(Self, UnlockedKey<Person>), KeyError> {
        check_passphrase(passphrase)?;
        refuse_existing(path)?;
        let keypair = random_keypair()?;
        let unlocked = UnlockedKey::new(&keypair);
        let key = PrivateKey::new(KeypairData::Ed25519(keypair), comment).map_err(|error| unreadable(path, &error))?;
        write_new(path, &protect(path, &key, passphrase)?)?;
        Ok((Self::load(path)?, unlocked))
    }

    /// Loads a key that is protected well enough, still locked.
    ///
    /// # Errors
    /// [`KeyError::NotFound`], [`FileError::Exposed`], [`KeyError::Unencrypted`], [`KeyError::WeakProtection`],
    /// [`KeyError::NotEd25519`], [`KeyError::Unreadable`], or what the disk refuses.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let (key, public_key) = read_key(path)?;
        match rounds(path, &key)? {
            None => Err(KeyError::Unencrypted(path.to_owned())),
            Some(rounds) if rounds < ROUNDS_MIN => Err(KeyError::WeakProtection { path: path.to_owned(), rounds }),
            Some(_) => Ok(Self { path: path.to_owned(), key, public_key }),
        }
    }

    /// Returns the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the public half, which is legible without the passphrase.
    ///
    /// Nobody has proved yet that the private half fits; [`unlock`](Self::unlock) does.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// Unlocks the key; takes about a second, right or wrong.
    ///
    /// # Errors
    /// [`KeyError::WrongPassphrase`], also where the encrypted part is damaged.
    pub fn unlock(&self, passphrase: Zeroizing<String>) -> Result<UnlockedKey<Person>, KeyError> {
        decrypt(&self.path, &self.key, &passphrase).map(|keypair| UnlockedKey::new(&keypair))
    }
}

/// Protects a key that is too weak for [`PersonKeyFile::load`]: reads it from `source`, without a passphrase or with
/// `old`, and writes it under `new` at [`ROUNDS_MIN`] rounds to `destination`.
///
/// Where both are the same file it is replaced in one step; else `destination` must not exist, and `source` stays:
/// it is for its owner to destroy.
///
/// # Errors
/// Those of [`PersonKeyFile::load`] and [`PersonKeyFile::unlock`] that do not speak of weakness;
/// [`KeyError::AlreadyExists`], [`KeyError::NotAPassphrase`].
pub fn reencrypt(
    source: &Path,
    destination: &Path,
    old: Option<&Zeroizing<String>>,
    new: &Zeroizing<String>,
) -> Result<PersonKeyFile, KeyError> {
    check_passphrase(new)?;
    let in_place = source == destination;
    if !in_place {
        refuse_existing(destination)?;
    }
    let (key, _) = read_key(source)?;
    let keypair = match (rounds(source, &key)?, old) {
        (None, _) => clear_keypair(source, &key)?,
        (Some(_), Some(old)) => decrypt(source, &key, old)?,
        (Some(_), None) => return Err(KeyError::WrongPassphrase),
    };
    let comment = key.comment().clone();
    let key = PrivateKey::new(KeypairData::Ed25519(keypair), comment).map_err(|error| unreadable(source, &error))?;
    let text = protect(source, &key, new)?;
    if in_place {
        durable::replace(destination, text.as_bytes())?;
    } else {
        write_new(destination, &text)?;
    }
    PersonKeyFile::load(destination)
}

/// Defines a machine's key: no passphrase, and a comment that says which job it is for.
macro_rules! machine_key_file {
    ($name:ident, $job:ident, $kind:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Debug)]
        pub struct $name {
            key: UnlockedKey<$job>,
            label: String,
        }

        impl $name {
            /// Generates a key and writes it unencrypted, 0600; `label` names the machine.
            ///
            /// # Errors
            /// [`KeyError::AlreadyExists`], [`KeyError::NoRandomness`], or what the disk refuses.
            pub fn generate(path: &Path, label: &str) -> Result<Self, KeyError> {
                generate_machine_key(path, $kind, label)?;
                Self::load(path)
            }

            /// Loads the key.
            ///
            /// # Errors
            /// [`KeyError::NotFound`], [`FileError::Exposed`], [`KeyError::WrongJob`] for a key of another kind,
            /// [`KeyError::NotEd25519`], [`KeyError::Unreadable`], or what the disk refuses.
            pub fn load(path: &Path) -> Result<Self, KeyError> {
                let (keypair, label) = load_machine_key(path, $kind)?;
                Ok(Self { key: UnlockedKey::new(&keypair), label })
            }

            /// Lends the key to whoever signs.
            #[must_use]
            pub fn key(&self) -> &UnlockedKey<$job> {
                &self.key
            }

            /// Returns the public half.
            #[must_use]
            pub fn public_key(&self) -> PublicKey {
                self.key.public_key()
            }

            /// Returns the name given when the key was made.
            #[must_use]
            pub fn label(&self) -> &str {
                &self.label
            }
        }
    };
}

machine_key_file!(DeviceKeyFile, Device, "device", "The key of a machine, for what it has observed.");
machine_key_file!(LogKeyFile, Log, "log", "The key of a machine, for checkpoints.");

/// Reads a passphrase from a private file (0600): its text without one line end.
///
/// # Errors
/// [`FileError::Exposed`], [`KeyError::NotAPassphrase`], or what the disk refuses.
pub fn read_passphrase_file(path: &Path) -> Result<Zeroizing<String>, KeyError> {
    let bytes = Zeroizing::new(durable::read_private(path, PASSPHRASE_LIMIT_BYTES)?);
    let text = std::str::from_utf8(&bytes).map_err(|_| KeyError::NotAPassphrase("it is not UTF-8"))?;
    let line = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    let passphrase = Zeroizing::new(line.to_owned());
    check_passphrase(&passphrase)?;
    Ok(passphrase)
}

fn check_passphrase(passphrase: &str) -> Result<(), KeyError> {
    if passphrase.is_empty() {
        return Err(KeyError::NotAPassphrase("it is empty"));
    }
    if passphrase.contains(['\n', '\r', '\0']) {
        return Err(KeyError::NotAPassphrase("it has more than one line"));
    }
    Ok(())
}

fn refuse_existing(path: &Path) -> Result<(), KeyError> {
    match path.symlink_metadata() {
        Ok(_) => Err(KeyError::AlreadyExists(path.to_owned())),
        Err(_) => Ok(()),
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), KeyError> {
    durable::write_new(path, text.as_bytes()).map_err(|error| match error {
        error if error.is_already_there() => KeyError::AlreadyExists(path.to_owned()),
        error => error.into(),
    })
}

fn unreadable(path: &Path, error: &ssh_key::Error) -> KeyError {
    KeyError::Unreadable { path: path.to_owned(), why: error.to_string() }
}

fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, KeyError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut()).map_err(|error| KeyError::NoRandomness(error.to_string()))?;
    Ok(bytes)
}

fn random_keypair() -> Result<Ed25519Keypair, KeyError> {
    Ok(Ed25519PrivateKey::from_bytes(&*random()?).into())
}

/// Encodes a key under a passphrase.
fn protect(path: &Path, key: &PrivateKey, passphrase: &Zeroizing<String>) -> Result<Zeroizing<String>, KeyError> {
    let kdf = Kdf::Bcrypt { salt: random::<16>()?.to_vec(), rounds: ROUNDS_MIN };
    let checkint = u32::from_le_bytes(*random()?);
    key.encrypt_with(Cipher::Aes256Ctr, kdf, checkint, passphrase.as_bytes())
        .and_then(|key| key.to_openssh(LineEnding::LF))
        .map_err(|error| unreadable(path, &error))
}

/// Reads a key, locked or not, from a private file.
fn read_key(path: &Path) -> Result<(PrivateKey, PublicKey), KeyError> {
    let text = match durable::read_private(path, LIMIT_BYTES) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.is_not_found() => return Err(KeyError::NotFound(path.to_owned())),
        Err(error) => return Err(error.into()),
    };
    let key = PrivateKey::from_openssh(&*text).map_err(|error| unreadable(path, &error))?;
    let public = key
        .public_key()
        .key_data()
        .ed25519()
        .ok_or_else(|| KeyError::NotEd25519 { path: path.to_owned(), algorithm: key.algorithm().to_string() })?;
    let public_key = PublicKey::from_bytes(public.0)
        .map_err(|error| KeyError::Unreadable { path: path.to_owned(), why: error.to_string() })?;
    Ok((key, public_key))
}

/// The cost of guessing the passphrase of a key, in rounds; none where it has no passphrase.
fn rounds(path: &Path, key: &PrivateKey) -> Result<Option<u32>, KeyError> {
    match key.kdf() {
        _ if !key.is_encrypted() => Ok(None),
        Kdf::Bcrypt { rounds, .. } if *rounds > ROUNDS_MAX => {
            Err(KeyError::CostTooHigh { path: path.to_owned(), rounds: *rounds })
        }
        Kdf::Bcrypt { rounds, .. } => Ok(Some(*rounds)),
        _ => {
            Err(KeyError::Unreadable { path: path.to_owned(), why: "it is encrypted without a passphrase".to_owned() })
        }
    }
}

fn decrypt(path: &Path, key: &PrivateKey, passphrase: &Zeroizing<String>) -> Result<Ed25519Keypair, KeyError> {
    let clear = key.decrypt(passphrase.as_bytes()).map_err(|error| match error {
        // Rubbish comes out of a wrong passphrase, and shows first in the check number or the cipher's tag.
        ssh_key::Error::Crypto => KeyError::WrongPassphrase,
        error => unreadable(path, &error),
    })?;
    clear_keypair(path, &clear)
}

fn clear_keypair(path: &Path, key: &PrivateKey) -> Result<Ed25519Keypair, KeyError> {
    key.key_data()
        .ed25519()
        .cloned()
        .ok_or_else(|| KeyError::Unreadable { path: path.to_owned(), why: "its private half is missing".to_owned() })
}

/// The comment of a machine's key: what it is for, then the name of the machine.
fn comment(kind: &str, label: &str) -> String {
    format!("countersign {kind} key {label}")
}

fn generate_machine_key(path: &Path, kind: &'static str, label: &str) -> Result<(), KeyError> {
    refuse_existing(path)?;
    let key = PrivateKey::new(KeypairData::Ed25519(random_keypair()?), comment(kind, label))
        .map_err(|error| unreadable(path, &error))?;
    write_new(path, &key.to_openssh(LineEnding::LF).map_err(|error| unreadable(path, &error))?)
}

fn load_machine_key(path: &Path, kind: &'static str) -> Result<(Ed25519Keypair, String), KeyError> {
    let (key, _) = read_key(path)?;
    let label = key.comment().as_str().ok().and_then(|text| text.strip_prefix(&comment(kind, "")));
    match label {
        Some(label) if !key.is_encrypted() => Ok((clear_keypair(path, &key)?, label.to_owned())),
        _ => Err(KeyError::WrongJob { path: path.to_owned(), expected: kind }),
    }
}
