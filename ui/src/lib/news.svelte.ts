/**
 * Which releases changed since the person at this desk last looked at them. Read from the ledger's own entries: the newest
 * entry about a release that somebody else made, against how many entries there were when the person last opened it.
 */
import { calls, type AuditFilter } from './ipc';
import { recall, remember } from './remembered';
import { desk } from './session.svelte';

type Looked = {
  /** Everything before this entry counts as seen: where the person began, or what was let go. */
  readonly from: number;
  readonly at: Readonly<Record<string, number>>;
};
const isLooked = (value: unknown): value is Looked =>
  typeof value === 'object' &&
  value !== null &&
  'from' in value &&
  typeof value.from === 'number' &&
  'at' in value &&
  typeof value.at === 'object' &&
  value.at !== null &&
  Object.values(value.at).every((one) => typeof one === 'number');

const everything: AuditFilter = {
  actors: [],
  acts: [],
  release: null,
  product: null,
  after: null,
  before: null,
  text: '',
  onlyFindings: false,
};
const page = 200;
/** Whoever was away for longer than this many entries is told of the newest of them only. */
const most = 1_000;
const kept = 300;

class News {
  /** The newest entry about each release since `from`. */
  #newest = $state.raw<ReadonlyMap<string, number>>(new Map());
  #looked = $state.raw<Looked>({ from: Number.MAX_SAFE_INTEGER, at: {} });
  #of = '';
  #read = 0;

  changed(release: string | null | undefined): boolean {
    if (!release) return false;
    const newest = this.#newest.get(release);
    return newest !== undefined && newest >= (this.#looked.at[release] ?? this.#looked.from);
  }
  get count(): number {
    return [...this.#newest.keys()].filter((release) => this.changed(release)).length;
  }

  /** The person has the release before their eyes. */
  look(release: string): void {
    const size = desk.ledger?.entries;
    if (size === undefined || this.#looked.at[release] === size || !this.#of) return;
    const all = Object.entries({ ...this.#looked.at, [release]: size }).sort((a, b) => b[1] - a[1]);
    // What is let go of the oldest raises the line before which everything counts as seen.
    const gone = all[kept]?.[1];
    this.#keep({
      from: gone === undefined ? this.#looked.from : Math.max(this.#looked.from, gone),
      at: Object.fromEntries(all.slice(0, kept)),
    });
  }
  lookAtAll(): void {
    const size = desk.ledger?.entries;
    if (size !== undefined) this.#keep({ from: size, at: {} });
  }
  #keep(next: Looked): void {
    this.#looked = next;
    remember('looked', next);
  }

  /** Reads what came since it was last asked; called whenever the ledger or the person is another. */
  async follow(): Promise<void> {
    const size = desk.ledger?.entries;
    const me = desk.me?.principal;
    if (size === undefined || me === undefined) return;
    const of = `${desk.ledger?.fingerprint} ${me}`;
    if (of !== this.#of) {
      this.#of = of;
      this.#newest = new Map();
      const before = recall('looked', isLooked);
      if (before && before.from <= size) this.#looked = before;
      else this.#keep({ from: size, at: {} });
      this.#read = Math.max(this.#looked.from, size - most);
    }
    const since = this.#read;
    this.#read = size;
    const found = new Map<string, number>();
    try {
      // The ledger may grow between two pages: read on until what was known before, wherever it lies by now.
      for (let offset = 0, more = size > since; more;) {
        const limit = Math.min(page, Math.max(20, size - since - offset));
        const { rows } = await calls.audit({ filter: everything, newestFirst: true, page: { offset, limit } });
        if (of !== this.#of) return;
        for (const { index, release, actor } of rows) {
          if (index < since || !release || actor.principal === me) continue;
          found.set(release, Math.max(found.get(release) ?? 0, index));
        }
        more = rows.length > 0 && rows.at(-1)!.index > since;
        offset += rows.length;
      }
      // Another reading may have ended meanwhile.
      for (const [release, index] of this.#newest) found.set(release, Math.max(found.get(release) ?? 0, index));
      this.#newest = found;
    } catch {
      // A mark that is missing misleads less than an error nobody asked for; it is read again with the next entry.
      if (of === this.#of) this.#read = Math.min(this.#read, since);
    }
  }
  forget(): void {
    this.#of = '';
    this.#read = 0;
    this.#newest = new Map();
    this.#looked = { from: Number.MAX_SAFE_INTEGER, at: {} };
  }
}

export const news = new News();
