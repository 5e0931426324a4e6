/** What an entry says, as one sentence of the catalogue. */
import { dateTime } from '../i18n/format.svelte';
import { pieces, t, word } from '../i18n/index.svelte';
import { told } from '../i18n/told';
import type { Piece } from '../i18n/catalogue';
import { stateOf } from '../design/states';
import type { TimelineEvent, TimelineRow } from '../ipc/bindings';

/** A role as people know it: the fixed ones and the usual ones by their word, any other as the policy spells it. */
export function roleName(role: string): string {
  return word('roles', role);
}

/** The word of an act of `docs/format.md`. */
export function actName(act: string): string {
  const found = word('record', `act.${act}`);
  return found === `act.${act}` ? act : found;
}

/** What a freeze covers. */
export function scopeOf(product: string | null, environment: string | null): string {
  if (product && environment) return t('record.inBoth', { product, environment });
  if (product) return t('record.inProduct', { product });
  if (environment) return t('record.inEnvironment', { environment });
  return t('record.everything');
}

const verdict = (code: string): string => word('states', stateOf(code));

export function sentence(row: Pick<TimelineRow, 'actor' | 'event'>): Piece[] {
  return of(row.actor.name, row.event);
}

/** The same without its emphasis: for labels and titles. */
export const plainSentence = (row: Pick<TimelineRow, 'actor' | 'event'>): string =>
  sentence(row)
    .map((piece) => piece.text)
    .join('');

function of(actor: string, e: TimelineEvent): Piece[] {
  switch (e.kind) {
    case 'genesis':
      return pieces('record.genesis', { actor, title: e.title });
    case 'enrolled':
      return pieces('record.enrolled', { actor, person: e.person.name });
    case 'accepted':
      return pieces('record.accepted', { actor });
    case 'deviceEnrolled':
      return e.purpose === 'dispatcher'
        ? pieces('record.deviceEnrolledDispatcher', { actor, device: e.device })
        : pieces('record.deviceEnrolledDesk', { actor, device: e.device });
    case 'deviceRevoked':
      return pieces('record.deviceRevoked', { actor, device: e.device });
    case 'keyRotated':
      return e.person.name === actor
        ? pieces('record.keyRotated', { actor })
        : pieces('record.keyRotatedOf', { actor, person: e.person.name });
    case 'keyRevoked':
      return pieces(e.lost ? 'record.keyLost' : 'record.keyRevoked', { actor, person: e.person.name });
    case 'roleGranted': {
      const said = { actor, person: e.person.name, role: roleName(e.role) };
      if (e.change === 'recover') return pieces('record.roleRecovered', { actor, person: e.person.name });
      if (e.change === 'delegate') return pieces('record.roleLent', { ...said, until: dateTime(e.until ?? '') });
      if (e.product && e.until)
        return pieces('record.roleGrantedForUntil', { ...said, product: e.product, until: dateTime(e.until) });
      if (e.until) return pieces('record.roleGrantedUntil', { ...said, until: dateTime(e.until) });
      if (e.product) return pieces('record.roleGrantedFor', { ...said, product: e.product });
      return pieces('record.roleGranted', said);
    }
    case 'roleLapsed': {
      const said = { actor, person: e.person.name, role: roleName(e.role) };
      return e.product
        ? pieces('record.roleLapsedFor', { ...said, product: e.product })
        : pieces('record.roleLapsed', said);
    }
    case 'productSet':
      return pieces('record.productSet', { actor, product: e.product });
    case 'targetSet':
      return pieces('record.targetSet', { actor, product: e.product, environment: e.environment });
    case 'policySet':
      return pieces('record.policySet', { actor, product: e.product, version: e.version });
    case 'authorizationProposed':
      return pieces('record.authorizationProposed', { actor, product: e.product });
    case 'authorizationSuspended':
      return pieces('record.authorizationSuspended', { actor, entry: e.entry });
    case 'authorizationResumed':
      return pieces('record.authorizationResumed', { actor, entry: e.entry });
    case 'freezeDeclared':
      return pieces('record.freezeDeclared', {
        actor,
        where: scopeOf(e.product, e.environment),
        from: dateTime(e.span.from),
        until: dateTime(e.span.until),
      });
    case 'freezeLifted':
      return pieces('record.freezeLifted', { actor, entry: e.entry });
    case 'proposed':
      return e.authorization === null
        ? pieces('record.proposed', { actor, version: e.version })
        : pieces('record.proposedUnder', { actor, version: e.version, entry: e.authorization });
    case 'amended':
      return pieces('record.amended', { actor, version: e.version });
    case 'supersededBy':
      return pieces('record.supersededBy', { actor, by: e.by });
    case 'withdrawn':
      return pieces('record.withdrawn', { actor });
    case 'evidence': {
      const said = { actor, name: e.name, conclusion: verdict(e.conclusion) };
      if (e.replaces !== null) return pieces('record.evidenceReplaced', { ...said, replaces: e.replaces });
      return e.attached ? pieces('record.evidenceAttached', said) : pieces('record.evidenceObserved', said);
    }
    case 'waived':
      return pieces('record.waived', { actor, gate: e.gate, expires: dateTime(e.expires) });
    case 'staged':
      return pieces('record.staged', { actor, version: e.version, environment: e.environment });
    case 'requested':
      return e.due
        ? pieces('record.requestedDue', { actor, environment: e.environment, due: dateTime(e.due) })
        : pieces('record.requested', { actor, environment: e.environment });
    case 'answered':
      return e.authorization === null
        ? pieces('record.answered', { actor, verdict: verdict(e.verdict), role: roleName(e.role) })
        : pieces('record.answeredUnder', { actor, verdict: verdict(e.verdict), entry: e.authorization });
    case 'confirmed':
      return pieces('record.confirmed', {
        actor,
        verdict: verdict(e.verdict),
        entry: e.entry,
        role: roleName(e.role),
      });
    case 'held':
      return e.question
        ? pieces('record.heldQuestion', { actor, question: e.question })
        : pieces('record.held', { actor });
    case 'halted':
      return pieces('record.halted', { actor });
    case 'cancelled':
      return pieces('record.cancelled', { actor });
    case 'resumed':
      return e.answer
        ? pieces('record.resumedAnswer', { actor, answer: e.answer })
        : pieces('record.resumed', { actor });
    case 'conditionMet':
      return pieces('record.conditionMet', { actor, number: e.number, entry: e.approval });
    case 'dispatch':
      return dispatched(actor, e);
    case 'leaseTaken':
      return pieces('record.leaseTaken', { actor, until: dateTime(e.until) });
    case 'run':
      return pieces('record.run', { actor, status: word('record', `run.${e.status}`) });
    case 'wave':
      return pieces('record.wave', { wave: e.wave, verdict: verdict(e.verdict), detail: e.detail });
    case 'closed':
      return pieces('record.closed', { actor, result: e.result });
    case 'meetingOpened':
      return pieces('record.meetingOpened', { actor, roll: e.roll.join(', ') });
    case 'meetingClosed':
      return pieces('record.meetingClosed', { actor, count: e.absent, minutes: e.minutes });
    case 'announced':
      return pieces('record.announced', { actor, audience: e.audience, about: e.about });
    case 'wrongPassphrases':
      return pieces('record.wrongPassphrases', { count: e.count, person: e.person.name });
    case 'refused':
      return e.person
        ? pieces('record.refused', { person: e.person.name, message: clause(e.code, e.message) })
        : pieces('record.refusedNobody', { message: clause(e.code, e.message) });
    case 'corrected':
      return pieces('record.corrected', { actor, field: e.field, entry: e.entry });
    case 'late':
      return pieces('record.late', { actor, happened: dateTime(e.happened), record: e.record });
    case 'reviewed':
      return pieces('record.reviewed', {
        actor,
        from: e.from,
        until: e.until,
        scope: word('record', `review.${e.scope}`),
      });
    case 'exported':
      return e.release
        ? pieces('record.exportedRelease', { actor, release: e.release })
        : pieces('record.exported', { actor });
    case 'other':
      return pieces('record.other', { actor, act: actName(e.act) });
  }
}

