import { expect, test } from 'vitest';
import { added, filterOf, format, parse } from './filter';

test('tokens and words are told apart', () => {
  expect(parse('actor:anna@acme.example kind:approval pump "two words" release:pay-4.2')).toEqual({
    tokens: [
      { key: 'actor', value: 'anna@acme.example' },
      { key: 'act', value: 'approval' },
      { key: 'release', value: 'pay-4.2' },
    ],
    text: 'pump "two words"',
  });
});

test('what is no lawful token is searched for as it was typed', () => {
  expect(parse('after:yesterday before:2026-02-30 http://ci is:red').tokens).toEqual([]);
  expect(parse('after:yesterday before:2026-02-30 http://ci is:red').text).toBe(
    'after:yesterday before:2026-02-30 http://ci is:red',
  );
});

test('of a date the newest counts, of an actor each', () => {
  expect(parse('after:2026-01-01 after:2026-02-01').tokens).toEqual([{ key: 'after', value: '2026-02-01' }]);
  expect(parse('actor:a actor:b actor:a').tokens.map((token) => token.value)).toEqual(['b', 'a']);
  expect(added([{ key: 'is', value: 'finding' }], { key: 'is', value: 'finding' })).toHaveLength(1);
});

test('the address gives back what was written into it', () => {
  for (const typed of ['', 'words only', 'actor:a act:freeze release:"shop 4" after:2026-10-01 is:finding pump'])
    expect(parse(format(parse(typed)))).toEqual(parse(typed));
});

test('a day begins at midnight where the reader is, also when clocks change', () => {
  const asked = filterOf(parse('after:2026-03-29 before:2026-03-30'), 'Europe/Zurich');
  expect([asked.after, asked.before]).toEqual(['2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z']);
  expect(filterOf(parse('after:2026-03-29'), 'UTC').after).toBe('2026-03-29T00:00:00Z');
});
