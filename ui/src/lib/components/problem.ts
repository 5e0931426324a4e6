/** Anything thrown, as the sentences an error owes its reader. */
import { dateTime } from '../i18n/format.svelte';
import { t, word, words } from '../i18n/index.svelte';
import type { AppError } from '../ipc/bindings';

export type Problem = {
  readonly happened: string;
  readonly safe: string | undefined;
  readonly todo: string | undefined;
  /** In the words of Rust, or of a CI system. */
  readonly detail: string | undefined;
  readonly code: string | undefined;
  readonly copyable: string;
};

function isAppError(value: unknown): value is AppError {
  return typeof value === 'object' && value !== null && 'code' in value && 'safe' in value && 'correlationId' in value;
}

/** Where the language is not the one Rust speaks, the sentence of the code; nothing where the catalogue has none. */
function translated(code: string): string | undefined {
  if (words.language === 'en') return undefined;
  const found = word('errors', code);
  return found === code ? undefined : found;
}

export function explain(thrown: unknown): Problem {
  const error = typeof thrown === 'object' && thrown !== null && 'error' in thrown ? thrown.error : thrown;
  if (!isAppError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      happened: sentence(t('common.errorTitle'))!,
      safe: undefined,
      todo: undefined,
      detail: undefined,
      code: undefined,
      copyable: error instanceof Error ? `${message}\n${error.stack ?? ''}` : message,
    };
  }
  const own = translated(error.code);
  const todo = [
    sentence(own ? undefined : (error.hint ?? undefined)),
    error.retryAt ? dateTime(error.retryAt) : undefined,
  ];
  return {
    happened: own ?? sentence(error.message || t('common.errorTitle'))!,
    safe: sentence(word('errors', `safe.${error.safe}`)),
    todo: todo.filter(Boolean).join(' ') || undefined,
    detail: own ? [error.message, error.hint].filter(Boolean).join(' – ') : (error.detail ?? undefined),
    code: error.code,
    copyable: [error.code, error.message, error.hint, error.detail, error.correlationId].filter(Boolean).join('\n'),
  };
}

/** A lower-case phrase of Rust as a sentence. */
function sentence(text: string | undefined): string | undefined {
  if (!text) return undefined;
  return text[0]!.toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.');
}
