/** The signing window's side: what is to be signed, chosen, and signed. Wrong passphrases are counted. */
import type { Challenge, Intent, Receipt, Verdict } from '../bindings';
import { quorumOf } from './appointing';
import { statementOf } from './forms';
import type { Handlers } from './handlers';
import { person, personas } from './people';
import { release as releaseHandlers } from './release';
import { digest } from './sample';
import { appError, minutes, now, Refused, world } from './world';

let nonce = 1;
let chosen: {
  verdict: Verdict;
  role: string;
  meaning: Challenge['meanings'][number];
  reason: string;
  conditions: string[];
} | null = null;
let wrong = 0;
let keyMade = false;
let step = 0;
let about: { prepared: unknown; asked: unknown } = { prepared: undefined, asked: undefined };

const defaultIntent: Intent = { kind: 'answer', release: 'infusion-pump-fw-4.2.0', role: 'qa' };

function challenge(renewed: Challenge['renewed'] = null): Challenge {
  const intent = world.prepared ?? defaultIntent;
  const me = personas.find((one) => one.principal === world.me) ?? personas[0]!;
  const who = intent.kind === 'unlock' || intent.kind === 'accept' ? person(intent.principal) : person(me.principal);
  const release = 'release' in intent ? intent.release : intent.kind === 'request' ? intent.form.release : null;
  const view = release ? releaseHandlers.release({ release }) : null;
  const verdict = ['answer', 'answerCarried', 'answerPolicy', 'answerAuthorization'].includes(intent.kind);
  // What a GO must acknowledge is asked once it is chosen, as Rust does.
  const saysGo = chosen?.verdict === 'go' || chosen?.verdict === 'conditionalGo';
  const reason = 'reason' in intent ? intent.reason : null;
  const newKey =
    intent.kind === 'createLedger' ||
    intent.kind === 'rotateKey' ||
    (intent.kind === 'enrol' && !intent.form.publicKey);
  const statement = statementOf(intent);
  const ready = (!verdict || chosen !== null) && (!newKey || keyMade);
  const kind: Challenge['kind'] = ['unlock', 'allowCommand', 'stage', 'dispatch', 'rollback'].includes(intent.kind)
    ? 'presence'
    : intent.kind === 'addBuildbot'
      ? 'secret'
      : 'entry';
  const payload = `{"act":"${intent.kind}","reason":"${chosen?.reason ?? reason ?? ''}","signer":"${who.principal}","time":"${now}"}`;
  return {
    nonce: `nonce-${nonce}`,
    kind,
    act: verdict ? 'approval' : intent.kind === 'unlock' ? 'unlock' : intent.kind === 'request' ? 'request' : 'propose',
    who,
    product: view?.product ?? null,
    release,
    version: view?.version ?? null,
    environment: view?.environment ?? null,
    statement:
      chosen && 'verdict' in statement
        ? ({ ...statement, verdict: chosen.verdict, role: chosen.role } as typeof statement)
        : statement,
    lines: [
      { field: 'signer', value: who.principal },
      { field: 'time', value: now },
      { field: 'zone', value: 'Europe/Zurich' },
      { field: 'device', value: 'meridian-desk-14' },
      { field: 'seen', value: '4812 b3f1Jm0yZ2x3n0QkT8cVw5hE1aYp7uLrD4sNfGqXoKM=' },
      ...(chosen
        ? [
            { field: 'verdict', value: chosen.verdict },
            { field: 'role', value: chosen.role },
            { field: 'meaning', value: chosen.meaning },
            { field: 'reason', value: chosen.reason },
          ]
        : reason
          ? [{ field: 'reason', value: reason }]
          : []),
    ],
    facts: verdict && view?.sheet ? view.sheet.facts : [],
    evidence: verdict && view?.sheet ? view.sheet.evidence : null,
    changed:
      world.changedSince && verdict
        ? [{ name: 'evidence', before: 'regression.xml: 846 passed', after: 'regression.xml: 845 passed, 1 failed' }]
        : [],
    acknowledge: [
      ...(world.changedSince && saysGo ? (['changed'] as const) : []),
      ...(saysGo && release?.startsWith('infusion-pump') ? (['waivers'] as const) : []),
      ...(intent.kind === 'dispatch' ? (['startsRollout'] as const) : []),
      ...(intent.kind === 'endKey' ? (['cannotBeUndone'] as const) : []),
    ],
    choice: chosen,
    roles: verdict ? me.roles : [],
    verdicts: verdict ? ['go', 'noGo', 'hold', 'conditionalGo'] : [],
    meanings: verdict ? ['approval', 'review', 'responsibility'] : [],
    reason: chosen?.reason ?? reason,
    reasonAsked: verdict,
    subjectDigest: view?.sheet?.digest ?? null,
    // Only an entry has bytes, as in Rust.
    payloadSha256: ready && kind === 'entry' ? digest(payload) : null,
    payload: ready && kind === 'entry' ? payload : null,
    time: now,
    zone: 'Europe/Zurich',
    keyFingerprint: 'SHA256:Jn5SkqD2vXo0pWf7bQyTz1mC8rLhA4gEeNuVxRuCyEs',
    secret: intent.kind === 'addBuildbot' ? 'connectorPassword' : 'passphrase',
    newKey: newKey && !keyMade ? who : null,
    consequence: verdict
      ? chosen && !saysGo
        ? 'blocksRelease'
        : 'lastSignatureManagerStarts'
      : intent.kind === 'unlock'
        ? 'none'
        : 'takesEffect',
    then: verdict ? person('jonas') : null,
    sample: world.sample,
    samplePassphrase: world.sample
      ? (personas.find((one) => one.principal === who.principal)?.passphrase ?? null)
      : null,
    expires: minutes(5),
    wrong,
    lockedUntil: wrong >= 5 ? minutes(1) : null,
    renewed,
    series: intent.kind === 'leave' ? { number: step + 1, of: 2 } : null,
    stillMissing: chosen?.verdict === 'go' && release ? quorumOf(release, [], chosen.role).missing : null,
  };
}

