/** Copying goes through Rust: the web view's own clipboard needs a permission this window does not have. */
import { t } from '../i18n/index.svelte';
import { say } from './toasts.svelte';

let write: (text: string) => Promise<void> = async () => {
  throw new Error('no clipboard yet');
};

export function useClipboard(through: (text: string) => Promise<void>): void {
  write = through;
}

export async function copy(text: string): Promise<void> {
  await write(text);
  say(t('common.copied'));
}
