/** Drafts of proposals, the preview of a request, and acts prepared for signing. */
import type { ActName, Intent, ProposalDraft, ProposalForm, Statement } from '../bindings';
import type { Handlers } from './handlers';
import { person } from './people';
import { waitingRows } from './appointing';
import { commitOf, release as releaseHandlers, sheet } from './release';
import { artifacts, liveVersion } from './sample';
import { appError, minutes, now, Refused, world } from './world';

const form: ProposalForm = {
  product: null,
  version: null,
  release: null,
  repository: null,
  commit: null,
  artifacts: [],
  changeType: 'normal',
  risk: null,
  securityImpact: null,
  rolloutPlan: null,
  backoutPlan: null,
  incident: null,
  external: null,
  supersedes: null,
  reason: null,
  allowRemoval: false,
};

let nextDraft = 2;
const drafts = new Map<string, ProposalDraft>([
  [
    'draft-1',
    {
      id: 'draft-1',
      amends: null,
      saved: now,
      form: {
        ...form,
        product: 'lab-gateway',
        version: '1.14.1',
        commit: commitOf('lab-gateway-1.14.1'),
        artifacts: [
          { name: 'lab-gateway-1.14.1.tar.gz', file: null, sha256: artifacts('lab-gateway', '1.14.1')[0]!.sha256 },
        ],
      },
    },
  ],
]);

const actOf: Partial<Record<Intent['kind'], ActName>> = {
  createLedger: 'genesis',
  unlock: 'unlock',
  propose: 'propose',
  withdraw: 'propose',
  request: 'request',
  answer: 'approval',
  answerCarried: 'approval',
  condition: 'condition',
  waive: 'waiver',
  resume: 'hold',
  waveVerdict: 'wave',
  close: 'outcome',
  stage: 'dispatch',
  dispatch: 'dispatch',
  rollback: 'dispatch',
  attachEvidence: 'evidence',
  confirmEvidence: 'approval',
  freeze: 'freeze',
  liftFreeze: 'freeze',
  authorize: 'authorization',
  answerAuthorization: 'approval',
  suspendAuthorization: 'authorization',
  setPolicy: 'policy',
  answerPolicy: 'approval',
  setProduct: 'product',
  setTarget: 'target',
  enrol: 'enrol',
  accept: 'enrolAccept',
  changeRole: 'role',
  confirmPeople: 'approval',
  leave: 'role',
  rotateKey: 'key',
  endKey: 'key',
  enrolDispatcher: 'device',
  confirmDevice: 'approval',
  revokeDevice: 'device',
  review: 'review',
  correct: 'correction',
  addBuildbot: 'connector',
  allowCommand: 'command',
};

