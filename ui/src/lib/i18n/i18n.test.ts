import { expect, test } from 'vitest';
import { bytes, clock, dateTime, duration, percent, relative, timeOfDay, zone } from './format.svelte';
import { languageOf, pieces, t, useLanguage, word, words } from './index.svelte';
import type { Area, Message } from './catalogue';
import { remedy, told } from './told';
import de from './messages/de';
import en from './messages/en';

const texts = (message: Message): string[] => (typeof message === 'string' ? [message] : Object.values(message));
const slots = (message: Message): string[] =>
  [...new Set(texts(message).flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]!)))].sort();

const pairs = Object.entries(en).flatMap(([area, messages]) =>
  Object.entries(messages as Area).map(([key, message]) => ({
    key: `${area}.${key}`,
    english: message,
    german: (de as Record<string, Area>)[area]?.[key],
  })),
);

test('every message has a German one, and the other way round', () => {
  expect(pairs.filter((pair) => pair.german === undefined).map((pair) => pair.key)).toEqual([]);
  const extra = Object.entries(de).flatMap(([area, messages]) =>
    Object.keys(messages as Area)
      .filter((key) => !Object.hasOwn((en as Record<string, Area>)[area] ?? {}, key))
      .map((key) => `${area}.${key}`),
  );
  expect(extra).toEqual([]);
});

test('a translation fills the same slots', () => {
  const other = pairs.filter((pair) => pair.german && slots(pair.english).join() !== slots(pair.german).join());
  expect(other.map((pair) => `${pair.key}: ${slots(pair.english)} / ${slots(pair.german!)}`)).toEqual([]);
});

test('strong words open and close', () => {
  const open = pairs.filter((pair) =>
    [pair.english, pair.german!].some((message) => texts(message).some((text) => text.split('**').length % 2 === 0)),
  );
  expect(open.map((pair) => pair.key)).toEqual([]);
});

test('no message is empty or is left in the other language by mistake', () => {
  // Where nothing is to be said, neither language says anything.
  const blank = (message: Message) => texts(message).every((text) => !text.trim());
  const empty = pairs.filter(
    (pair) =>
      blank(pair.english) !== blank(pair.german!) ||
      [pair.english, pair.german!].some((message) =>
        texts(message).some((text) => text !== text.trim() && !blank(message)),
      ),
  );
  expect(empty.map((pair) => pair.key)).toEqual([]);
  const same = pairs.filter(
    (pair) => typeof pair.english === 'string' && pair.english === pair.german && pair.english.split(/\s+/).length > 4,
  );
  expect(same.map((pair) => pair.key)).toEqual([]);
});

test('plurals follow the language', async () => {
  expect(t('common.people', { count: 1 })).toBe('1 person');
  expect(t('common.people', { count: 2 })).toBe('2 people');
  expect(t('common.items', { count: 0 })).toBe('nothing');
  await useLanguage('de');
  expect(t('common.people', { count: 1 })).toBe('1 Person');
  expect(t('common.people', { count: 4812 })).toBe('4.812 Personen');
});

test('a value is text, whatever it holds', () => {
  expect(t('common.errorCode', { code: '{code} **x**' })).toBe('Code {code} **x**');
  expect(pieces('common.errorCode', { code: '**x**' })).toEqual([{ text: 'Code **x**', strong: false }]);
});

test('an unknown code is shown, not hidden', () => {
  expect(word('states', 'go')).toBe('GO');
  expect(word('states', 'no-such-state')).toBe('no-such-state');
});

test('a locale that the engine refuses becomes English', () => {
  expect(languageOf('C')).toBe('en');
  expect(languageOf('')).toBe('en');
  expect(languageOf(null)).toBe('en');
  expect(languageOf('de_CH.UTF-8')).toBe('en');
  expect(languageOf('de-CH')).toBe('de');
  words.region = 'C';
  expect(words.locale).toBe('en-GB');
  words.region = 'en-US';
  expect(words.locale).toBe('en-US');
});

test('times are shown in the zone of the settings, and UTC beside', () => {
  zone.name = 'Europe/Zurich';
  const at = '2026-11-22T13:05:31Z';
  expect(timeOfDay(at)).toBe('14:05');
  expect(dateTime(at)).toBe('22 Nov 2026, 14:05 CET');
  expect(dateTime(at, { seconds: true, utc: true })).toBe('22 Nov 2026, 13:05:31 UTC');
  zone.mode = 'utc';
  expect(timeOfDay(at)).toBe('13:05');
});

test('summer time is told from winter time', () => {
  zone.name = 'Europe/Zurich';
  expect(dateTime('2026-07-22T13:05:00Z')).toContain('15:05');
  expect(dateTime('2026-11-22T13:05:00Z')).toContain('14:05');
});

test('what is no time is shown as it came', () => {
  expect(dateTime('yesterday')).toBe('yesterday');
  expect(relative('')).toBe('');
});

test('spans and amounts', async () => {
  clock.follow('2026-11-22T13:05:00Z');
  expect(relative('2026-11-22T12:53:00Z')).toBe('12 min ago');
  expect(relative('2026-11-22T16:05:00Z')).toBe('in 3 h');
  expect(duration(26 * 3600)).toBe('26 h');
  expect(duration(80 * 60)).toBe('1 h 20 min');
  expect(duration(41 * 86_400)).toBe('41 days');
  expect(percent(5)).toBe('5%');
  expect(bytes(1_843_201)).toBe('1.8 MB');
  await useLanguage('de');
  expect(percent(5)).toBe('5\u00a0%');
});

/** What Rust can say, read from its sources by the test's configuration. */
declare const __CODES__: readonly string[];

test('every code of Rust has its sentence, and every sentence its code', () => {
  expect(__CODES__.length).toBeGreaterThan(80);
  const sentences = Object.keys(en.errors).filter((key) => !key.includes('.'));
  expect(__CODES__.filter((code) => !sentences.includes(code))).toEqual([]);
  // Named by a constant, so not found by its shape.
  const byHand = ['under_way', 'cancelled'];
  expect(sentences.filter((key) => !__CODES__.includes(key) && !byHand.includes(key))).toEqual([]);
  const todo = Object.keys(en.errors).flatMap((key) => (key.startsWith('todo.') ? [key.slice(5)] : []));
  expect(todo.filter((code) => !sentences.includes(code))).toEqual([]);
});

test('in English Rust’s own sentence stands; in German that of its code, with Rust’s beneath', async () => {
  expect(told('frozen', 'production is frozen until Mon')).toEqual({
    text: 'Production is frozen until Mon.',
    detail: undefined,
  });
  expect(remedy('frozen', 'lift freeze 4733')).toBe('Lift freeze 4733.');
  expect(remedy('frozen', null)).toBe('Wait until the freeze ends, or have it lifted.');
  await useLanguage('de');
  expect(told('frozen', 'production is frozen until Mon')).toEqual({
    text: 'Eine Sperre gilt.',
    detail: 'production is frozen until Mon',
  });
  expect(told('segregation-failed', 'who asks does not answer').text).toBe(
    'Wer Anteil daran hatte, darf es nicht unterschreiben.',
  );
  expect(remedy('frozen', 'lift freeze 4733')).toBe('Warten Sie, bis die Sperre endet, oder lassen Sie sie aufheben.');
  // A code nobody has put into words yet: what Rust says is better than nothing.
  expect(told('made_up', 'the moon is down')).toEqual({ text: 'The moon is down.', detail: undefined });
  expect(remedy('made_up', 'wait')).toBeUndefined();
});
