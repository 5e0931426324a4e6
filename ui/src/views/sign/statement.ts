/** What a signature declares, as one sentence in the signer's own voice. The exact bytes stand below it; this is for people. */
import { grouped } from '$lib/components/digest';
import { dateTime } from '$lib/i18n/format.svelte';
import { pieces, t, word } from '$lib/i18n/index.svelte';
import type { MessageKey, Piece } from '$lib/i18n/catalogue';
import type { Challenge, Statement, Verdict } from '$lib/ipc';
import { roleName } from '$lib/record/sentence';

type Answering = 'answer' | 'policy' | 'authorization';

/** With a verdict and a role it is a declaration; without, it only says what is asked. */
function answered<A extends Answering>(
  area: A,
  verdict: Verdict | null,
  role: string | null,
): `sign.say.${A}.${Verdict | 'open'}` {
  return `sign.say.${area}.${verdict && role ? verdict : 'open'}`;
}

/** `chosen` is what the person has just pressed: the sentence follows at once, the bytes as soon as Rust has made them. */
export function declared(challenge: Challenge, chosen: { verdict: Verdict | null; role: string | null }): Piece[] {
  const who = challenge.who.name;
  const given: Statement = challenge.statement;
  const said: Statement =
    'verdict' in given && given.kind !== 'waveVerdict'
      ? { ...given, verdict: chosen.verdict ?? given.verdict, role: chosen.role ?? given.role }
      : given;
  const plain = (text: string): Piece[] => [{ text, strong: false }];
  switch (said.kind) {
    case 'answer':
      return pieces(answered('answer', said.verdict, said.role), {
        who,
        role: roleName(said.role ?? ''),
        artifact: said.artifact,
        environment: said.environment,
        sheet: grouped(said.sheet),
      });
    case 'answerPolicy':
      return pieces(answered('policy', said.verdict, said.role), {
        who,
        role: roleName(said.role ?? ''),
        version: said.version,
        product: said.product,
      });
    case 'answerAuthorization':
      return pieces(answered('authorization', said.verdict, said.role), {
        who,
        role: roleName(said.role ?? ''),
        entry: said.entry,
        product: said.product,
      });
    case 'confirm':
      return pieces('sign.say.confirm', { who, what: said.what, entry: said.entry });
    case 'confirmRole': {
      const about = { who, person: said.person.name, role: roleName(said.role), entry: said.entry };
      return said.product
        ? pieces('sign.say.confirmRoleFor', { ...about, product: said.product })
        : pieces('sign.say.confirmRole', about);
    }
    case 'confirmIdentity':
      return pieces('sign.say.confirmIdentity', { who, person: said.person.name, entry: said.entry });
    case 'confirmRecovery':
      return pieces('sign.say.confirmRecovery', { who, person: said.person.name, entry: said.entry });
    case 'condition':
      return pieces('sign.say.condition', { who, condition: said.condition });
    case 'propose':
      return pieces('sign.say.propose', { who, release: said.release, count: said.commits });
    case 'amend':
      return pieces('sign.say.amend', { who, release: said.release });
    case 'withdraw':
      return pieces('sign.say.withdraw', { who, release: said.release });
    case 'request':
      return said.due
        ? pieces('sign.say.requestDue', {
            who,
            release: said.release,
            environment: said.environment,
            due: dateTime(said.due),
          })
        : pieces('sign.say.request', { who, release: said.release, environment: said.environment });
    case 'waive':
      return pieces('sign.say.waive', { who, gate: said.gate, expires: dateTime(said.expires) });
    case 'resume':
      return said.answer
        ? pieces('sign.say.resumeAnswer', {
            who,
            release: said.release,
            question: said.question ?? '',
            answer: said.answer,
          })
        : pieces('sign.say.resume', { who, release: said.release });
    case 'waveVerdict':
      switch (said.verdict) {
        case 'pass':
          return pieces('sign.say.wave.pass', { who, wave: said.wave });
        case 'fail':
          return pieces('sign.say.wave.fail', { who, wave: said.wave });
        case 'inconclusive':
          return pieces('sign.say.wave.inconclusive', { who, wave: said.wave });
      }
      break;
    case 'close':
      return pieces('sign.say.close', { who, release: said.release, result: said.result });
    case 'stage':
      return pieces('sign.say.stage', { who, release: said.release, environment: said.environment });
    case 'dispatch':
      return pieces('sign.say.dispatch', {
        who,
        wave: said.wave,
        release: said.release,
        environment: said.environment,
        segment: said.segment,
      });
    case 'rollback':
      return pieces('sign.say.rollback', {
        who,
        release: said.release,
        environment: said.environment,
        to: said.to,
      });
    case 'evidence':
      return pieces('sign.say.evidence', {
        who,
        name: said.name,
        release: said.release,
        conclusion: word('states', said.conclusion),
      });
    case 'freeze':
      return pieces('sign.say.freeze', {
        who,
        scope: [said.product, said.environment].filter(Boolean).join(' · ') || t('sign.everything'),
        from: dateTime(said.span.from),
        until: dateTime(said.span.until),
      });
    case 'liftFreeze':
      return pieces('sign.say.liftFreeze', { who, entry: said.entry });
    case 'authorize':
      return pieces('sign.say.authorize', {
        who,
        product: said.product,
        environment: said.environment,
        from: dateTime(said.valid.from),
        until: dateTime(said.valid.until),
      });
    case 'suspendAuthorization':
      return said.resume
        ? pieces('sign.say.resumeAuthorization', { who, entry: said.entry })
        : pieces('sign.say.suspendAuthorization', { who, entry: said.entry });
    case 'policy':
      return pieces('sign.say.setPolicy', {
        who,
        version: said.version,
        product: said.product,
        sha256: grouped(said.sha256),
      });
    case 'product':
      return pieces('sign.say.product', { who, product: said.product, path: said.path.join(' → ') });
    case 'target':
      return pieces('sign.say.target', { who, product: said.product, environment: said.environment });
    case 'genesis':
      return pieces('sign.say.genesis', { who, title: said.title });
    case 'enrol':
      return pieces('sign.say.enrol', { who, person: said.person.name });
    case 'accept':
      // What is accepted is text of the record: it is signed, and so shown, word for word.
      return plain(said.text);
    case 'role': {
      const about = { who, person: said.person.name, role: roleName(said.role) };
      if (said.change === 'lapse') return pieces('sign.say.roleEnds', about);
      if (said.change === 'recover') return pieces('sign.say.roleRecover', { who, person: said.person.name });
      if (said.change === 'delegate')
        return pieces(said.product ? 'sign.say.roleLentFor' : 'sign.say.roleLent', {
          ...about,
          until: dateTime(said.until ?? ''),
          product: said.product ?? '',
        });
      if (said.until) return pieces('sign.say.roleUntil', { ...about, until: dateTime(said.until) });
      return said.product
        ? pieces('sign.say.roleFor', { ...about, product: said.product })
        : pieces('sign.say.role', about);
    }
    case 'rotateKey':
      return pieces('sign.say.rotateKey', { who });
    case 'endKey':
      return said.lost
        ? pieces('sign.say.lostKey', { who, person: said.person.name })
        : pieces('sign.say.endKey', { who, person: said.person.name });
    case 'enrolDispatcher':
      return pieces('sign.say.enrolDispatcher', { who, device: said.device });
    case 'revokeDevice':
      return pieces('sign.say.revokeDevice', { who, device: said.device });
    case 'review': {
      const about = { who, from: String(said.from), until: String(said.until) };
      switch (said.scope) {
        case 'access':
          return pieces('sign.say.review.access', about);
        case 'trail':
          return pieces('sign.say.review.trail', about);
        case 'emergency':
          return pieces('sign.say.review.emergency', about);
        case 'periodic':
          return pieces('sign.say.review.periodic', about);
      }
      break;
    }
    case 'correct':
      return pieces('sign.say.correct', { who, field: said.field, entry: said.entry });
    case 'unlock':
      return pieces('sign.say.unlock', { who });
    case 'addConnector':
      return pieces('sign.say.addConnector', { who, name: said.name, address: said.address });
    case 'allowCommand':
      return pieces('sign.say.allowCommand', { who, id: said.id, sha256: grouped(said.sha256) });
  }
  return plain(who);
}