/** The sentence of an act, as Rust would give it. */
export function statementOf(intent: Intent): Statement {
  const environment = 'production';
  switch (intent.kind) {
    case 'answer': {
      const row = releaseHandlers.release({ release: intent.release });
      return {
        kind: 'answer',
        verdict: null,
        role: intent.role,
        artifact: row.candidate.artifacts[0]!.name,
        environment,
        sheet: sheet(intent.release)?.digest ?? '',
      };
    }
    case 'answerCarried':
      return statementOf({ kind: 'answer', release: 'infusion-pump-fw-4.2.0', role: 'security' });
    case 'request':
      return { kind: 'request', release: intent.form.release, environment, due: intent.form.due };
    case 'propose': {
      const draft = drafts.get(intent.draft);
      return draft?.amends
        ? { kind: 'amend', release: draft.amends }
        : { kind: 'propose', release: `${draft?.form.product ?? '?'}-${draft?.form.version ?? '?'}`, commits: 34 };
    }
    case 'withdraw':
      return { kind: 'withdraw', release: intent.release };
    case 'waive':
      return { kind: 'waive', gate: intent.gate, expires: intent.expires };
    case 'resume':
      return {
        kind: 'resume',
        release: intent.release,
        question: 'Who is on call for the pilot clinics tonight?',
        answer: intent.answer,
      };
    case 'waveVerdict':
      return { kind: 'waveVerdict', wave: intent.wave, verdict: intent.verdict };
    case 'close':
      return { kind: 'close', release: intent.release, result: intent.result };
    case 'stage':
      return { kind: 'stage', release: intent.release, environment: 'staging' };
    case 'dispatch':
      return { kind: 'dispatch', release: intent.release, environment, wave: 1, segment: 'pilot clinics' };
    case 'rollback':
      return { kind: 'rollback', release: intent.release, environment, to: '4.1.7' };
    case 'attachEvidence':
      return {
        kind: 'evidence',
        release: intent.release,
        name: intent.name ?? 'regression.xml',
        conclusion: intent.conclusion ?? 'pass',
      };
    case 'confirmEvidence':
      return { kind: 'confirm', what: 'evidence', entry: intent.entry };
    case 'confirmDevice':
      return { kind: 'confirm', what: `device ${intent.principal}`, entry: 4633 };
    case 'condition':
      return { kind: 'condition', condition: 'the on-call roster is published' };
    case 'freeze':
      return { kind: 'freeze', product: intent.product, environment: intent.environment, span: intent.span };
    case 'liftFreeze':
      return { kind: 'liftFreeze', entry: intent.entry };
    case 'authorize':
      return { kind: 'authorize', product: intent.product, environment, valid: intent.valid };
    case 'answerAuthorization':
      return { kind: 'answerAuthorization', verdict: null, role: 'qa', product: 'notify', entry: intent.entry };
    case 'suspendAuthorization':
      return { kind: 'suspendAuthorization', entry: intent.entry, resume: intent.resume };
    case 'setPolicy':
      return {
        kind: 'policy',
        product: intent.product,
        version: 13,
        sha256: sheet('infusion-pump-fw-4.2.0')?.digest ?? '',
      };
    case 'answerPolicy':
      return { kind: 'answerPolicy', verdict: null, role: 'qa', product: intent.product, version: intent.version };
    case 'setProduct':
      return { kind: 'product', product: intent.product, path: intent.path };
    case 'setTarget':
      return { kind: 'target', product: intent.form.product, environment: intent.form.environment };
    case 'createLedger':
      return { kind: 'genesis', title: intent.title };
    case 'enrol':
      return { kind: 'enrol', person: { principal: intent.form.principal, name: intent.form.name } };
    case 'accept':
      return {
        kind: 'accept',
        text: 'My signature in this ledger binds me as my handwriting does.',
        sha256: sheet('infusion-pump-fw-4.2.0')?.digest ?? '',
      };
    case 'changeRole':
      return {
        kind: 'role',
        person: person(intent.principal),
        role: intent.role,
        product: intent.product,
        until: intent.until,
        change: intent.change,
      };
    case 'confirmPeople': {
      const row = waitingRows().find((one) => one.entry === intent.entry);
      if (!row) return { kind: 'confirm', what: '', entry: intent.entry };
      const about = { person: row.person, entry: row.entry };
      return row.kind === 'role'
        ? { kind: 'confirmRole', ...about, role: row.role ?? '', product: row.product }
        : { kind: row.kind === 'identity' ? 'confirmIdentity' : 'confirmRecovery', ...about };
    }
    case 'leave':
      return {
        kind: 'role',
        person: person(intent.principal),
        role: 'security',
        product: null,
        until: null,
        change: 'lapse',
      };
    case 'rotateKey':
      return { kind: 'rotateKey' };
    case 'endKey':
      return { kind: 'endKey', person: person(intent.principal), lost: intent.lost };
    case 'enrolDispatcher':
      return { kind: 'enrolDispatcher', device: intent.name ?? 'meridian-desk-14' };
    case 'revokeDevice':
      return { kind: 'revokeDevice', device: intent.principal };
    case 'review':
      return { kind: 'review', scope: intent.scope, from: 4100, until: 4812 };
    case 'correct':
      return { kind: 'correct', entry: intent.entry, field: intent.field };
    case 'addBuildbot':
      return { kind: 'addConnector', name: intent.name, address: intent.address };
    case 'allowCommand':
      return { kind: 'allowCommand', id: intent.form.id, sha256: sheet('infusion-pump-fw-4.2.0')?.digest ?? '' };
    case 'unlock':
      return { kind: 'unlock' };
  }
}

