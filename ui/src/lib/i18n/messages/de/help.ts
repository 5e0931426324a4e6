import type { Translation } from '../../catalogue';
import type en from '../en/help';

export default {
  title: 'Hilfe',
  lead: 'Alles ist hier; nichts wird nachgeladen.',
  search: 'In der Hilfe suchen',
  topics: 'Themen',
  noneTitle: 'Nichts über „{text}“',
  noneText: 'Versuchen Sie ein einzelnes Wort, etwa „überholt“, „Schlüssel“ oder „Welle“.',
  found: { zero: 'nichts gefunden', one: '{count} Thema', other: '{count} Themen' },
} as const satisfies Translation<typeof en>;
