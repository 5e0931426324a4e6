/**
 * What a person has arranged for themselves in a window of this machine: nothing of the record, nothing anybody else sees.
 * Kept per ledger and person. A store that is full or forbidden costs the arrangement and nothing else.
 */
import { desk } from './session.svelte';

const name = (what: string): string =>
  `countersign.${what}.${desk.ledger?.fingerprint ?? ''}.${desk.me?.principal ?? ''}`;

/** What was kept, where it still is what `lawful` expects. */
export function recall<T>(what: string, lawful: (value: unknown) => value is T): T | undefined {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(name(what)) ?? 'null');
    return lawful(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function remember(what: string, value: unknown): void {
  try {
    if (value === undefined) localStorage.removeItem(name(what));
    else localStorage.setItem(name(what), JSON.stringify(value));
  } catch {
    // Shown until the window closes, and as it was after that.
  }
}
