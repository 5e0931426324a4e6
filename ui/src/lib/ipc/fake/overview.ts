/** Inbox, board, releases. */
import type { BoardCell, BoardPlace, BoardProduct, CellNote, FreezeRow, InboxItem, ReleaseState } from '../bindings';
import type { Handlers } from './handlers';
import { person } from './people';
import { products, quorum, releases, titleOf } from './sample';
import { days, hours, minutes, now, world } from './world';

const item = (some: Partial<InboxItem> & Pick<InboxItem, 'id' | 'kind'>): InboxItem => ({
  product: null,
  release: null,
  version: null,
  environment: 'production',
  entry: null,
  role: null,
  askedBy: null,
  askedAt: null,
  byName: false,
  due: null,
  overdue: false,
  lastSignature: false,
  stale: false,
  consequence: 'none',
  then: null,
  blocker: null,
  quote: null,
  moved: [],
  changed: [],
  since: null,
  ...some,
});

const items: readonly InboxItem[] = [
  item({
    id: 'sign-pump',
    kind: 'sign',
    product: 'infusion-pump-fw',
    release: 'infusion-pump-fw-4.2.0',
    version: '4.2.0',
    role: 'qa',
    askedBy: person('jonas'),
    askedAt: hours(-5),
    byName: true,
    due: hours(3),
    lastSignature: true,
    consequence: 'lastSignatureManagerStarts',
    then: person('jonas'),
    blocker: quorum,
    since: hours(-5),
  }),
  item({
    id: 'again-payments',
    kind: 'signAgain',
    product: 'payments-api',
    release: 'payments-api-2.31.1',
    version: '2.31.1',
    role: 'qa',
    askedBy: person('jonas'),
    askedAt: days(-2),
    stale: true,
    consequence: 'othersStillToSign',
    changed: [{ name: 'evidence', before: 'regression.xml, run 1', after: 'regression.xml, run 2' }],
    since: minutes(-12),
  }),
  item({
    id: 'wave-portal',
    kind: 'waveVerdict',
    product: 'patient-portal',
    release: 'patient-portal-9.0.4',
    version: '9.0.4',
    due: hours(1.9),
    consequence: 'nextWave',
    quote: 'error rate inconclusive for 20 min',
    since: minutes(-20),
  }),
  item({
    id: 'answer-pump',
    kind: 'answer',
    product: 'infusion-pump-fw',
    release: 'infusion-pump-fw-4.2.0',
    version: '4.2.0',
    askedBy: person('jo'),
    askedAt: hours(-1.7),
    due: hours(1.9),
    consequence: 'blocksRelease',
    quote: 'Who is on call for the pilot clinics tonight?',
    since: hours(-1.7),
  }),
  item({
    id: 'policy-dose',
    kind: 'policy',
    product: 'dose-planner',
    role: 'qa',
    environment: null,
    askedBy: person('mduval'),
    askedAt: days(-1),
    due: days(4),
    consequence: 'takesEffect',
    quote: 'the validation protocol becomes a gate of its own',
    since: days(-1),
  }),
];

const others: readonly InboxItem[] = [
  item({
    id: 'others-dose',
    kind: 'gate',
    product: 'dose-planner',
    release: 'dose-planner-0.9.0',
    version: '0.9.0',
    then: person('tomasz'),
    due: days(2),
    consequence: 'blocksRelease',
    since: hours(-20),
  }),
];

export const freezes: readonly FreezeRow[] = [
  {
    entry: 4733,
    product: 'payments-api',
    environment: 'production',
    span: { from: days(-1), until: hours(18.9) },
    by: person('mduval'),
    reason: 'settlement weekend',
    status: 'inForce',
    lifted: null,
  },
  {
    entry: 4698,
    product: null,
    environment: 'production',
    span: { from: '2026-12-23T17:00:00Z', until: '2027-01-04T07:00:00Z' },
    by: person('mduval'),
    reason: 'holidays: clinics run with half their staff',
    status: 'toCome',
    lifted: null,
  },
  {
    entry: 4502,
    product: null,
    environment: 'production',
    span: { from: days(-40), until: days(-38) },
    by: person('jonas'),
    reason: 'network works in Basel',
    status: 'lifted',
    lifted: 4510,
  },
];

