//! The container of a bundle: a ZIP file (PKWARE APPNOTE.TXT 6.3) of exactly one shape.
//!
//! Files are stored, not compressed (method 0, §4.4.5), sorted by name, dated 1980-01-01 00:00:00 (§4.4.6), without
//! extra fields, attributes or comments: equal files give equal bytes. A local header and its data for each file
//! (§4.3.7), then the central directory (§4.3.12), then its end (§4.3.16), and nothing between, before or after.
//!
//! [`read`] takes what [`write`] writes and nothing else: each header is composed anew and compared byte for byte. So
//! there is no second directory, no hidden data, no name that leads out of a folder, nothing to unpack and no way for
//! two readers to see two different things in one container.
//!
//! Absent: compression, ZIP64 (§4.5.3), encryption, data descriptors (§4.3.9), folders, links, modes.

use std::collections::BTreeSet;

/// The largest container, 1 GiB.
pub const BYTES_MAX: usize = 1 << 30;
/// The most files; one more would ask for ZIP64 (§4.4.1.4).
pub const FILES_MAX: usize = 0xfffe;
/// The longest name of a file, with its folders.
pub const NAME_BYTES_MAX: usize = 128;

/// A file of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File<'a> {
    /// Its name, with folders before it.
    pub name: &'a str,
    /// Its content.
    pub data: &'a [u8],
}

/// Why bytes are not a container, or files cannot become one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    /// There is more than [`BYTES_MAX`].
    #[error("it has {bytes} bytes, at most {BYTES_MAX} are taken")]
    TooLarge {
        /// How much.
        bytes: usize,
    },
    /// There are more than [`FILES_MAX`].
    #[error("it holds more than {FILES_MAX} files")]
    TooManyFiles,
    /// The first bytes are not those of a ZIP file with a file in it.
    #[error("it does not begin with a file of a ZIP container")]
    NotZip,
    /// The bytes end within a file.
    #[error("it ends within {name}: it was cut off, or lies about a size")]
    Cut {
        /// The file.
        name: String,
    },
    /// A name could lead somewhere else, or be read in two ways.
    #[error("the file name {name} is not one of A-Z a-z 0-9 . _ - between single slashes")]
    Name {
        /// The name, escaped.
        name: String,
    },
    /// The files are not sorted, or a name comes twice, or differs from another in case alone.
    #[error("the file name {name} comes twice, differs from another in case alone, or is out of order")]
    Order {
        /// The name.
        name: String,
    },
    /// A field of a header is not what this program writes.
    #[error("{name}: {field} in its {header} is not what a bundle has")]
    Field {
        /// The file.
        name: String,
        /// Which header.
        header: &'static str,
        /// Which field.
        field: &'static str,
    },
    /// The data of files are not those the container was made from.
    #[error("damaged or changed: {}", .names.join(", "))]
    Damaged {
        /// Which files.
        names: Vec<String>,
    },
    /// The end of the central directory is not what this program writes.
    #[error("{field} in the end of its directory is not what a bundle has")]
    End {
        /// Which field.
        field: &'static str,
    },
    /// Something follows the container, or stands between its parts.
    #[error("{bytes} bytes follow the end of its directory")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}

/// A field of a header: its length in bytes and its name.
type Fields = &'static [(usize, &'static str)];

const CHECKSUM: &str = "the checksum";
/// APPNOTE §4.3.7.
const LOCAL: Fields = &[
    (4, "the signature"),
    (2, "the version needed"),
    (2, "a flag (encryption, data descriptor)"),
    (2, "the compression method"),
    (2, "the time"),
    (2, "the date"),
    (4, CHECKSUM),
    (4, "the compressed size"),
    (4, "the size"),
    (2, "the length of the name"),
    (2, "the length of the extra field"),
    (usize::MAX, "the name"),
];
/// APPNOTE §4.3.12.
const CENTRAL: Fields = &[
    (4, "the signature"),
    (2, "the version made by"),
    (2, "the version needed"),
    (2, "a flag (encryption, data descriptor)"),
    (2, "the compression method"),
    (2, "the time"),
    (2, "the date"),
    (4, CHECKSUM),
    (4, "the compressed size"),
    (4, "the size"),
    (2, "the length of the name"),
    (2, "the length of the extra field"),
    (2, "the length of the comment"),
    (2, "the disk number"),
    (2, "an internal attribute"),
    (4, "an external attribute (a link, a folder, a mode)"),
    (4, "the offset"),
    (usize::MAX, "the name"),
];
/// APPNOTE §4.3.16.
const END: Fields = &[
    (4, "the signature"),
    (2, "the disk number"),
    (2, "the disk of the directory"),
    (2, "the number of files on this disk"),
    (2, "the number of files"),
    (4, "the size of the directory"),
    (4, "the offset of the directory"),
    (2, "the length of the comment"),
];
const LOCAL_BYTES: usize = 30;
const CHECKSUM_AT: usize = 14;
const SIZE_AT: usize = 22;
const NAME_LENGTH_AT: usize = 26;
const SIGNATURE: [u8; 4] = *b"PK\x03\x04";