function held(given: string): void {
  if (given !== `nonce-${nonce}`)
    throw new Refused(
      appError('nonce', 'what was shown is not what is prepared now', {
        hint: 'read it again',
        safe: 'nothingHappened',
      }),
    );
}

export const signing = {
  signingChallenge: () => {
    // Another act, or another test: nothing is chosen yet.
    if (about.prepared !== world.prepared || about.asked !== world.asked) {
      about = { prepared: world.prepared, asked: world.asked };
      chosen = null;
      keyMade = false;
      step = 0;
      wrong = 0;
      nonce += 1;
    }
    return challenge();
  },
  signingChoose: ({ nonce: given, verdict, role, meaning, reason, conditions }) => {
    held(given);
    nonce += 1;
    if (!reason?.trim()) {
      throw new Refused(appError('usage', 'the reason is empty', { field: 'reason', safe: 'nothingHappened' }));
    }
    chosen = {
      verdict: verdict ?? 'go',
      role: role ?? 'qa',
      meaning: meaning ?? 'approval',
      reason: reason ?? '',
      conditions,
    };
    nonce += 1;
    return challenge('chosen');
  },
  signingNewKey: ({ nonce: given, passphrase }) => {
    held(given);
    if (passphrase.length < 12)
      throw new Refused(
        appError('not_a_passphrase', 'a passphrase has at least 12 characters', {
          field: 'passphrase',
          safe: 'nothingHappened',
        }),
      );
    keyMade = true;
    nonce += 1;
    return challenge('keyMade');
  },
  signingCommit: ({ nonce: given, secret }) => {
    held(given);
    const now_ = challenge();
    const right = personas.find((one) => one.principal === now_.who.principal)?.passphrase;
    if (!keyMade && now_.secret === 'passphrase' && secret !== right) {
      wrong += 1;
      nonce += 1;
      throw new Refused(
        wrong >= 5
          ? appError('locked', 'this key is locked after five wrong passphrases', {
              retryAt: minutes(1),
              safe: 'nothingHappened',
              field: 'secret',
            })
          : appError('wrong_passphrase', 'the passphrase is not the one of this key', {
              safe: 'nothingHappened',
              field: 'secret',
              hint: 'type it again; everything else you chose is kept',
              retryable: true,
            }),
      );
    }
    if (world.moved) {
      world.moved = false;
      nonce += 1;
      return { kind: 'showAgain', challenge: challenge('ledgerMoved') };
    }
    wrong = 0;
    const receipt: Receipt = {
      act: now_.act,
      who: now_.who,
      entry: 4813,
      leaf: digest('leaf4813'),
      payloadSha256: now_.payloadSha256,
      root: 'b3f1Jm0yZ2x3n0QkT8cVw5hE1aYp7uLrD4sNfGqXoKM=',
      time: now,
      zone: 'Europe/Zurich',
      meaning: chosen?.meaning ?? null,
      verdict: chosen?.verdict ?? null,
      role: chosen?.role ?? null,
      release: now_.release,
      product: now_.product,
      keyFingerprint: now_.keyFingerprint,
      consequence: now_.consequence,
      then: now_.then,
      state: now_.release ? 'authorized' : null,
      unfinished: null,
      carried: null,
    };
    if (world.prepared?.kind === 'answerCarried') {
      const display = '~/Downloads/infusion-pump-fw-4.2.0-ben.csans';
      return {
        kind: 'signed',
        receipt: {
          ...receipt,
          entry: null,
          leaf: null,
          root: null,
          state: null,
          carried: { token: 'answer', display },
        },
      };
    }
    if (now_.series && now_.series.number < now_.series.of) {
      step += 1;
      nonce += 1;
      return { kind: 'next', receipt, challenge: challenge() };
    }
    if (world.prepared?.kind === 'unlock') {
      world.locked = false;
      world.me = now_.who.principal;
      world.emit('locked', { locked: false });
    }
    if (world.prepared?.kind === 'createLedger') world.mode = 'open';
    return { kind: 'signed', receipt };
  },
  signingCancel: ({ nonce: given }) => {
    held(given);
    world.prepared = null;
    return null;
  },
} satisfies Partial<Handlers>;
