/** The filter as it is typed and kept in the address: `actor:anna act:approval release:shop-4.2 after:2026-10-01 words`. */
import { CalendarDate, toZoned } from '@internationalized/date';
import type { AuditFilter } from '$lib/ipc';

export const keys = ['actor', 'act', 'release', 'product', 'after', 'before', 'is'] as const;
export type Key = (typeof keys)[number];
export type Token = { readonly key: Key; readonly value: string };
export type Typed = { readonly tokens: readonly Token[]; readonly text: string };

/** Only the newest of these counts; of the others there may be several. */
const single: ReadonlySet<Key> = new Set(['release', 'product', 'after', 'before', 'is']);
const aliases: Readonly<Record<string, Key>> = { kind: 'act', who: 'actor', from: 'after', until: 'before' };
const piece = /(?:([a-z]+):)?(?:"([^"]*)"|(\S+))/gi;
const date = /^(\d{4})-(\d{2})-(\d{2})$/;

/** Takes apart what was typed. What is no token is text to search for, and so is a date that is none. */
export function parse(typed: string): Typed {
  let tokens: Token[] = [];
  const words: string[] = [];
  for (const [whole, name, quoted, bare] of typed.matchAll(piece)) {
    const value = quoted ?? bare ?? '';
    const key = name && (aliases[name.toLowerCase()] ?? (name.toLowerCase() as Key));
    const lawful = key && keys.includes(key) && value !== '' && lawfulValue(key, value);
    if (lawful) tokens = added(tokens, { key, value });
    else words.push(whole);
  }
  return { tokens, text: words.join(' ') };
}

function lawfulValue(key: Key, value: string): boolean {
  if (key === 'is') return value === 'finding';
  if (key !== 'after' && key !== 'before') return true;
  const parts = date.exec(value);
  if (!parts) return false;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const made = new CalendarDate(year, month, day);
  return made.year === year && made.month === month && made.day === day;
}

/** The tokens with one more; the same one twice is once. */
export function added(tokens: readonly Token[], token: Token): Token[] {
  const rest = tokens.filter((one) => one.key !== token.key || (!single.has(token.key) && one.value !== token.value));
  return [...rest, token];
}

export const without = (tokens: readonly Token[], gone: Token): Token[] =>
  tokens.filter((one) => one.key !== gone.key || one.value !== gone.value);

export const has = (tokens: readonly Token[], wanted: Token): boolean =>
  tokens.some((one) => one.key === wanted.key && one.value === wanted.value);

const written = (value: string): string => (/[\s"]/.test(value) ? `"${value.replaceAll('"', '')}"` : value);

/** As it stands in the address; `parse` gives the same back. */
export function format({ tokens, text }: Typed): string {
  return [...tokens.map((token) => `${token.key}:${written(token.value)}`), text.trim()].filter(Boolean).join(' ');
}

/** What is asked of Rust. A day begins at midnight of the shown zone; `before` a day leaves that day out. */
export function filterOf({ tokens, text }: Typed, zone: string): AuditFilter {
  const all = (key: Key) => tokens.filter((token) => token.key === key).map((token) => token.value);
  const one = (key: Key) => all(key)[0] ?? null;
  const midnight = (key: Key) => {
    const parts = date.exec(one(key) ?? '');
    if (!parts) return null;
    const day = new CalendarDate(Number(parts[1]), Number(parts[2]), Number(parts[3]));
    return toZoned(day, zone).toAbsoluteString().replace('.000Z', 'Z');
  };
  return {
    actors: all('actor'),
    acts: all('act'),
    release: one('release'),
    product: one('product'),
    after: midnight('after'),
    before: midnight('before'),
    text: text.trim(),
    onlyFindings: one('is') === 'finding',
  };
}
