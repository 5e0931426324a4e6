/** The words of the calendar's rows. */
import { t } from '$lib/i18n/index.svelte';
import type { AgendaRow } from '$lib/ipc';
import type { IconName } from '$lib/components/icons';
import { href } from '$lib/router.svelte';

export function rowText(row: AgendaRow): string {
  switch (row.kind) {
    case 'window':
      return t('freezes.window', { product: row.product, version: row.version });
    case 'due':
      return t('freezes.due', { product: row.product, version: row.version });
    case 'sheetEnds':
      return t('freezes.sheetEnds', { product: row.product, version: row.version });
    case 'waiverEnds':
      return t('freezes.waiverEnds', { gate: row.gate, release: row.release });
    case 'authorizationEnds':
      return t('freezes.authorizationEnds', { entry: row.entry, product: row.product });
    case 'keyEnds':
      return t('freezes.keyEnds', { person: row.person.name });
  }
}

export function rowLink(row: AgendaRow): string {
  switch (row.kind) {
    case 'authorizationEnds':
      return href('authorizations', { id: String(row.entry) });
    case 'keyEnds':
      return href('people', { id: row.person.principal });
    default:
      return href('release', { id: row.release });
  }
}

export const rowIcons: Record<AgendaRow['kind'], IconName> = {
  window: 'wave',
  due: 'mark',
  sheetEnds: 'hourglass',
  waiverEnds: 'ticket',
  authorizationEnds: 'seal',
  keyEnds: 'key',
};