function dispatched(actor: string, e: Extract<TimelineEvent, { kind: 'dispatch' }>): Piece[] {
  const back = e.dispatch === 'rollback';
  const at = { wave: e.wave, environment: e.environment };
  switch (e.state) {
    case 'prepared':
      return back
        ? pieces('record.rollbackPrepared', { actor, ...at })
        : pieces('record.dispatchPrepared', { actor, ...at });
    case 'sending':
      return back
        ? pieces('record.rollbackSending', { actor, wave: e.wave })
        : pieces('record.dispatchSending', { actor, wave: e.wave });
    case 'accepted':
      return back ? pieces('record.rollbackAccepted', at) : pieces('record.dispatchAccepted', at);
    case 'refused':
      return back ? pieces('record.rollbackRefused', at) : pieces('record.dispatchRefused', at);
    case 'fateUnknown':
      return back ? pieces('record.rollbackFateUnknown', at) : pieces('record.dispatchFateUnknown', at);
    case 'bound':
      return back ? pieces('record.rollbackBound', at) : pieces('record.dispatchBound', at);
    case 'finished': {
      const conclusion = word('record', `conclusion.${e.conclusion ?? 'unknown'}`);
      return back
        ? pieces('record.rollbackFinished', { ...at, conclusion })
        : pieces('record.dispatchFinished', { ...at, conclusion });
    }
  }
}

/** A refusal inside a sentence of ours: in Rust's words, or those of its code, without a stop of its own. */
function clause(code: string, message: string): string {
  const { text, detail } = told(code, message);
  return (detail ? text : message).replace(/\.$/, '');
}
