import { expect, test } from 'vitest';
import css from './tokens.css?raw';
import { contrast, layers, type Table } from './contrast';

const all = layers(css);
const themes = {
  light: [':root'],
  dark: [':root', "[data-theme='dark']"],
  'more contrast': [':root', "[data-contrast='more']"],
  'dark, more contrast': [
    ':root',
    "[data-theme='dark']",
    "[data-contrast='more']",
    "[data-theme='dark'][data-contrast='more']",
  ],
};
const table = (names: readonly string[]): Table => Object.assign({}, ...names.map((name) => all[name]));

const grounds = ['paper', 'surface', 'sunken', 'raised'];
const inks = ['ink', 'ink-2', 'ink-3', 'accent', 'nogo', 'go', 'hold', 'stale', 'wait'];
const text: [string, string][] = [
  ...inks.flatMap((ink) => grounds.map((ground): [string, string] => [ink, ground])),
  ...['ink', 'ink-2', 'ink-3'].map((ink): [string, string] => [ink, 'hover']),
  ...['go', 'nogo', 'hold', 'stale', 'accent'].flatMap((tone): [string, string][] => [
    [tone, `${tone}-soft`],
    ['ink', `${tone}-soft`],
  ]),
  ['accent-ink', 'accent'],
  ['accent-ink', 'accent-hover'],
  ['nogo-ink', 'nogo'],
  ['nogo-ink', 'nogo-hover'],
];
const edges: [string, string][] = [
  ...['control-line', 'ring'].flatMap((edge) => grounds.map((ground): [string, string] => [edge, ground])),
  ...['accent', 'go', 'nogo', 'hold'].map((tone): [string, string] => [tone, 'track']),
];

for (const [name, layer] of Object.entries(themes)) {
  const colors = table(layer);
  const least = name.includes('more') ? 7 : 4.5;

  test(`text can be read in ${name}`, () => {
    const poor = text
      .map(([ink, ground]) => ({ pair: `${ink} on ${ground}`, ratio: contrast(colors, ink, ground) }))
      // The soft grounds of the verdicts keep the plain measure in every theme.
      .filter(({ pair, ratio }) => ratio < (/-soft|hover|accent-ink|nogo-ink/.test(pair) ? 4.5 : least));
    expect(poor).toEqual([]);
  });

  test(`edges of controls and the focus can be seen in ${name}`, () => {
    const poor = edges
      .map(([edge, ground]) => ({ pair: `${edge} on ${ground}`, ratio: contrast(colors, edge, ground) }))
      .filter(({ ratio }) => ratio < 3);
    expect(poor).toEqual([]);
  });
}

test('the measure is the one of the guideline', () => {
  expect(contrast({ a: 'oklch(0% 0 0)', b: 'oklch(100% 0 0)' }, 'a', 'b')).toBeCloseTo(21, 1);
  expect(contrast({ a: 'oklch(100% 0 0)', b: 'oklch(100% 0 0)' }, 'a', 'b')).toBeCloseTo(1, 3);
});

test('go and no-go differ in lightness or chroma for eyes that see no red', () => {
  for (const layer of Object.values(themes)) {
    const colors = table(layer);
    const [go, nogo] = [colors['go']!, colors['nogo']!].map((value) => value.match(/[\d.]+/g)!.map(Number));
    expect(Math.abs(go![0]! - nogo![0]!) + 100 * Math.abs(go![1]! - nogo![1]!)).toBeGreaterThan(2.5);
  }
});
