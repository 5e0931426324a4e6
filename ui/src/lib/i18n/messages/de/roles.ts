import type { Translation } from '../../catalogue';
import type en from '../en/roles';

export default {
  'release-manager': 'Release-Management',
  'process-owner': 'Prozessverantwortung',
  'emergency-authority': 'Notfallbefugnis',
  auditor: 'Revision',
  practitioner: 'Durchführung',
  qa: 'QS',
  security: 'Sicherheit',
  'product-owner': 'Produktverantwortung',
  safety: 'Funktionssicherheit',
  operations: 'Betrieb',
  quality: 'Qualität',
  qp: 'Sachkundige Person',
} as const satisfies Translation<typeof en>;
