import type { Translation } from '../../catalogue';
import type en from '../en/errors';

export default {
  'safe.nothingHappened': 'Nichts ist geschehen; nichts wurde aufgezeichnet.',
  'safe.ledgerUnchanged': 'Das Ledger ist, wie es war.',
  'safe.recorded': 'Was Sie getan haben, steht im Ledger.',
  'safe.unknown': 'Es ist nicht bekannt, ob es wirksam wurde. Sehen Sie nach, bevor Sie es erneut versuchen.',
  'safe.readOnly': 'Das Ledger ist nur zum Lesen offen, es kann also nichts verloren gehen.',
} as const satisfies Translation<typeof en>;
