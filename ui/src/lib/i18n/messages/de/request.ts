import type { Translation } from '../../catalogue';
import type en from '../en/request';

export default {
  title: 'Einfrieren und anfragen',
  titleOf: '{product} {version} einfrieren und um Unterschriften bitten',
  lead: 'Dies friert den Entscheidungsbogen ein. Von da an meint jede Unterschrift genau das, was darauf steht; bewegt sich eine genannte Zeile, sind alle überholt.',
  who: 'Wen Sie bitten',
  whoText:
    'Wer die Rolle hat und unterschreiben darf, sieht es im Eingang. Eine genannte Person wird eigens angesprochen; die anderen können trotzdem unterschreiben.',
  seats: { one: '{count} Unterschrift nötig', other: '{count} Unterschriften nötig' },
  anybody: 'Wer auch immer die Rolle hat',
  nobody: 'Niemand darf hier unterschreiben. So kann das Release nicht entschieden werden.',
  tooFew: 'Es dürfen weniger Personen unterschreiben, als Unterschriften nötig sind.',
  barred: {
    one: '{count} Person hat die Rolle und darf nicht unterschreiben',
    other: '{count} Personen haben die Rolle und dürfen nicht unterschreiben',
  },
  when: 'Bis wann',
  due: 'Fällig',
  dueHint: 'Die Gefragten werden vorher erinnert. Durch Verstreichen wird nichts entschieden.',
  window: 'Fenster',
  windowText: 'Wann die Ausrollung beginnen darf. Außerhalb wird nichts gesendet.',
  windowSet: 'Ein Fenster setzen',
  windowFrom: 'Von',
  windowUntil: 'Bis',
  windowPolicy: 'Das der Richtlinie: {from} – {until}',
  windowAny: 'Jederzeit, solange der Bogen gilt.',
  windowOrder: 'Das Fenster endet, bevor es beginnt.',
  reason: 'Begründung',
  reasonHint: 'Was die Gefragten wissen sollten. Es steht im Ledger.',
  sheet: 'Der Bogen, wie er eingefroren würde',
  since: 'Seit dem letzten Bogen',
  sinceNone: 'Nichts ist anders als auf dem letzten Bogen.',
  first: 'Dies ist der erste Bogen dieses Release.',
  stale: {
    one: '{count} Unterschrift auf dem letzten Bogen wird überholt: Sie muss neu gegeben werden.',
    other: '{count} Unterschriften auf dem letzten Bogen werden überholt: Sie müssen neu gegeben werden.',
  },
  cannot: 'Es kann noch nicht eingefroren werden',
  sign: 'Ansehen und unterschreiben',
  reasonFirst: 'Begründen Sie zuerst.',
  refreshing: 'Wird neu gelesen …',
} as const satisfies Translation<typeof en>;
