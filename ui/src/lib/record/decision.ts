/** The words of a decision: wire codes and data in, words of the catalogue out. No rule lives here. */
import type { IconName } from '../components/icons';
import type { Tone } from '../design/states';
import { dateTime, duration, list, range } from '../i18n/format.svelte';
import { t, word, words } from '../i18n/index.svelte';
import { sentence } from '../i18n/told';
import type {
  Barred,
  Blocker,
  BlockerCause,
  ClearingAct,
  Consequence,
  FactLine,
  FactName,
  Moved,
  GateReason,
  PersonRef,
  SignOffState,
} from '../ipc/bindings';
import { roleName } from './sentence';

export const names = (people: readonly PersonRef[], most = 4): string => {
  const shown = people.slice(0, most).map((one) => one.name);
  const rest = people.length - shown.length;
  return list(rest > 0 ? [...shown, t('common.people', { count: rest })] : shown, 'disjunction');
};

// What blocks a release

export function blockerTitle(cause: BlockerCause): string {
  switch (cause.kind) {
    case 'hold':
      return t(cause.question ? 'decision.block.holdQuestion' : 'decision.block.hold', { who: cause.by.name });
    case 'halt':
      return t('decision.block.halt', { who: cause.by.name });
    case 'lateInconclusive':
      return t('decision.block.lateInconclusive', { evidence: cause.evidence });
    case 'rolloutHalted':
      return t('decision.block.rolloutHalted');
    case 'noPolicy':
      return t('decision.block.noPolicy');
    case 'gate':
      switch (cause.conclusion) {
        case 'fail':
          return t('decision.block.gate.fail', { gate: cause.gate });
        case 'inconclusive':
          return t('decision.block.gate.inconclusive', { gate: cause.gate });
        case 'missing':
          return t('decision.block.gate.missing', { gate: cause.gate });
        case 'pass':
          return t('decision.block.gate.pass', { gate: cause.gate });
      }
      break;
    case 'notFrozen':
      return t('decision.block.notFrozen');
    case 'quorum':
      return cause.needed > 1
        ? t('decision.block.quorumSome', {
            role: roleName(cause.role),
            signed: cause.signed,
            needed: cause.needed,
          })
        : t('decision.block.quorum', { role: roleName(cause.role) });
    case 'noGo':
      return t('decision.block.noGo', { who: cause.by.name });
    case 'asksToWait':
      return t('decision.block.asksToWait', { who: cause.by.name });
    case 'stale':
      return t('decision.block.stale');
    case 'sheetExpired':
      return t('decision.block.sheetExpired');
    case 'condition':
      return t('decision.block.condition', { who: cause.by.name });
    case 'frozen':
      return t('decision.block.frozen', { who: cause.by.name });
    case 'reviewOverdue':
      return t('decision.block.reviewOverdue', { release: cause.release });
  }
  return t('common.unknown');
}

const quoted = (text: string | null): string => (text ? `“${text}”` : '');

export function gateReason(reason: GateReason): string {
  switch (reason.kind) {
    case 'complete':
      return t('decision.reason.complete');
    case 'green':
      return t('decision.reason.green', { names: list(reason.names) });
    case 'notGiven':
      return t('decision.reason.notGiven', { fields: list(reason.fields) });
    case 'noEvidence':
      return t('decision.reason.noEvidence');
    case 'otherCommit':
      return t('decision.reason.otherCommit');
    case 'needsObserved':
      return t('decision.reason.needsObserved');
    case 'attachedRefused':
      return t('decision.reason.attachedRefused');
    case 'needsConfirmation':
      return t('decision.reason.needsConfirmation');
    case 'bad':
      return reason.rule
        ? t('decision.reason.badRule', { name: reason.name, rule: reason.rule })
        : t('decision.reason.bad', { name: reason.name });
    case 'notStaged':
      return t('decision.reason.notStaged', { environment: reason.environment });
    case 'soaking':
      return t('decision.reason.soaking', { environment: reason.environment, until: dateTime(reason.until) });
    case 'soaked':
      return t('decision.reason.soaked', {
        environment: reason.environment,
        soaked: duration(reason.soakedSeconds),
        needed: duration(reason.neededSeconds),
      });
  }
}

