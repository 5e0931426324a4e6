import { hourOfDay } from '$lib/i18n/format.svelte';
import { t } from '$lib/i18n/index.svelte';

/** By the hour of the shown zone, and by the first name (titles are left out). */
export function greeting(name: string | undefined, now: number): string {
  if (!name) return t('inbox.anybody');
  const first = name.replace(/^(Dr|Prof)\.?\s+/, '').split(' ')[0] ?? name;
  const hour = hourOfDay(now);
  if (hour < 5) return t('inbox.night', { name: first });
  if (hour < 12) return t('inbox.morning', { name: first });
  if (hour < 18) return t('inbox.afternoon', { name: first });
  return t('inbox.evening', { name: first });
}
