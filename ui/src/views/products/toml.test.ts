import { expect, test } from 'vitest';
import { offsetOf, placeOf, sides } from './toml';

const text = 'schema = 1\n\nmode = "x"\nlast';

test('a place and its offset say the same', () => {
  for (let at = 0; at <= text.length; at += 1) {
    const { line, column } = placeOf(text, at);
    expect(offsetOf(text, line, column)).toBe(at);
  }
});

test('a column past the end of its line stays on it, a line past the end is the end', () => {
  expect(placeOf(text, offsetOf(text, 3, 500))).toEqual({ line: 3, column: 11 });
  expect(offsetOf(text, 900, 1)).toBe(text.length);
  expect(offsetOf(text, 3, null)).toBe(12);
});

test('both texts come back out of their comparison', () => {
  const diff = [
    { kind: 'same', text: 'a' },
    { kind: 'gone', text: 'b' },
    { kind: 'come', text: 'c' },
    { kind: 'same', text: 'd' },
  ] as const;
  expect(sides(diff)).toEqual({ before: 'a\nb\nd', after: 'a\nc\nd' });
});
