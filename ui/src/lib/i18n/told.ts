/**
 * What Rust says, in the language of the window. Rust speaks English and names names; in English its own sentence is shown.
 * In another language the catalogue has a sentence for its code, and Rust's stands beneath it as the detail.
 */
import { word, words } from './index.svelte';

export type Told = {
  readonly text: string;
  /** Rust's own sentence, where another is shown. English. */
  readonly detail: string | undefined;
};

/** A lower-case phrase of Rust as a sentence. */
export function sentence(text: string): string {
  return text ? text[0]!.toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.') : '';
}

const find = (key: string): string | undefined => {
  const found = word('errors', key);
  return found === key ? undefined : found;
};

/** What happened: of an error, a refusal, a finding. */
export function told(code: string | null | undefined, message: string | null | undefined): Told {
  const own = words.language === 'en' && message ? undefined : find((code ?? '').replaceAll('-', '_'));
  if (!own) return { text: sentence(message ?? ''), detail: undefined };
  return { text: own, detail: message || undefined };
}

/** What to do about it: in Rust's words where they are of the language shown, else in those of the code. */
export function remedy(code: string, hint: string | null | undefined): string | undefined {
  if (words.language === 'en' && hint) return sentence(hint);
  return find(`todo.${code.replaceAll('-', '_')}`);
}
