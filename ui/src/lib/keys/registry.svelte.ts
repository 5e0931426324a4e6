/** Who does what at the moment, and the one listener for the keyboard. */
import { onDestroy } from 'svelte';
import { router } from '../router.svelte';
import { hits, isSingle, strokes, type Stroke } from './chords';
import { table, type CommandId, type Entry } from './table';

export type Handler = {
  readonly run: () => void;
  /** Why it cannot be done now; undefined where it can. */
  readonly blocked?: () => string | undefined;
};

class Registry {
  /** The newest binding of an id is the last of its list. */
  #bound = $state.raw<ReadonlyMap<CommandId, readonly Handler[]>>(new Map());
  /** Whether single letters do anything. A setting. */
  singleKeys = $state(true);
  /** While a dialog or the locked screen is up, only it hears keys. */
  paused = $state(0);
  #pending: { strokes: readonly Stroke[]; at: number } | undefined;

  bind(handlers: Partial<Record<CommandId, Handler | (() => void)>>): () => void {
    const added: [CommandId, Handler][] = [];
    const next = new Map(this.#bound);
    for (const [id, given] of Object.entries(handlers) as [CommandId, Handler | (() => void)][]) {
      const handler = typeof given === 'function' ? { run: given } : given;
      next.set(id, [...(next.get(id) ?? []), handler]);
      added.push([id, handler]);
    }
    this.#bound = next;
    return () => {
      const less = new Map(this.#bound);
      for (const [id, handler] of added) {
        const rest = (less.get(id) ?? []).filter((one) => one !== handler);
        if (rest.length) less.set(id, rest);
        else less.delete(id);
      }
      this.#bound = less;
    };
  }

  handler(id: CommandId): Handler | undefined {
    const bound = this.#bound.get(id)?.at(-1);
    if (bound) return bound;
    const to = (table[id] as Entry).go;
    return to && { run: () => router.go(to as 'inbox') };
  }

  /** What can be offered now, in the order of the table. */
  get offered(): readonly { id: CommandId; entry: Entry; blocked: string | undefined }[] {
    return (Object.keys(table) as CommandId[]).flatMap((id) => {
      const handler = this.handler(id);
      return handler ? [{ id, entry: table[id] as Entry, blocked: handler.blocked?.() }] : [];
    });
  }

  run(id: CommandId): boolean {
    const handler = this.handler(id);
    if (!handler || handler.blocked?.()) return false;
    handler.run();
    return true;
  }

  key(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.isComposing || event.repeat || this.paused > 0) return;
    if (isOver(event.target) && !(event.ctrlKey || event.metaKey)) return;
    const typing = isTyping(event.target);
    const pending = this.#pending && performance.now() - this.#pending.at < 1_200 ? this.#pending.strokes : [];
    this.#pending = undefined;
    let begun: Stroke[] | undefined;
    for (const id of (Object.keys(table) as CommandId[]).reverse()) {
      for (const keys of (table[id] as Entry).keys) {
        const single = isSingle(keys);
        if (single && (typing || !this.singleKeys)) continue;
        if (typing && !keys.includes('mod+') && !/^(f\d+|escape)$/.test(keys)) continue;
        const wanted = strokes(keys);
        const done = pending.length;
        if (done && !pending.every((stroke, at) => wanted[at]?.key === stroke.key && wanted[at]?.mod === stroke.mod))
          continue;
        const stroke = wanted[done];
        if (!stroke || !hits(stroke, event)) continue;
        const handler = this.handler(id);
        if (!handler) continue;
        if (done + 1 < wanted.length) {
          begun = wanted.slice(0, done + 1);
          continue;
        }
        // In a field the browser's own Ctrl Z stays the field's.
        if (typing && keys === 'mod+z') continue;
        if (handler.blocked?.()) continue;
        event.preventDefault();
        handler.run();
        return;
      }
    }
    if (begun) this.#pending = { strokes: begun, at: performance.now() };
  }
}

export const registry = new Registry();

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return (
    target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'submit', 'range'].includes(target.type)
  );
}

/** In an open list, menu or dialog a key belongs to it. */
function isOver(target: EventTarget | null): boolean {
  if (!(target instanceof Element)) return false;
  return (
    target.closest(
      '[role="menu"], [role="listbox"], [role="dialog"], [role="alertdialog"], [aria-haspopup][aria-expanded="true"]',
    ) !== null
  );
}

/** In a component's script: what these entries do while it is shown. */
export function bind(handlers: Parameters<Registry['bind']>[0]): void {
  onDestroy(registry.bind(handlers));
}

/** In a component's script: nothing else hears the keyboard while it is shown. */
export function pauseKeys(): void {
  registry.paused += 1;
  onDestroy(() => (registry.paused -= 1));
}