fn put(bytes: &mut Vec<u8>, value: usize, width: usize) {
    bytes.extend_from_slice(&(value as u64).to_le_bytes()[..width]);
}

/// What local and central header share: version 1.0 needed, no flags, stored, the fixed date, checksum, sizes, length
/// of the name, no extra field.
fn put_shared(bytes: &mut Vec<u8>, file: &File<'_>, checksum: u32) {
    for (value, width) in [
        (10, 2),
        (0, 2),
        (0, 2),
        (0, 2),
        (0x21, 2),
        (checksum as usize, 4),
        (file.data.len(), 4),
        (file.data.len(), 4),
        (file.name.len(), 2),
        (0, 2),
    ] {
        put(bytes, value, width);
    }
}

fn local(file: &File<'_>, checksum: u32) -> Vec<u8> {
    let mut bytes = SIGNATURE.to_vec();
    put_shared(&mut bytes, file, checksum);
    bytes.extend_from_slice(file.name.as_bytes());
    bytes
}

fn central(file: &File<'_>, checksum: u32, offset: usize) -> Vec<u8> {
    let mut bytes = b"PK\x01\x02\x0a\0".to_vec();
    put_shared(&mut bytes, file, checksum);
    for (value, width) in [(0, 2), (0, 2), (0, 2), (0, 4), (offset, 4)] {
        put(&mut bytes, value, width);
    }
    bytes.extend_from_slice(file.name.as_bytes());
    bytes
}

fn end(files: usize, directory_bytes: usize, offset: usize) -> Vec<u8> {
    let mut bytes = b"PK\x05\x06\0\0\0\0".to_vec();
    for (value, width) in [(files, 2), (files, 2), (directory_bytes, 4), (offset, 4), (0, 2)] {
        put(&mut bytes, value, width);
    }
    bytes
}

/// Writes a container of the files, sorted by name.
///
/// # Errors
/// A name that [`read`] would refuse, too many files, or too much in them.
pub fn write(files: &[File<'_>]) -> Result<Vec<u8>, ZipError> {
    let mut files = files.to_vec();
    files.sort_by_key(|file| file.name);
    check_names(&files)?;
    let overhead = |file: &File<'_>| file.data.len() + 2 * file.name.len() + 128;
    let estimate = files.iter().map(overhead).sum();
    if estimate > BYTES_MAX {
        return Err(ZipError::TooLarge { bytes: estimate });
    }
    let (mut bytes, mut directory) = (Vec::with_capacity(estimate), Vec::new());
    for file in &files {
        let checksum = crc32(file.data);
        directory.extend(central(file, checksum, bytes.len()));
        bytes.extend(local(file, checksum));
        bytes.extend_from_slice(file.data);
    }
    let offset = bytes.len();
    bytes.extend_from_slice(&directory);
    bytes.extend(end(files.len(), directory.len(), offset));
    Ok(bytes)
}

/// Reads a container that [`write`] could have written.
///
/// # Errors
/// Any other bytes, with the first thing that is wrong with them; of damaged files, all.
pub fn read(bytes: &[u8]) -> Result<Vec<File<'_>>, ZipError> {
    if bytes.len() > BYTES_MAX {
        return Err(ZipError::TooLarge { bytes: bytes.len() });
    }
    let mut files = Vec::new();
    let mut checksums = Vec::new();
    let mut damaged = Vec::new();
    let mut at = 0;
    while bytes[at..].starts_with(&SIGNATURE) {
        if files.len() == FILES_MAX {
            return Err(ZipError::TooManyFiles);
        }
        let cut = |name: &str| ZipError::Cut { name: name.to_owned() };
        let header = bytes.get(at..at + LOCAL_BYTES).ok_or_else(|| cut("the header of a file"))?;
        let name_bytes = usize::from(u16::from_le_bytes([header[NAME_LENGTH_AT], header[NAME_LENGTH_AT + 1]]));
        let data_at = at + LOCAL_BYTES + name_bytes;
        let name = bytes.get(at + LOCAL_BYTES..data_at).ok_or_else(|| cut("the name of a file"))?;
        let name = str::from_utf8(name).map_err(|_| ZipError::Name { name: name.escape_ascii().to_string() })?;
        check_name(name)?;
        let size = u32::from_le_bytes([header[SIZE_AT], header[SIZE_AT + 1], header[SIZE_AT + 2], header[SIZE_AT + 3]]);
        // A size beyond the end may be a data descriptor or ZIP64: the header says which, so it is asked first.
        let data = bytes[data_at..].get(..size as usize);
        let file = File { name, data: data.unwrap_or_default() };
        let checksum = crc32(file.data);
        let mut expected = local(&file, checksum);
        if data.is_none() {
            expected[CHECKSUM_AT..SIZE_AT + 4].copy_from_slice(&header[CHECKSUM_AT..SIZE_AT + 4]);
        }
        match first_difference(LOCAL, &expected, &bytes[at..data_at]) {
            None => {}
            Some(CHECKSUM) => damaged.push(name.to_owned()),
            Some(field) => return Err(ZipError::Field { name: name.to_owned(), header: "header", field }),
        }
        let data = data.ok_or_else(|| cut(name))?;
        files.push(File { name, data });
        checksums.push((checksum, at));
        at = data_at + data.len();
    }
    check_names(&files)?;
    if !damaged.is_empty() {
        return Err(ZipError::Damaged { names: damaged });
    }
    let directory_at = at;
    for (file, (checksum, offset)) in files.iter().zip(checksums) {
        let expected = central(file, checksum, offset);
        if let Some(field) = first_difference(CENTRAL, &expected, &bytes[at..]) {
            return Err(ZipError::Field { name: file.name.to_owned(), header: "directory entry", field });
        }
        at += expected.len();
    }
    let expected = end(files.len(), at - directory_at, directory_at);
    if let Some(field) = first_difference(END, &expected, &bytes[at..]) {
        return Err(ZipError::End { field });
    }
    match bytes.len() - at - expected.len() {
        0 => Ok(files),
        bytes => Err(ZipError::Trailing { bytes }),
    }
}

