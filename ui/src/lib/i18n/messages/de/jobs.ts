import type { Translation } from '../../catalogue';
import type en from '../en/jobs';

export default {
  verify: 'Prüfung läuft',
  exportBundle: 'Ausgabe läuft',
  carryRequest: 'Anfrage wird geschrieben',
  backUp: 'Sicherung läuft',
  restore: 'Wiederherstellung läuft',
  report: 'Bericht wird geschrieben',
  connectorTest: 'Anbindung wird geprüft',
  dispatch: 'Auslösung läuft',
  reconcile: 'Auslösung wird gesucht',
  observeEvidence: 'Nachweis wird geholt',
  createSample: 'Beispiel wird gebaut',
  openLedger: 'Ledger wird geöffnet',
  worker: 'Arbeitet',
} as const satisfies Translation<typeof en>;
