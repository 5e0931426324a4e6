import { expect, test } from 'vitest';
import { steps } from './proof';

/** A tree of marks instead of hashes, built straight from the definition. */
function root(from: number, until: number): string {
  if (until - from === 1) return `${from}`;
  const split = cut(until - from);
  return `(${root(from, from + split)}+${root(from + split, until)})`;
}
function cut(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}
function path(index: number, from: number, until: number): string[] {
  if (until - from === 1) return [];
  const middle = from + cut(until - from);
  return index < middle
    ? [...path(index, from, middle), root(middle, until)]
    : [...path(index, middle, until), root(from, middle)];
}

test('each side leads to the root, for every leaf of every tree up to 40', () => {
  for (let size = 1; size <= 40; size += 1)
    for (let index = 0; index < size; index += 1) {
      const reached = steps(index, size, path(index, 0, size)).reduce(
        (node, step) => (step.side === 'left' ? `(${step.hash}+${node})` : `(${node}+${step.hash})`),
        `${index}`,
      );
      expect(reached, `leaf ${index} of ${size}`).toBe(root(0, size));
    }
});