export const forms = {
  drafts: () => ({ drafts: world.empty ? [] : [...drafts.values()] }),
  newDraft: ({ amends }) => {
    const before = amends ? releaseHandlers.release({ release: amends }) : undefined;
    const draft: ProposalDraft = {
      id: `draft-${nextDraft++}`,
      amends,
      saved: now,
      form: before
        ? {
            ...form,
            product: before.product,
            version: before.version,
            release: before.release,
            commit: before.candidate.commit,
            artifacts: before.candidate.artifacts.map((one) => ({ name: one.name, file: null, sha256: one.sha256 })),
            changeType: before.candidate.changeType,
            risk: before.candidate.risk,
            rolloutPlan: before.candidate.rolloutPlan,
            backoutPlan: before.candidate.backoutPlan,
            reason: before.reason,
          }
        : { ...form },
    };
    drafts.set(draft.id, draft);
    return draft;
  },
  saveDraft: ({ id, amends, form: next }) => {
    const draft: ProposalDraft = { id: id ?? `draft-${nextDraft++}`, amends, form: next, saved: now };
    drafts.set(draft.id, draft);
    return draft;
  },
  deleteDraft: ({ id }) => {
    drafts.delete(id);
    return { drafts: [...drafts.values()] };
  },
  checkDraft: ({ id }) => {
    const draft = drafts.get(id);
    if (!draft) throw new Refused(appError('not_found', 'this draft is gone'));
    const { product, version, commit, artifacts: given, reason } = draft.form;
    const missing = Object.entries({ product, version, commit, reason }).filter(([, value]) => !value);
    const problems = missing.map(([field]) => ({ field, code: 'field', message: `${field} is missing`, hint: null }));
    if (!given.length)
      problems.push({
        field: 'artifacts',
        code: 'field',
        message: 'a release needs at least one artifact',
        hint: null,
      });
    const before = product ? liveVersion(product) : undefined;
    const sample = releaseHandlers.changes({
      release: 'infusion-pump-fw-4.2.0',
      text: '',
      page: { offset: 0, limit: 12 },
    });
    return {
      problems,
      candidate: problems.length
        ? null
        : {
            ...releaseHandlers.release({ release: before?.release ?? 'infusion-pump-fw-4.2.0' }).candidate,
            commit: commit!,
          },
      release: product && version ? `${product}-${version}` : null,
      commits: commit ? sample.rows : [],
      removes: [],
      required: ['unit tests', 'integration tests', 'regression', 'static analysis', 'components'],
    };
  },
  carryOpen: ({ path }) => {
    const view = releaseHandlers.release({ release: 'infusion-pump-fw-4.2.0' });
    const frozen = view.sheet!;
    return {
      sha256: frozen.digest,
      file: { token: path, display: '~/Downloads/infusion-pump-fw-4.2.0.csreq' },
      fingerprint: '3f0c5a1de24b1c0a9f7d8e6b5c4a39281706f5e4d3c2b1a09f8e7d6c5b4a3928',
      ledger: 'Meridian Medical',
      sample: world.sample,
      entries: 4812,
      release: view.release,
      product: view.product,
      version: view.version,
      environment: 'production',
      changeType: view.candidate.changeType,
      askedBy: person('jonas'),
      frozen: now,
      notAfter: world.ranOut ? minutes(-30) : minutes(240),
      expired: world.ranOut,
      facts: frozen.facts,
      evidence: frozen.evidence,
      signers: world.empty ? [] : [{ person: person('ben'), roles: ['security'], acceptsFirst: true }],
      absent: 2,
    };
  },
  previewRequest: ({ release, window }) => {
    const view = releaseHandlers.release({ release });
    const last = view.sheet;
    return {
      release,
      facts: last?.facts ?? sheet('infusion-pump-fw-4.2.0')!.facts,
      evidence: (last ?? sheet('infusion-pump-fw-4.2.0')!).evidence,
      sinceLast: last
        ? [
            { name: 'evidence', before: 'regression.xml: 846 passed', after: 'regression.xml: 845 passed, 1 failed' },
            { name: 'evidenceManifest', before: '9 files', after: '10 files' },
          ]
        : [],
      lastSheet: last ? last.entry + (world.frozenAgain ? 1 : 0) : null,
      becomesStale: last ? last.signed : 0,
      quorum: [
        { role: 'security', needed: 1, eligible: [person('ben')], barred: [] },
        { role: 'product-owner', needed: 1, eligible: [person('chiara')], barred: [] },
        { role: 'safety', needed: 1, eligible: [person('ewa')], barred: [] },
        {
          role: 'qa',
          needed: 1,
          eligible: [person('alice')],
          barred: [{ person: person('ravi'), reason: 'attacher', text: 'Ravi Nair attached evidence to this release' }],
        },
        {
          role: 'operations',
          needed: 1,
          eligible: [person('jo')],
          barred: [{ person: person('jonas'), reason: 'askedFor', text: 'Jonas Weber asks for this decision' }],
        },
      ],
      window,
      problem: null,
    };
  },
  prepare: (intent) => {
    world.prepared = intent;
    return { draftId: `act-${intent.kind}`, act: actOf[intent.kind] ?? 'approval' };
  },
  openSigning: () => {
    if (!world.prepared) throw new Refused(appError('nothing_to_sign', 'nothing is prepared for signing'));
    world.emit('signingChanged', { reason: 'opened' });
    return null;
  },
} satisfies Partial<Handlers>;
