/** How a seat of the poll reads: its state, who sits there, what they said. */
import { clock, timeOfDay, day, dayKey } from '$lib/i18n/format.svelte';
import { t, word } from '$lib/i18n/index.svelte';
import type { MessageKey } from '$lib/i18n/catalogue';
import type { State } from '$lib/design/states';
import type { SheetView, Station, StationState, Verdict } from '$lib/ipc';
import { movedText, names } from '$lib/record/decision';

export const stateOfStation: Record<StationState, State> = {
  waiting: 'waiting',
  go: 'go',
  noGo: 'noGo',
  hold: 'hold',
  conditional: 'conditionalGo',
  stale: 'stale',
  expired: 'expired',
  lostRole: 'signerLostRole',
  keyRevoked: 'keyRevoked',
  segregation: 'segregationFailed',
  invalid: 'invalid',
  incomplete: 'incomplete',
  nobody: 'missing',
};

/** An answer was given, and it no longer counts, whatever it said. */
export const lapsed = (state: StationState): boolean =>
  ['stale', 'expired', 'lostRole', 'keyRevoked', 'segregation', 'invalid', 'incomplete'].includes(state);

export function who(station: Station, me: string | undefined): string {
  if (station.signOff) return station.signOff.person.name;
  const others = station.eligible.filter((one) => one.principal !== me);
  if (station.me) return others.length ? t('release.youOr', { others: names(others, 2) }) : t('common.you');
  if (station.asked) return station.asked.name;
  return station.eligible.length ? names(station.eligible, 2) : t('release.nobody');
}

/** The time alone today, with its day otherwise. */
export const near = (iso: string): string =>
  dayKey(iso) === dayKey(new Date(clock.now).toISOString()) ? timeOfDay(iso) : `${day(iso)} ${timeOfDay(iso)}`;

export function note(station: Station): string {
  const signed = station.signOff;
  if (signed) {
    const meaning = t(`decision.meaning.${signed.meaning}` satisfies MessageKey);
    return `${near(signed.time)} · ${signed.reason ? `“${signed.reason}”` : meaning}`;
  }
  const parts: string[] = [];
  if (station.due)
    parts.push(
      station.overdue
        ? t('release.overdue', { when: near(station.due) })
        : t('release.due', { when: near(station.due) }),
    );
  if (station.asked) parts.push(t('release.askedByName'));
  return parts.join(' · ');
}

export const verdictState = (verdict: Verdict): State => (verdict === 'conditionalGo' ? 'conditionalGo' : verdict);

/** `3 GO · 1 hold · 1 waiting` */
export function tally(sheet: SheetView): string {
  const count = (...states: StationState[]) => sheet.stations.filter((one) => states.includes(one.state)).length;
  const go = count('go');
  const noGo = count('noGo');
  const hold = count('hold', 'conditional');
  const stale = count('stale', 'expired', 'lostRole', 'keyRevoked', 'segregation', 'invalid');
  const waiting = count('waiting', 'nobody', 'incomplete');
  return [
    go ? t('release.tallyGo', { count: go }) : '',
    noGo ? t('release.tallyNoGo', { count: noGo }) : '',
    hold ? t('release.tallyHold', { count: hold }) : '',
    stale ? t('release.tallyStale', { count: stale }) : '',
    waiting ? t('release.tallyWaiting', { count: waiting }) : '',
  ]
    .filter(Boolean)
    .join(' · ');
}

export function outcome(sheet: SheetView): string {
  switch (sheet.outcome) {
    case 'noGo':
      return sheet.outcomeBy
        ? t('release.outcome.noGo', { who: sheet.outcomeBy.name })
        : t('release.outcome.noGoNobody');
    case 'hold':
      return sheet.outcomeBy
        ? t('release.outcome.hold', { who: sheet.outcomeBy.name })
        : t('release.outcome.holdNobody');
    case 'stale':
      return sheet.moved.length
        ? t('release.outcome.staleMoved', { moved: movedText(sheet.moved) })
        : t('release.outcome.stale');
    case 'expired':
      return t('release.outcome.expired', { until: near(sheet.notAfter) });
    case 'go':
      return sheet.authorization === null
        ? t('release.outcome.go')
        : t('release.byAuthorization', { entry: sheet.authorization });
    case 'incomplete':
      return '';
  }
}

export const reauth = (code: string | null): string => (code ? word('release', `reauth.${code}`) : '');