/** Why, in the words of the record where there are any; and for whom it waits. */
export function blockerDetail(blocker: Blocker): string {
  const cause = blocker.cause;
  const waits = blocker.who.length ? t('decision.waitsFor', { people: names(blocker.who) }) : '';
  const said = (...parts: string[]) => parts.filter(Boolean).join(' ');
  switch (cause.kind) {
    case 'hold':
      return said(quoted(cause.question ?? cause.reason), waits);
    case 'halt':
      return said(quoted(cause.reason), waits);
    case 'rolloutHalted':
      return said(quoted(cause.quote), t('decision.blockMore.rolloutHalted'));
    case 'noPolicy':
      return said(t('decision.blockMore.noPolicy'), waits);
    case 'gate':
      return said(gateReason(cause.reason), waits);
    case 'notFrozen':
      return said(t('decision.blockMore.notFrozen'), waits);
    case 'quorum':
      if (!blocker.who.length) return t('decision.blockMore.nobody');
      return blocker.who.length > 1
        ? t('decision.blockMore.oneOf', { people: names(blocker.who) })
        : t('decision.blockMore.quorum', { people: names(blocker.who) });
    case 'noGo':
    case 'asksToWait':
      return said(quoted(cause.quote), waits);
    case 'stale':
      return said(cause.moved.length ? t('decision.blockMore.moved', { moved: movedText(cause.moved) }) : '', waits);
    case 'sheetExpired':
      return said(t('decision.blockMore.sheetExpired', { at: dateTime(cause.at) }), waits);
    case 'condition':
      return said(quoted(cause.text), waits);
    case 'frozen':
      return said(quoted(cause.reason), t('decision.blockMore.frozen', { until: dateTime(cause.until) }));
    case 'reviewOverdue':
      return said(t('decision.blockMore.reviewOverdue', { due: dateTime(cause.due) }), waits);
    case 'lateInconclusive':
      return waits;
  }
}

export function blockerLook(cause: BlockerCause): { icon: IconName; tone: Tone } {
  switch (cause.kind) {
    case 'hold':
    case 'asksToWait':
      return { icon: 'pause', tone: 'hold' };
    case 'halt':
    case 'noGo':
    case 'rolloutHalted':
      return { icon: 'cross', tone: 'nogo' };
    case 'gate':
      if (cause.conclusion === 'fail') return { icon: 'cross', tone: 'nogo' };
      return cause.conclusion === 'inconclusive'
        ? { icon: 'question', tone: 'hold' }
        : { icon: 'dashed', tone: 'wait' };
    case 'lateInconclusive':
      return { icon: 'question', tone: 'hold' };
    case 'stale':
    case 'sheetExpired':
      return { icon: 'refresh', tone: 'stale' };
    case 'noPolicy':
      return { icon: 'warning', tone: 'hold' };
    case 'frozen':
      return { icon: 'snow', tone: 'hold' };
    case 'condition':
      return { icon: 'clock', tone: 'wait' };
    case 'reviewOverdue':
      return { icon: 'warning', tone: 'hold' };
    case 'notFrozen':
      return { icon: 'snow', tone: 'wait' };
    case 'quorum':
      return { icon: 'clock', tone: 'wait' };
  }
}

/** The words on the button that clears a blocker. */
export function clearing(act: ClearingAct, cause?: BlockerCause): string {
  switch (act.kind) {
    case 'resume':
      return act.question ? t('decision.clear.answer') : t('decision.clear.resume');
    case 'request':
      return cause && cause.kind !== 'notFrozen' ? t('decision.clear.requestAgain') : t('decision.clear.request');
    case 'wait':
      return act.until
        ? `${t('decision.clear.wait')} ${t('decision.waitUntil', { until: dateTime(act.until) })}`
        : t('decision.clear.wait');
    default:
      return word('decision', `clear.${act.kind}`);
  }
}

// Lines of a decision sheet

/** What a sheet lists and is no longer as it was. */
export const movedText = (moved: readonly Moved[]): string =>
  list(moved.map((what) => word('decision', `moved.${what}`)));

export const factLabel = (name: FactName): string => word('decision', `fact.${name}`);

const instants = /\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z/g;
const digests = /,? ?\(?sha256:[0-9a-f]{64}\)?/g;

/**
 * The value of a line in the words of the record; instants in the shown zone, hashes left to be shown beside it. The exact
 * value stands in the entry and among the bytes that are signed.
 */
export function factValue(fact: Pick<FactLine, 'name' | 'value'>): string {
  if (fact.name === 'changeType') return changeType(fact.value);
  const [from, until] = fact.value.match(instants) ?? [];
  if (fact.name === 'window' && from && until) return range(from, until);
  const said = fact.value.replace(digests, '').replace(instants, (at) => dateTime(at));
  return fact.name === 'commit' ? said : said.replace(/\b([0-9a-f]{12})[0-9a-f]{28}\b/g, '$1');
}

export const changeType = (type: string): string => {
  const known = word('decision', `change.${type}`);
  return known.startsWith('change.') ? type : known;
};

/** What follows if it is done, or is not. */
export function consequence(code: Consequence, then: PersonRef | null): string {
  if (code === 'lastSignatureManagerStarts') {
    return then
      ? t('decision.follows.lastSignatureManagerStarts', { then: then.name })
      : t('decision.follows.lastSignatureManagerStartsNobody');
  }
  if (code === 'othersStillToSign' && then) return t('decision.follows.othersStillToSignThen', { then: then.name });
  return word('decision', `follows.${code}`);
}

/** Why somebody who holds the role may not sign here; in the words of the rule where the catalogue has none. */
export function barredWhy(barred: Barred): string {
  const known = word('decision', `barred.${barred.reason}`);
  return known.startsWith('barred.') ? barred.text : known;
}

/** Why an answer no longer counts: as the judge says it, which names what moved; in another language by its state. */
export function causeOf(state: SignOffState, cause: string): string {
  const known = word('decision', `cause.${state}`);
  return words.language === 'en' || known.startsWith('cause.') ? sentence(cause) : known;
}
