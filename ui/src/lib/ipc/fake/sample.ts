/** The products and releases of the sample: the same figures every time. */
import type { ArtifactRef, Blocker, ChangeType, Mode, ReleaseRow, ReleaseState } from '../bindings';
import { person } from './people';
import { days, hours, minutes } from './world';

/** Numbers that look drawn and never change. */
export function drawn(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

export function digest(of: string, length = 64): string {
  let seed = 2166136261;
  for (const letter of of) seed = Math.imul(seed ^ letter.charCodeAt(0), 16777619);
  const next = drawn(seed);
  return Array.from({ length }, () => Math.floor(next() * 16).toString(16)).join('');
}

export type Product = { product: string; title: string; mode: Mode; level: number; line: string; major: string };

export const products: readonly Product[] = [
  {
    product: 'infusion-pump-fw',
    title: 'Infusion pump firmware',
    mode: 'delivery',
    level: 1,
    line: 'Part 11',
    major: '4',
  },
  { product: 'patient-portal', title: 'Patient portal', mode: 'deployment', level: 4, line: '', major: '9' },
  { product: 'payments-api', title: 'Payments API', mode: 'delivery', level: 2, line: 'PCI', major: '2' },
  { product: 'lab-gateway', title: 'Laboratory gateway', mode: 'delivery', level: 2, line: '', major: '1' },
  { product: 'notify', title: 'Notification service', mode: 'deployment', level: 5, line: '', major: '3' },
  {
    product: 'dose-planner',
    title: 'Dose planner with the long name that clinics have agreed on',
    mode: 'delivery',
    level: 1,
    line: '',
    major: '0',
  },
];

export const titleOf = (product: string): string => products.find((one) => one.product === product)?.title ?? product;

export function artifacts(product: string, version: string): ArtifactRef[] {
  const name = product === 'infusion-pump-fw' ? `pump-fw-${version}.bin` : `${product}-${version}.tar.gz`;
  return [{ name, sha256: digest(name) }];
}

const row = (
  product: string,
  version: string,
  state: ReleaseState,
  proposed: string,
  some: Partial<ReleaseRow> = {},
): ReleaseRow => ({
  release: `${product}-${version}`,
  product,
  version,
  environment: 'production',
  state,
  changeType: 'normal',
  proposed,
  proposer: person('jonas'),
  signed: 0,
  needed: product === 'infusion-pump-fw' ? 5 : 2,
  due: null,
  blocker: null,
  waitsForMe: false,
  ...some,
});

export const quorum: Blocker = {
  cause: { kind: 'quorum', role: 'qa', signed: 0, needed: 1 },
  acts: [{ kind: 'sign', role: 'qa' }],
  who: [person('alice'), person('ravi')],
  me: true,
};

const current: ReleaseRow[] = [
  row('infusion-pump-fw', '4.2.0', 'onHold', days(-2), {
    signed: 3,
    due: hours(3),
    blocker: quorum,
    waitsForMe: true,
  }),
  row('payments-api', '2.31.2', 'halted', minutes(-9), {
    blocker: {
      cause: {
        kind: 'gate',
        gate: 'regression',
        conclusion: 'fail',
        reason: { kind: 'bad', name: 'regression.xml', entry: 4801, rule: null },
      },
      acts: [{ kind: 'amend' }, { kind: 'waive', gate: 'regression' }],
      who: [person('tomasz')],
      me: false,
    },
  }),
  row('payments-api', '2.31.1', 'ready', days(-3), {
    signed: 0,
    waitsForMe: true,
    blocker: {
      cause: { kind: 'stale', moved: ['evidenceReplaced'] },
      acts: [{ kind: 'request' }],
      who: [person('jonas')],
      me: false,
    },
  }),
  row('patient-portal', '9.0.4', 'rolloutHalted', hours(-5), {
    signed: 2,
    blocker: {
      cause: { kind: 'rolloutHalted', quote: 'error rate inconclusive for 20 min' },
      acts: [{ kind: 'resume', hold: 4790, question: false }, { kind: 'rollback' }],
      who: [person('jonas'), person('alice')],
      me: true,
    },
  }),
  row('lab-gateway', '1.14.0', 'staged', hours(-4), {
    blocker: {
      cause: {
        kind: 'gate',
        gate: 'soak',
        conclusion: 'missing',
        reason: { kind: 'soaking', environment: 'staging', since: hours(-3), until: hours(9) },
      },
      acts: [{ kind: 'wait', until: hours(9) }],
      who: [],
      me: false,
    },
  }),
  row('notify', '3.7.12', 'live', minutes(-14), { signed: 0, needed: 0, changeType: 'standard' }),
  row('dose-planner', '0.9.0', 'collecting', hours(-20), {
    blocker: {
      cause: { kind: 'gate', gate: 'validation protocol', conclusion: 'missing', reason: { kind: 'noEvidence' } },
      acts: [{ kind: 'attach' }],
      who: [person('tomasz')],
      me: false,
    },
  }),
  row('dose-planner', '0.8.9', 'noGo', days(-6), {
    signed: 1,
    blocker: {
      cause: { kind: 'noGo', by: person('ewa'), quote: 'the hazard analysis names the old pump model' },
      acts: [{ kind: 'amend' }],
      who: [person('tomasz')],
      me: false,
    },
  }),
];

function past(): ReleaseRow[] {
  const next = drawn(7);
  const states: readonly ReleaseState[] = [
    'reviewed',
    'live',
    'reviewed',
    'reviewed',
    'rolledBack',
    'superseded',
    'reviewed',
    'withdrawn',
    'expired',
  ];
  const types: readonly ChangeType[] = ['normal', 'normal', 'normal', 'standard', 'emergency'];
  const proposers = ['jonas', 'tomasz', 'ravi', 'jo'];
  const before: Record<string, [number, number]> = {
    'infusion-pump-fw': [1, 7],
    'patient-portal': [0, 3],
    'payments-api': [30, 9],
    'lab-gateway': [13, 6],
    notify: [7, 11],
    'dose-planner': [8, 8],
  };
  const rows: ReleaseRow[] = [];
  for (let turn = 0; turn < 56; turn += 1) {
    const product = products[turn % products.length]!;
    const at = before[product.product]!;
    const version = `${product.major}.${at[0]}.${at[1]}`;
    const first = turn < products.length;
    at[1] -= 1;
    if (at[1] < 0) before[product.product] = [Math.max(0, at[0] - 1), 9];
    const state = first ? 'live' : states[Math.floor(next() * states.length)]!;
    const needed = product.product === 'infusion-pump-fw' ? 5 : 2;
    rows.push(
      row(product.product, version, state, days(-8 - turn * 3.3 - next() * 2), {
        changeType: types[Math.floor(next() * types.length)]!,
        proposer: person(proposers[Math.floor(next() * proposers.length)]!),
        needed,
        signed: state === 'withdrawn' || state === 'expired' ? Math.floor(next() * needed) : needed,
      }),
    );
  }
  return rows;
}

export const releases: readonly ReleaseRow[] = [...current, ...past()];
export const releaseRow = (id: string): ReleaseRow | undefined => releases.find((one) => one.release === id);
export const liveVersion = (product: string): ReleaseRow | undefined =>
  releases.find((one) => one.product === product && (one.state === 'live' || one.state === 'reviewed'));
