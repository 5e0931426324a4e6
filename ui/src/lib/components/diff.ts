/** Line differences by the longest common subsequence; past a bound of work the whole is shown as replaced. */
export type Line = { readonly kind: 'same' | 'added' | 'removed'; readonly text: string };
export type Part = Line | { readonly kind: 'fold'; readonly lines: readonly string[] };

const bound = 4_000_000;

export function lineDiff(before: string, after: string): Line[] {
  const a = before === '' ? [] : before.split('\n');
  const b = after === '' ? [] : after.split('\n');
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail])
    tail += 1;
  const same = (text: string): Line => ({ kind: 'same', text });
  return [
    ...a.slice(0, head).map(same),
    ...middle(a.slice(head, a.length - tail), b.slice(head, b.length - tail)),
    ...a.slice(a.length - tail).map(same),
  ];
}

function middle(a: readonly string[], b: readonly string[]): Line[] {
  const removed = (text: string): Line => ({ kind: 'removed', text });
  const added = (text: string): Line => ({ kind: 'added', text });
  if (a.length * b.length > bound) return [...a.map(removed), ...b.map(added)];
  const width = b.length + 1;
  const longest = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
  const lines: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: 'same', text: a[i]! });
      i += 1;
      j += 1;
    } else if (i < a.length && (j === b.length || longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!)) {
      lines.push(removed(a[i]!));
      i += 1;
    } else {
      lines.push(added(b[j]!));
      j += 1;
    }
  }
  return lines;
}

/** Runs of unchanged lines longer than twice the context become one fold. */
export function folded(lines: readonly Line[], context: number): Part[] {
  const parts: Part[] = [];
  let at = 0;
  while (at < lines.length) {
    if (lines[at]!.kind !== 'same') {
      parts.push(lines[at]!);
      at += 1;
      continue;
    }
    let end = at;
    while (end < lines.length && lines[end]!.kind === 'same') end += 1;
    const before = at === 0 ? 0 : context;
    const after = end === lines.length ? 0 : context;
    const run = lines.slice(at, end);
    if (run.length > before + after + 1) {
      parts.push(...run.slice(0, before));
      parts.push({ kind: 'fold', lines: run.slice(before, run.length - after).map((line) => line.text) });
      parts.push(...run.slice(run.length - after));
    } else parts.push(...run);
    at = end;
  }
  return parts;
}
