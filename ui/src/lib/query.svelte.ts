/**
 * What the window has asked of Rust, kept until the ledger moves. A query shows what it has while it asks again; nothing
 * is ever written here first and sent later.
 */
import { onDestroy, untrack } from 'svelte';

type Key = readonly unknown[];
type Kept = { value: unknown; fresh: boolean; used: number };

const kept = new Map<string, Kept>();
const live = new Set<{ key: string; again: () => void }>();
const most = 120;
let uses = 0;

const name = (key: Key): string => JSON.stringify(key);

function keep(key: string, value: unknown): void {
  kept.set(key, { value, fresh: true, used: ++uses });
  if (kept.size <= most) return;
  const oldest = [...kept.entries()].sort((a, b) => a[1].used - b[1].used)[0];
  if (oldest) kept.delete(oldest[0]);
}

/** Everything that was read may be old now: what is on screen asks again, the rest when it is next shown. */
export function invalidate(prefix: Key = []): void {
  const starts = name(prefix).slice(0, -1);
  for (const [key, entry] of kept) if (key.startsWith(starts)) entry.fresh = false;
  for (const query of [...live]) if (query.key.startsWith(starts)) query.again();
  if (!prefix.length) for (const again of [...others]) again();
}

const others = new Set<() => void>();
/** For what keeps its own pages: called whenever everything may be old. The answer stops it. */
export function onInvalidate(again: () => void): () => void {
  others.add(again);
  return () => void others.delete(again);
}

export function forgetAll(): void {
  kept.clear();
  for (const query of [...live]) query.again();
  for (const again of [...others]) again();
}

export type Query<T> = {
  readonly data: T | undefined;
  readonly error: unknown;
  /** Nothing to show yet. */
  readonly loading: boolean;
  /** Asking, with something shown or without. */
  readonly busy: boolean;
  refetch(): Promise<void>;
};

/**
 * Made in a component's script. Where `key` gives `undefined` nothing is asked. A late answer to an earlier key is dropped.
 */
export function query<T>(key: () => Key | undefined, ask: () => Promise<T>): Query<T> {
  let data = $state.raw<T | undefined>(undefined);
  let error = $state.raw<unknown>(undefined);
  let busy = $state(false);
  let shown: string | undefined;
  let turn = 0;
  let entry: { key: string; again: () => void } | undefined;

  async function run(id: string): Promise<void> {
    const mine = ++turn;
    busy = true;
    try {
      const value = await ask();
      keep(id, value);
      if (mine !== turn) return;
      data = value;
      error = undefined;
      shown = id;
    } catch (thrown) {
      if (mine !== turn) return;
      error = thrown;
    } finally {
      if (mine === turn) busy = false;
    }
  }

  $effect.pre(() => {
    const now = key();
    const id = now && name(now);
    untrack(() => {
      if (entry) live.delete(entry);
      entry = undefined;
      if (id === undefined) {
        turn += 1;
        data = undefined;
        error = undefined;
        busy = false;
        return;
      }
      entry = { key: id, again: () => void run(id) };
      live.add(entry);
      const have = kept.get(id);
      if (have) {
        have.used = ++uses;
        data = have.value as T;
        error = undefined;
        shown = id;
        if (have.fresh) {
          turn += 1;
          busy = false;
          return;
        }
      } else if (shown !== id) {
        data = undefined;
        error = undefined;
      }
      void run(id);
    });
  });
  onDestroy(() => entry && live.delete(entry));

  return {
    get data() {
      return data;
    },
    get error() {
      return error;
    },
    get loading() {
      return data === undefined && error === undefined;
    },
    get busy() {
      return busy;
    },
    refetch: () => (entry ? run(entry.key) : Promise.resolve()),
  };
}