const head: BoardPlace = { kind: 'head' };
const staging: BoardPlace = { kind: 'staging', environment: 'staging' };
const segment: BoardPlace = { kind: 'segment', environment: 'production', segment: 'pilot clinics', wave: 1, waves: 4 };
const production: BoardPlace = { kind: 'production', environment: 'production' };

function cell(
  place: BoardPlace,
  product: string,
  version: string | null,
  state: ReleaseState | null,
  note: CellNote,
  some: Partial<BoardCell> = {},
): BoardCell {
  return {
    place,
    release: version ? `${product}-${version}` : null,
    version,
    state,
    since: 'since' in note ? note.since : null,
    note,
    frozen: false,
    share: null,
    ...some,
  };
}

function boardProduct(product: string, problem: number, cells: BoardCell[]): BoardProduct {
  const known = products.find((one) => one.product === product)!;
  return {
    product,
    title: known.title,
    mode: known.mode,
    level: known.level,
    problem,
    cells,
    policyVersion: 12,
    wayBack: null,
  };
}

const live = (since: string, behind = 0, authorization: number | null = null): CellNote => ({
  kind: 'live',
  since,
  behind,
  authorization,
});

const board: readonly BoardProduct[] = [
  boardProduct('patient-portal', 4, [
    cell(head, 'patient-portal', '9.0.4', 'rolloutHalted', { kind: 'releasable' }, { since: minutes(-38) }),
    cell(staging, 'patient-portal', '9.0.4', 'rolloutHalted', { kind: 'proven', since: hours(-6) }),
    cell(
      segment,
      'patient-portal',
      '9.0.4',
      'rolloutHalted',
      { kind: 'inconclusive', quote: 'error rate inconclusive for 20 min' },
      { share: 5 },
    ),
    cell(production, 'patient-portal', '9.0.3', 'live', live(days(-4), 1), { share: 5 }),
  ]),
  boardProduct('payments-api', 3, [
    cell(head, 'payments-api', '2.31.2', 'halted', { kind: 'red', gates: ['regression'] }, { since: minutes(-9) }),
    cell(staging, 'payments-api', '2.31.1', 'ready', { kind: 'stale' }),
    cell(segment, 'payments-api', null, null, { kind: 'frozen', until: hours(18.9) }, { frozen: true }),
    cell(production, 'payments-api', '2.30.9', 'live', live(days(-12), 2), { frozen: true }),
  ]),
  boardProduct('infusion-pump-fw', 2, [
    cell(head, 'infusion-pump-fw', '4.2.0', 'onHold', { kind: 'releasable' }, { since: days(-2) }),
    cell(staging, 'infusion-pump-fw', '4.2.0', 'onHold', { kind: 'proven', since: hours(-26) }),
    cell(segment, 'infusion-pump-fw', '4.2.0', 'onHold', { kind: 'waits', signed: 3, needed: 5, due: hours(3) }),
    cell(production, 'infusion-pump-fw', '4.1.7', 'live', live(days(-41), 1)),
  ]),
  boardProduct('lab-gateway', 1, [
    cell(head, 'lab-gateway', '1.14.0', 'staged', { kind: 'releasable' }, { since: hours(-4) }),
    cell(
      staging,
      'lab-gateway',
      '1.14.0',
      'staged',
      { kind: 'soaking', since: hours(-3), until: hours(9) },
      { share: 25 },
    ),
    cell(segment, 'lab-gateway', '1.13.6', 'live', { kind: 'passed', tookSeconds: 5_400 }),
    cell(production, 'lab-gateway', '1.13.6', 'live', live(days(-9), 1)),
  ]),
  boardProduct('dose-planner', 1, [
    cell(head, 'dose-planner', '0.9.0', 'collecting', { kind: 'collecting' }, { since: hours(-20) }),
    cell(staging, 'dose-planner', '0.8.9', 'noGo', { kind: 'noGo', by: person('ewa') }),
    cell(segment, 'dose-planner', null, null, { kind: 'notYet' }),
    cell(production, 'dose-planner', '0.8.8', 'live', live(days(-8), 2)),
  ]),
  boardProduct('notify', 0, [
    cell(head, 'notify', '3.7.12', 'live', { kind: 'releasable' }, { since: minutes(-14) }),
    cell(staging, 'notify', '3.7.12', 'live', { kind: 'proven', since: minutes(-13) }),
    cell(segment, 'notify', '3.7.12', 'live', { kind: 'passed', tookSeconds: 600 }),
    cell(production, 'notify', '3.7.12', 'live', live(minutes(-2), 0, 4655), { share: 100 }),
  ]),
];

