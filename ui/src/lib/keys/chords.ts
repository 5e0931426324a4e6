/** Chords as the table writes them: `mod+k`, `shift+n`, `g b` (one after the other), `?`. `mod` is Cmd on macOS, else Ctrl. */
import { t } from '../i18n/index.svelte';

export const mac = typeof navigator !== 'undefined' && /Mac|iPhone|iPad/.test(navigator.userAgent);

export type Stroke = { readonly key: string; readonly mod: boolean; readonly shift: boolean; readonly alt: boolean };

export function strokes(keys: string): Stroke[] {
  return keys.split(' ').map((part) => {
    const pieces = part.split('+');
    const key = pieces.pop() || '+';
    return {
      key: key.toLowerCase(),
      mod: pieces.includes('mod'),
      shift: pieces.includes('shift'),
      alt: pieces.includes('alt'),
    };
  });
}

/** Whether it is typed with letters alone, and so must be possible to switch off (WCAG 2.1.4). */
export const isSingle = (keys: string): boolean =>
  strokes(keys).every((stroke) => !stroke.mod && !stroke.alt && stroke.key.length === 1);

export function hits(stroke: Stroke, event: KeyboardEvent): boolean {
  if (stroke.mod !== (mac ? event.metaKey : event.ctrlKey)) return false;
  if (mac ? event.ctrlKey : event.metaKey) return false;
  if (stroke.alt !== event.altKey) return false;
  const key = event.key.toLowerCase();
  // A sign such as `?` already says whether Shift is needed; a letter or a named key does not.
  if (/^[a-z0-9]$/.test(stroke.key) || stroke.key.length > 1)
    return key === stroke.key && stroke.shift === event.shiftKey;
  return key === stroke.key;
}

const named: Readonly<Record<string, string>> = {
  escape: 'Esc',
  enter: '↵',
  arrowup: '↑',
  arrowdown: '↓',
  arrowleft: '←',
  arrowright: '→',
  ' ': '␣',
  space: '␣',
};

/** As a reader sees it: `Ctrl K`, `⌘K`, `G B`. */
export function shown(keys: string): string {
  return strokes(keys)
    .map((stroke) => {
      const key =
        named[stroke.key] ??
        (stroke.key.length === 1 ? stroke.key.toUpperCase() : stroke.key[0]!.toUpperCase() + stroke.key.slice(1));
      if (mac) return `${stroke.alt ? '⌥' : ''}${stroke.shift ? '⇧' : ''}${stroke.mod ? '⌘' : ''}${key}`;
      return [stroke.mod && t('keys.ctrl'), stroke.alt && 'Alt', stroke.shift && t('keys.shift'), key]
        .filter(Boolean)
        .join(' ');
    })
    .join(' ');
}
