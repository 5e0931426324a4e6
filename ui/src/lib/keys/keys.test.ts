import { beforeEach, expect, test, vi } from 'vitest';
import { hits, isSingle, shown, strokes } from './chords';
import { registry } from './registry.svelte';
import { table, type CommandId, type Entry } from './table';

const press = (key: string, some: KeyboardEventInit = {}, target: EventTarget = document.body) => {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...some });
  Object.defineProperty(event, 'target', { value: target });
  registry.key(event);
  return event;
};

beforeEach(() => {
  registry.singleKeys = true;
  location.hash = '#/settings';
});

test('no two entries that are live together share a chord', () => {
  const always = (Object.entries(table) as [CommandId, Entry][]).filter(
    ([, entry]) => entry.group !== 'release' && entry.group !== 'list',
  );
  const seen = new Map<string, string>();
  const twice: string[] = [];
  for (const [id, entry] of always)
    for (const keys of entry.keys) {
      const before = seen.get(keys);
      if (before) twice.push(`${keys}: ${before}, ${id}`);
      seen.set(keys, id);
    }
  expect(twice).toEqual([]);
});

test('no chord begins another, but those that are typed one after the other', () => {
  const all = (Object.values(table) as Entry[]).flatMap((entry) => entry.keys);
  const hidden = all.filter((keys) => all.some((other) => other !== keys && other.startsWith(`${keys} `)));
  expect(hidden).toEqual([]);
});

test('an entry without a handler is not offered and does nothing', () => {
  expect(registry.offered.map((one) => one.id)).not.toContain('release.hold');
  expect(press('h').defaultPrevented).toBe(false);
});

test('a bound entry runs, the newest binding first, and the older one again after', () => {
  const first = vi.fn();
  const second = vi.fn();
  const undoFirst = registry.bind({ 'release.hold': first });
  const undoSecond = registry.bind({ 'release.hold': second });
  press('h');
  expect(second).toHaveBeenCalledOnce();
  undoSecond();
  press('h');
  expect(first).toHaveBeenCalledOnce();
  undoFirst();
  press('h');
  expect(first).toHaveBeenCalledOnce();
});

test('letters do nothing in a field, nor where they are switched off', () => {
  const hold = vi.fn();
  const undo = registry.bind({ 'release.hold': hold });
  const field = document.createElement('input');
  press('h', {}, field);
  registry.singleKeys = false;
  press('h');
  expect(hold).not.toHaveBeenCalled();
  undo();
});

test('chords with Ctrl work in a field', () => {
  const save = vi.fn();
  const undo = registry.bind({ 'do.save': save });
  const event = press('s', { ctrlKey: true }, document.createElement('textarea'));
  expect(save).toHaveBeenCalledOnce();
  expect(event.defaultPrevented).toBe(true);
  undo();
});

test('two letters after one another go to a place; too slowly they do not', () => {
  press('g');
  press('b');
  expect(location.hash).toBe('#/board');
  press('g');
  const real = performance.now.bind(performance);
  const late = vi.spyOn(performance, 'now').mockImplementation(() => real() + 5_000);
  press('r');
  late.mockRestore();
  expect(location.hash).toBe('#/board');
});

test('a blocked entry does nothing and says why', () => {
  const run = vi.fn();
  const undo = registry.bind({ 'release.hold': { run, blocked: () => 'read only' } });
  press('h');
  expect(run).not.toHaveBeenCalled();
  expect(registry.offered.find((one) => one.id === 'release.hold')?.blocked).toBe('read only');
  undo();
});

test('nothing is heard while a dialog is up', () => {
  registry.paused += 1;
  press('g');
  press('b');
  registry.paused -= 1;
  expect(location.hash).toBe('#/settings');
});

test('chords are read and shown', () => {
  expect(strokes('mod+shift+k')).toEqual([{ key: 'k', mod: true, shift: true, alt: false }]);
  expect(isSingle('g b')).toBe(true);
  expect(isSingle('mod+k')).toBe(false);
  expect(isSingle('f1')).toBe(false);
  expect(shown('mod+k')).toBe('Ctrl K');
  expect(shown('g b')).toBe('G B');
  expect(hits(strokes('?')[0]!, new KeyboardEvent('keydown', { key: '?', shiftKey: true }))).toBe(true);
  expect(hits(strokes('h')[0]!, new KeyboardEvent('keydown', { key: 'h', shiftKey: true }))).toBe(false);
});
