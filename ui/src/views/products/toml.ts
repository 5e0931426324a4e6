/** Places in a text, for the editor: lines and columns count from 1, as Rust says them. */
import type { TextDiffLine } from '$lib/ipc';

/** Where a line and column lie in the text; the end of it where there is no such place. */
export function offsetOf(text: string, line: number, column: number | null): number {
  let at = 0;
  for (let no = 1; no < line; no += 1) {
    const next = text.indexOf('\n', at);
    if (next < 0) return text.length;
    at = next + 1;
  }
  const end = text.indexOf('\n', at);
  return Math.min(at + Math.max(0, (column ?? 1) - 1), end < 0 ? text.length : end);
}

export function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

/** The two texts a comparison of Rust was made of. */
export function sides(diff: readonly TextDiffLine[]): { before: string; after: string } {
  const side = (not: TextDiffLine['kind']) =>
    diff
      .filter((line) => line.kind !== not)
      .map((line) => line.text)
      .join('\n');
  return { before: side('come'), after: side('gone') };
}
