/** Anything thrown, as the sentences an error owes its reader. */
import { dateTime } from '../i18n/format.svelte';
import { t, word } from '../i18n/index.svelte';
import type { AppError } from '../ipc/bindings';

export type Problem = {
  readonly happened: string;
  readonly safe: string | undefined;
  readonly todo: string | undefined;
  readonly code: string | undefined;
  readonly copyable: string;
};

function isAppError(value: unknown): value is AppError {
  return typeof value === 'object' && value !== null && 'code' in value && 'safe' in value && 'correlationId' in value;
}

/** The catalogue's sentence for a code, or Rust's own where it has none. */
function said(area: 'errors', key: string, otherwise: string | null): string | undefined {
  const found = word(area, key);
  return found === key ? (otherwise ?? undefined) : found;
}

export function explain(thrown: unknown): Problem {
  const error = typeof thrown === 'object' && thrown !== null && 'error' in thrown ? thrown.error : thrown;
  if (!isAppError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      happened: sentence(t('common.errorTitle'))!,
      safe: undefined,
      todo: undefined,
      code: undefined,
      copyable: error instanceof Error ? `${message}\n${error.stack ?? ''}` : message,
    };
  }
  const todo = [
    sentence(said('errors', `${error.code}.do`, error.hint)),
    error.retryAt ? dateTime(error.retryAt) : undefined,
  ];
  return {
    happened: sentence(said('errors', error.code, error.message))!,
    safe: sentence(word('errors', `safe.${error.safe}`)),
    todo: todo.filter(Boolean).join(' ') || undefined,
    code: error.code,
    copyable: [error.code, error.message, error.hint, error.detail, error.correlationId].filter(Boolean).join('\n'),
  };
}

/** A lower-case phrase of Rust as a sentence. */
function sentence(text: string | undefined): string | undefined {
  if (!text) return undefined;
  return text[0]!.toUpperCase() + text.slice(1) + (/[.!?…]$/.test(text) ? '' : '.');
}