/// Returns the field in which `found` does not begin with `expected`.
fn first_difference(fields: Fields, expected: &[u8], found: &[u8]) -> Option<&'static str> {
    if found.starts_with(expected) {
        return None;
    }
    let at = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
    let mut end = 0_usize;
    let holds = |(length, _): &&(usize, &str)| {
        end = end.saturating_add(*length);
        at < end
    };
    fields.iter().find(holds).map(|(_, name)| *name)
}

fn check_names(files: &[File<'_>]) -> Result<(), ZipError> {
    if files.len() > FILES_MAX {
        return Err(ZipError::TooManyFiles);
    }
    if files.is_empty() {
        return Err(ZipError::NotZip);
    }
    files.iter().try_for_each(|file| check_name(file.name))?;
    let mut folded = BTreeSet::new();
    let mut last = "";
    for file in files {
        let again = !folded.insert(file.name.to_ascii_lowercase());
        if again || file.name <= last {
            return Err(ZipError::Order { name: file.name.to_owned() });
        }
        last = file.name;
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), ZipError> {
    let lawful = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && part.bytes().all(lawful);
    if name.len() <= NAME_BYTES_MAX && name.split('/').all(is_part) {
        return Ok(());
    }
    Err(ZipError::Name { name: name.chars().take(NAME_BYTES_MAX).flat_map(char::escape_default).collect() })
}

/// The remainders of all bytes by the reversed polynomial 0xedb88320.
const REMAINDERS: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let carry = if remainder & 1 == 1 { 0xedb8_8320 } else { 0 };
            remainder = remainder >> 1 ^ carry;
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
};

/// The checksum of APPNOTE §4.4.7: it finds accidents, never an intent.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| REMAINDERS[((crc ^ u32::from(*byte)) & 0xff) as usize] ^ crc >> 8)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The check value of this checksum: that of the nine digits.
    #[test]
    fn the_checksum_is_that_of_zip() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_container_has_one_spelling() {
        let files = [File { name: "b/c.txt", data: b"two" }, File { name: "a", data: b"" }];
        let bytes = write(&files).unwrap();
        assert_eq!(read(&bytes).unwrap(), [files[1], files[0]]);
        assert_eq!(write(&[files[1], files[0]]).unwrap(), bytes);
        for at in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(read(&flipped).is_err(), "bit {at}");
        }
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length]).is_err(), "cut at {length}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_written() {
        let file = |name| File { name, data: b"" };
        assert_eq!(write(&[]), Err(ZipError::NotZip));
        for name in ["", ".", "..", "a/../b", "/a", "a/", "a//b", ".a", "a\\b", "a b", "C:a", "\u{e9}", "a\0"] {
            assert!(matches!(write(&[file(name)]), Err(ZipError::Name { .. })), "{name:?}");
        }
        for names in [["a", "a"], ["a", "A"]] {
            assert!(matches!(write(&names.map(file)), Err(ZipError::Order { .. })), "{names:?}");
        }
        let names: Vec<_> = (0..=FILES_MAX).map(|number| number.to_string()).collect();
        let files: Vec<_> = names.iter().map(|name| file(name)).collect();
        assert_eq!(write(&files), Err(ZipError::TooManyFiles));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in any::<Vec<u8>>(), at in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
            let _ = read(&bytes);
            let mut damaged = write(&[File { name: "a", data: &bytes }]).unwrap();
            let at = at.index(damaged.len());
            damaged.splice(at..(at + bytes.len().min(4)).min(damaged.len()), bytes.iter().take(7).copied());
            let _ = read(&damaged);
            let _ = read(&damaged[..cut.index(damaged.len())]);
        }
    }
}