/** The heading of the window while the person decides. */
export function heading(challenge: Challenge, role: string | null): string {
  if (challenge.act === 'unlock') return t('sign.title.presence');
  if (challenge.kind === 'secret') return t('sign.title.secret');
  if (challenge.verdicts.length)
    return role ? t('sign.title.answer', { role: roleName(role) }) : t('sign.title.answerOpen');
  return t('sign.title.act', { act: t(`sign.act.${challenge.act}` satisfies MessageKey) });
}

/** What it is about: product, version and where to. */
export function about(challenge: Challenge): string {
  const { product, version, environment } = challenge;
  if (product && version && environment) return t('sign.about', { product, version, environment });
  if (product && version) return t('sign.aboutShort', { product, version });
  return challenge.release ?? product ?? challenge.who.name;
}

/** The words on the button that signs. */
export function verb(challenge: Challenge, verdict: Verdict | null): string {
  if (challenge.act === 'unlock') return t('sign.unlock');
  const said = challenge.statement;
  if (said.kind === 'dispatch') return t('release.act.dispatchWave', { wave: said.wave });
  if (said.kind === 'stage') return t('release.act.stage');
  if (said.kind === 'rollback') return t('release.act.rollback');
  if (challenge.kind === 'presence') return t('sign.prove');
  if (challenge.kind === 'secret') return t('sign.keep');
  return verdict
    ? t('sign.signVerdict', { verdict: t(`sign.verdict.${verdict}` satisfies MessageKey) })
    : t('sign.sign');
}
