/** The codes by which Rust names what happened, read from its sources, so that a test can hold the catalogue to them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param {string} folder @returns {string[]} */
const sources = (folder) =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.rs'))
    .map((path) => readFileSync(`${root}${folder}/${path}`, 'utf8').split('#[cfg(test)]\nmod ')[0] ?? '');

/** @param {string} text @param {RegExp} shape */
const words = (text, shape) => [...text.matchAll(shape)].map((found) => String(found[1]));

/** @param {string} path @param {string} list The first word of a `closed_words!` list. */
const closed = (path, list) => {
  const text = readFileSync(`${root}${path}`, 'utf8');
  const from = text.indexOf(`    ${list} {`);
  return words(text.slice(from, text.indexOf('\n    }', from)), / = "([a-z_]+)"/g);
};

export const codes = () =>
  [
    ...new Set([
      ...closed('crates/countersign-core/src/rejection.rs', 'Code'),
      ...closed('crates/countersign-core/src/verify.rs', 'Flaw'),
      ...[...sources('crates/countersign-app/src'), ...sources('src-tauri/src')].flatMap((text) => [
        ...words(text, /ErrorKind::\w+,\s*"([a-z_]+)"/g),
        ...words(text, /Self::new\(kind,\s*"([a-z_]+)"/g),
        ...words(text, /ReadError::[^=]*=>\s*"(evidence_[a-z_]+)"/g),
        ...words(text, /(?:refusal|unavailable)\(\s*"([a-z_]+)"/g),
      ]),
      ...words(
        readFileSync(`${root}crates/countersign-app/src/error.rs`, 'utf8'),
        /(?:error:ty|Error|DeskError) = "([a-z_]+)"/g,
      ),
    ]),
  ].sort();
