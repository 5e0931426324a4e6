/**
 * A list that is too long to be read at once: pages are read as they come into view and read again when the ledger moves.
 * Old pages are let go, so that a day of scrolling does not grow the window.
 */
import { onDestroy, untrack } from 'svelte';
import { onInvalidate } from './query.svelte';
import type { Page } from './ipc';

type Answer<R> = { readonly total: number; readonly rows: readonly R[] };
const size = 100;
const most = 40;

export type Paged<R, A extends Answer<R>> = {
  readonly total: number;
  /** The newest answer, for what stands beside the rows. */
  readonly head: A | undefined;
  readonly error: unknown;
  readonly loading: boolean;
  row(index: number): R | undefined;
  ensure(from: number, until: number): void;
  refetch(): Promise<void>;
};

/** In a component's script: `key` says which list it is. */
export function paged<R, A extends Answer<R>>(key: () => unknown, ask: (page: Page) => Promise<A>): Paged<R, A> {
  let pages = $state.raw<ReadonlyMap<number, readonly R[]>>(new Map());
  let head = $state.raw<A | undefined>(undefined);
  let error = $state.raw<unknown>(undefined);
  let asked = new Set<number>();
  let wanted: readonly number[] = [0];
  let turn = 0;

  async function read(page: number): Promise<void> {
    if (asked.has(page)) return;
    asked.add(page);
    const mine = turn;
    try {
      const answer = await ask({ offset: page * size, limit: size });
      if (mine !== turn) return;
      const next = new Map(pages);
      next.delete(page);
      next.set(page, answer.rows);
      for (const old of next.keys()) {
        if (next.size <= most) break;
        if (wanted.includes(old)) continue;
        next.delete(old);
        asked.delete(old);
      }
      pages = next;
      head = answer;
      error = undefined;
    } catch (thrown) {
      if (mine !== turn) return;
      asked.delete(page);
      error = thrown;
    }
  }

  async function again(): Promise<void> {
    turn += 1;
    asked = new Set();
    // What is shown stays until the new pages are there; what is out of sight is dropped at once.
    pages = new Map([...pages].filter(([page]) => wanted.includes(page)));
    await Promise.all(wanted.map(read));
  }

  let shown: string | undefined;
  $effect.pre(() => {
    const id = JSON.stringify(key());
    untrack(() => {
      if (id === shown) return;
      if (shown !== undefined) {
        pages = new Map();
        wanted = [0];
      }
      shown = id;
      void again();
    });
  });
  onDestroy(onInvalidate(() => void again()));

  return {
    get total() {
      return head?.total ?? 0;
    },
    get head() {
      return head;
    },
    get error() {
      return error;
    },
    get loading() {
      return head === undefined && error === undefined;
    },
    row: (index) => pages.get(Math.floor(index / size))?.[index % size],
    ensure(from, until) {
      const first = Math.floor(from / size);
      const last = Math.floor(Math.max(from, until - 1) / size);
      wanted = Array.from({ length: last - first + 1 }, (_, at) => first + at);
      untrack(() => wanted.forEach((page) => void read(page)));
    },
    refetch: again,
  };
}