export const overview = {
  inbox: () => ({
    at: now,
    items: world.empty ? [] : [...items],
    waitingForOthers: world.empty ? [] : [...others],
  }),
  board: () => ({ at: now, products: world.empty ? [] : [...board], freezes: world.empty ? [] : [...freezes] }),
  releases: ({ text, products: wanted, states, mine, sort, descending, page }) => {
    const all = world.empty ? [] : releases;
    const sought = text.toLowerCase();
    const fits = all.filter(
      (one) =>
        (!sought ||
          `${one.product} ${one.version} ${titleOf(one.product)} ${one.proposer.name}`
            .toLowerCase()
            .includes(sought)) &&
        (!wanted.length || wanted.includes(one.product)) &&
        (!mine || one.waitsForMe),
    );
    const rows = fits.filter((one) => !states.length || states.includes(one.state));
    const by = (one: (typeof rows)[number]) => String(one[sort === 'due' ? 'due' : sort] ?? '');
    rows.sort((a, b) => by(a).localeCompare(by(b), 'en', { numeric: true }) * (descending ? -1 : 1));
    const count = <T extends string>(values: T[]) =>
      [...new Set(values)].map((value) => ({ value, count: values.filter((one) => one === value).length }));
    return {
      at: now,
      total: rows.length,
      all: all.length,
      rows: rows.slice(page.offset, page.offset + page.limit),
      states: count(fits.map((one) => one.state)).map(({ value, count: n }) => ({ state: value, count: n })),
      products: count(all.map((one) => one.product)).map(({ value, count: n }) => ({ product: value, count: n })),
    };
  },
  freezes: () => ({
    at: now,
    freezes: world.empty ? [] : [...freezes],
    upcoming: world.empty
      ? []
      : [
          {
            kind: 'due',
            release: 'infusion-pump-fw-4.2.0',
            product: 'infusion-pump-fw',
            version: '4.2.0',
            at: hours(3),
          },
          {
            kind: 'window',
            release: 'infusion-pump-fw-4.2.0',
            product: 'infusion-pump-fw',
            version: '4.2.0',
            span: { from: hours(4), until: hours(8) },
            frozen: false,
          },
          {
            kind: 'sheetEnds',
            release: 'infusion-pump-fw-4.2.0',
            product: 'infusion-pump-fw',
            version: '4.2.0',
            at: days(2),
          },
          {
            kind: 'window',
            release: 'payments-api-2.31.1',
            product: 'payments-api',
            version: '2.31.1',
            span: { from: hours(16), until: hours(20) },
            frozen: true,
          },
          { kind: 'waiverEnds', release: 'infusion-pump-fw-4.2.0', gate: 'static analysis', at: days(12) },
          { kind: 'authorizationEnds', entry: 4655, product: 'notify', at: days(58) },
          { kind: 'keyEnds', person: person('jo'), at: days(19) },
        ],
  }),
} satisfies Partial<Handlers>;
