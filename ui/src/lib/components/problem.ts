/** Anything thrown, as the sentences an error owes its reader. */
import { dateTime } from '../i18n/format.svelte';
import { t, word } from '../i18n/index.svelte';
import { remedy, sentence, told } from '../i18n/told';
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

export function explain(thrown: unknown): Problem {
  const error = typeof thrown === 'object' && thrown !== null && 'error' in thrown ? thrown.error : thrown;
  if (!isAppError(error)) {
    const message = error instanceof Error ? error.message : String(error);
    return {
      happened: sentence(t('common.errorTitle')),
      safe: undefined,
      todo: undefined,
      detail: undefined,
      code: undefined,
      copyable: error instanceof Error ? `${message}\n${error.stack ?? ''}` : message,
    };
  }
  const { text, detail } = told(error.code, error.message);
  const todo = [remedy(error.code, error.hint), error.retryAt ? dateTime(error.retryAt) : undefined];
  return {
    happened: text || sentence(t('common.errorTitle')),
    safe: sentence(word('errors', `safe.${error.safe}`)),
    todo: todo.filter(Boolean).join(' ') || undefined,
    detail: detail ? [detail, error.hint].filter(Boolean).join(' – ') : (error.detail ?? undefined),
    code: error.code,
    copyable: [error.code, error.message, error.hint, error.detail, error.correlationId].filter(Boolean).join('\n'),
  };
}
