/** The tail of a log: never more than `limit` lines in memory, whatever a pipeline prints. */
export class LogRing {
  lines = $state.raw<readonly string[]>([]);
  /** How many lines came before the first one kept. */
  dropped = $state(0);
  #open = '';

  constructor(readonly limit = 5_000) {}

  get total(): number {
    return this.dropped + this.lines.length;
  }
  /** Text as it came; a line may arrive in pieces. */
  append(text: string): void {
    const parts = (this.#open + text).split('\n');
    this.#open = parts.pop() ?? '';
    if (parts.length) this.push(parts);
  }
  push(lines: readonly string[]): void {
    const all = this.lines.concat(lines.map((line) => (line.length > 4_000 ? `${line.slice(0, 4_000)}…` : line)));
    const over = Math.max(0, all.length - this.limit);
    this.lines = over ? all.slice(over) : all;
    this.dropped += over;
  }
  clear(): void {
    this.lines = [];
    this.dropped = 0;
    this.#open = '';
  }
}

export type Span = { readonly text: string; readonly tone: '' | 'strong' | 'red' | 'green' | 'yellow' | 'blue' };

const tones: Readonly<Record<string, Span['tone']>> = {
  '1': 'strong',
  '31': 'red',
  '91': 'red',
  '32': 'green',
  '92': 'green',
  '33': 'yellow',
  '93': 'yellow',
  '34': 'blue',
  '94': 'blue',
  '36': 'blue',
};

/** A line with its terminal colors as tones; every other control sequence is left out. */
export function spans(line: string): Span[] {
  const found: Span[] = [];
  let tone: Span['tone'] = '';
  // eslint-disable-next-line no-control-regex
  for (const [at, part] of line.split(/\u001b\[([0-9;]*)m/).entries()) {
    if (at % 2 === 0) {
      // eslint-disable-next-line no-control-regex
      const text = part.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replace(/[\u0000-\u0008\u000b-\u001f]/g, '');
      if (text) found.push({ text, tone });
    } else
      tone = part
        .split(';')
        .reduce<Span['tone']>((now, code) => (code === '0' || code === '' ? '' : (tones[code] ?? now)), tone);
  }
  return found;
}
