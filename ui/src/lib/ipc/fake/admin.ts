/** People, products, policies, authorizations, connectors. */
import type {
  AuthorizationRow,
  ConnectorRow,
  PersonRow,
  PolicyCheck,
  PolicyView,
  ProductView,
  TargetRow,
  TextDiffLine,
} from '../bindings';
import { permissions, waitingRows } from './appointing';
import { startJob } from './desk';
import type { Handlers } from './handlers';
import { person, personas } from './people';
import { enforcement } from './rollout';
import { digest, liveVersion, products as known, releases } from './sample';
import { appError, days, hours, minutes, now, Refused, world } from './world';

function personRow(principal: string, at: number): PersonRow {
  const one = personas.find((each) => each.principal === principal)!;
  return {
    principal,
    name: one.name,
    emails: [`${principal}@meridian.example`],
    state: principal === 'jo' ? 'keyExpired' : 'active',
    enrolled: 1 + at * 3,
    enrolledBy: person('mduval'),
    enrolledAt: days(-260 + at),
    identity: 'badge shown at the desk in Basel',
    accepted: principal === 'mduval' ? null : 2 + at * 3,
    roles: one.roles.map((role) => ({
      role,
      product: null,
      until: principal === 'ravi' ? days(30) : null,
      granted: 3 + at * 3,
      lentBy: principal === 'ravi' ? person('alice') : null,
      training: principal === 'alice' ? { reference: 'GxP course 2026-114', until: days(120) } : null,
    })),
    keys: [
      {
        fingerprint: `SHA256:${digest(`key${principal}`, 43)}`,
        origin: at % 3 === 1 ? 'imported' : 'madeHere',
        validUntil: principal === 'jo' ? days(-1) : '2027-11-01T00:00:00Z',
        since: 1 + at * 3,
        state: principal === 'jo' ? 'expired' : 'inUse',
        ended: null,
      },
      ...(principal === 'ben'
        ? [
            {
              fingerprint: `SHA256:${digest('oldkeyben', 43)}`,
              origin: 'madeHere' as const,
              validUntil: '2026-11-01T00:00:00Z',
              since: 7,
              state: 'rotated' as const,
              ended: 3900,
            },
          ]
        : []),
    ],
    keyHere: at < 4,
    me: principal === world.me,
    wrong: principal === 'chiara' ? 2 : 0,
    lockedUntil: null,
  };
}

const waiting: PersonRow = {
  principal: 'hana',
  name: 'Hana Sato',
  emails: ['hana@meridian.example'],
  state: 'waitsToAccept',
  enrolled: 4802,
  enrolledBy: person('mduval'),
  enrolledAt: hours(-3),
  identity: 'video call, passport',
  accepted: null,
  roles: [],
  keys: [
    {
      fingerprint: `SHA256:${digest('keyhana', 43)}`,
      origin: 'imported',
      validUntil: '2027-11-22T00:00:00Z',
      since: 4802,
      state: 'inUse',
      ended: null,
    },
  ],
  keyHere: true,
  me: false,
  wrong: 0,
  lockedUntil: null,
};

export const policyToml = `# Who must say GO, on which evidence, in which waves.
mode = "delivery"
dispatch = "by_release_manager"
rollback = "offer"
rerun = "up to 1 on the same commit with reason"
sheet_valid_minutes = 4320
distinct = ["requester", "author", "attacher"]

[quorum]
security = 1
product-owner = 1
safety = 1
qa = 1
operations = 1

[[gate]]
name = "regression"
kind = "junit"
observed = true

[[gate]]
name = "static analysis"
kind = "sarif"
observed = true

[soak]
environment = "staging"
hours = 24

[[wave]]
segment = "pilot clinics"
bake_minutes = 120

[[wave]]
segment = "region north"
bake_minutes = 1440
`;

const same = (text: string): TextDiffLine[] => text.split('\n').map((line) => ({ kind: 'same' as const, text: line }));

function policyView(product: string, version = 12): PolicyView {
  const entry = known.find((one) => one.product === product)!;
  const older = version < 12;
  return {
    product,
    version,
    entry: 4100 - (12 - version) * 60,
    toml: older ? policyToml.replace('hours = 24', 'hours = 12') : policyToml,
    sha256: digest(`policy ${product} ${version}`),
    mode: entry.mode,
    dispatch: 'byReleaseManager',
    rollback: 'offer',
    quorum: [
      { role: 'security', count: 1 },
      { role: 'product-owner', count: 1 },
      { role: 'safety', count: 1 },
      { role: 'qa', count: 1 },
      { role: 'operations', count: 1 },
    ],
    gates: [
      { gate: 'regression', kind: 'junit', name: 'regression.xml', observed: true },
      { gate: 'static analysis', kind: 'sarif', name: null, observed: true },
    ],
    soakSeconds: older ? 43_200 : 86_400,
    sheetValidMinutes: 4_320,
    waves: [
      { segment: 'pilot clinics', bakeSeconds: 7_200 },
      { segment: 'region north', bakeSeconds: 86_400 },
      { segment: 'everyone', bakeSeconds: 0 },
    ],
    means: [
      { kind: 'lastGate', mode: 'delivery' },
      {
        kind: 'quorum',
        roles: ['security', 'product-owner', 'safety', 'qa', 'operations'].map((role) => ({ role, count: 1 })),
      },
      { kind: 'veto', roles: ['security', 'safety'] },
      { kind: 'apart', part: 'requester' },
      { kind: 'apart', part: 'commitAuthor' },
      { kind: 'apart', part: 'evidenceAttacher' },
      { kind: 'presence', ways: ['prompt'] },
      { kind: 'attached', rule: 'confirmed' },
      { kind: 'rerun', rule: 'forbid', upTo: 0 },
      { kind: 'soak', seconds: older ? 43_200 : 86_400 },
      { kind: 'dispatch', rule: 'byReleaseManager' },
      { kind: 'wave', place: 1, wave: { segment: 'pilot clinics', bakeSeconds: 7_200 } },
      { kind: 'wave', place: 2, wave: { segment: 'region north', bakeSeconds: 86_400 } },
      { kind: 'wave', place: 3, wave: { segment: 'everyone', bakeSeconds: 0 } },
      { kind: 'rollback', rule: 'offer' },
    ],
    diffToInForce: older
      ? policyToml.split('\n').flatMap((line): TextDiffLine[] =>
          line === 'hours = 24'
            ? [
                { kind: 'gone', text: 'hours = 24' },
                { kind: 'come', text: 'hours = 12' },
              ]
            : [{ kind: 'same', text: line }],
        )
      : [],
  };
}

export const authorizationRows: readonly AuthorizationRow[] = [
  {
    entry: 4655,
    product: 'notify',
    environment: 'production',
    changeTypes: ['standard'],
    maxCommits: 20,
    perDay: 6,
    valid: { from: days(-32), until: days(58) },
    by: person('mduval'),
    state: 'valid',
    cause: null,
    adopted: 4660,
    suspended: null,
    answers: [
      { person: person('alice'), role: 'qa', verdict: 'go', entry: 4658 },
      { person: person('ben'), role: 'security', verdict: 'go', entry: 4660 },
    ],
    waitsFor: [],
    uses: 41,
    usesToday: 3,
    lastUse: minutes(-14),
    me: false,
  },
  {
    entry: 4610,
    product: 'patient-portal',
    environment: 'production',
    changeTypes: ['standard', 'normal'],
    maxCommits: 10,
    perDay: 2,
    valid: { from: days(-20), until: days(70) },
    by: person('mduval'),
    state: 'valid',
    cause: null,
    adopted: 4615,
    suspended: 4789,
    answers: [{ person: person('alice'), role: 'qa', verdict: 'go', entry: 4612 }],
    waitsFor: [],
    uses: 12,
    usesToday: 0,
    lastUse: hours(-5),
    me: false,
  },
  {
    entry: 4805,
    product: 'lab-gateway',
    environment: 'production',
    changeTypes: ['standard'],
    maxCommits: 5,
    perDay: 1,
    valid: { from: now, until: days(90) },
    by: person('mduval'),
    state: 'incomplete',
    cause: 'QA has not answered',
    adopted: null,
    suspended: null,
    answers: [],
    waitsFor: [{ role: 'qa', needed: 1, eligible: [person('alice'), person('ravi')], barred: [] }],
    uses: 0,
    usesToday: 0,
    lastUse: null,
    me: true,
  },
];

function targets(product: string): TargetRow[] {
  const target = (environment: string, entry: number, segments: string[]): TargetRow => ({
    entry,
    digest: digest(`target ${product} ${environment}`),
    product,
    environment,
    connector: { kind: 'buildbot', baseUrl: 'https://ci.meridian.example', certificateSha256: digest('ca') },
    job: `${product}-release`,
    deployStep: 'deploy',
    segments: segments.map((name, at) => ({
      name,
      instances: Array.from({ length: 2 + at }, (_, no) => ({
        health: `https://${product}-${no + 1}.clinic.example/health`,
        version: `https://${product}-${no + 1}.clinic.example/version`,
      })),
    })),
    unreachable:
      environment === 'production' && product === 'dose-planner'
        ? 'this desk has no account for ci.meridian.example'
        : null,
    enforcement,
  });
  return [
    target('staging', 4090, ['bench']),
    target('production', 4101, ['pilot clinics', 'region north', 'everyone']),
  ];
}

function productView(product: string): ProductView {
  const entry = known.find((one) => one.product === product);
  if (!entry) throw new Refused(appError('not_found', `there is no product ${product}`));
  return {
    product,
    title: entry.title,
    entry: 4088,
    path: ['staging', 'production'],
    policy: policyView(product),
    versions: [13, 12, 11, 10].slice(product === 'dose-planner' ? 0 : 1).map((version) => ({
      version,
      entry: 4100 - (12 - version) * 60,
      sha256: digest(`policy ${product} ${version}`),
      by: person('mduval'),
      time: days(-30 * (13 - version)),
      status: version === 13 ? 'proposed' : version === 12 ? 'inForce' : 'replaced',
      answers: version === 13 ? [] : [{ person: person('alice'), role: 'qa', verdict: 'go', entry: 4101 }],
      waitsFor: version === 13 ? [{ role: 'qa', needed: 1, eligible: [person('alice')], barred: [] }] : [],
      me: version === 13,
    })),
    targets: targets(product),
    mode: entry.mode,
    level: entry.level,
    authorizations: authorizationRows.filter((one) => one.product === product),
  };
}

const connectorRows: readonly ConnectorRow[] = [
  {
    kind: 'buildbot',
    name: 'buildbot',
    baseUrl: 'https://ci.meridian.example',
    user: 'countersign',
    certificateSha256: digest('ca'),
    systemAuthorities: false,
    usedBy: known.slice(0, 4).map((one) => ({ product: one.product, environment: 'production' })),
  },
  {
    kind: 'localCommand',
    name: 'deploy-bench',
    script: '/opt/meridian/bin/deploy-bench',
    scriptSha256: digest('script'),
    refused: 'the script is not the one that was allowed: its SHA-256 is another',
    usedBy: [{ product: 'dose-planner', environment: 'staging' }],
  },
];

export const admin = {
  people: () => ({
    at: now,
    people: world.empty
      ? [personRow('mduval', 0)]
      : [...personas.map((one, at) => personRow(one.principal, at)), waiting],
    devices: [
      {
        principal: 'desk-alice',
        name: 'meridian-desk-14',
        purpose: 'desk',
        fingerprint: `SHA256:${digest('deskalice', 43)}`,
        enrolled: 40,
        enrolledBy: person('mduval'),
        confirmed: 41,
        revoked: null,
        state: 'inUse',
        thisMachine: true,
        mayConfirm: false,
      },
      {
        principal: 'disp-1',
        name: 'meridian-dispatch-01',
        purpose: 'dispatcher',
        fingerprint: `SHA256:${digest('disp1', 43)}`,
        enrolled: 4633,
        enrolledBy: person('mduval'),
        confirmed: null,
        revoked: null,
        state: 'waitsForSecond',
        thisMachine: false,
        mayConfirm: true,
      },
      {
        principal: 'desk-old',
        name: 'meridian-desk-03',
        purpose: 'desk',
        fingerprint: `SHA256:${digest('deskold', 43)}`,
        enrolled: 44,
        enrolledBy: person('mduval'),
        confirmed: 45,
        revoked: 3100,
        state: 'revoked',
        thisMachine: false,
        mayConfirm: false,
      },
    ],
    roles: [
      { role: 'process-owner', fixed: true, holders: 1, askedBy: [] },
      { role: 'release-manager', fixed: true, holders: 1, askedBy: [] },
      { role: 'practitioner', fixed: true, holders: 1, askedBy: [] },
      { role: 'emergency-authority', fixed: true, holders: 0, askedBy: [] },
      { role: 'auditor', fixed: true, holders: 0, askedBy: [] },
      { role: 'qa', fixed: false, holders: 2, askedBy: ['infusion-pump-fw', 'payments-api', 'lab-gateway'] },
      { role: 'security', fixed: false, holders: 1, askedBy: ['infusion-pump-fw', 'payments-api'] },
      { role: 'safety', fixed: false, holders: 1, askedBy: ['infusion-pump-fw', 'dose-planner'] },
      { role: 'product-owner', fixed: false, holders: 1, askedBy: ['infusion-pump-fw'] },
      { role: 'operations', fixed: false, holders: 1, askedBy: ['infusion-pump-fw'] },
    ],
    reviews: [
      {
        entry: 4300,
        scope: 'access',
        from: 3800,
        until: 4299,
        findings: 'two roles lapsed with a move to another team',
      },
    ],
    reviewsDue: [
      { scope: 'access', due: minutes(41 * 1440), overdue: false },
      { scope: 'trail', due: minutes(-3 * 1440), overdue: true },
    ],
    recovery: {
      needed: 2,
      people: [person('mduval'), person('ewa'), person('chiara')],
      waitHours: 72,
      underWay: world.recovering
        ? [{ entry: 4808, person: person('tomasz'), by: [person('ewa'), person('chiara')], from: days(3) }]
        : [],
    },
    waiting: world.empty ? [] : waitingRows(),
    vacancies: world.recovering ? ['dose-planner'] : [],
    charter: { identityByTwo: true, rolesByTwo: true, keyDays: 366, reviewDays: 90 },
    permissions,
  }),
  products: () => ({
    products: world.empty
      ? []
      : known.map((one) => ({
          product: one.product,
          title: one.title,
          path: ['staging', 'production'],
          mode: one.mode,
          policyVersion: 12,
          policyWaits: one.product === 'dose-planner',
          withoutTarget: one.product === 'dose-planner' ? ['production'] : [],
          live: liveVersion(one.product)?.version ?? null,
          releases: releases.filter((each) => each.product === one.product).length,
        })),
  }),
  product: ({ product }) => productView(product),
  policy: ({ product, version }) => policyView(product, version ?? 12),
  checkPolicy: ({ product, toml }): PolicyCheck => {
    const lines = toml.split('\n');
    const wrong = lines.findIndex((line) => /^\s*mode\s*=/.test(line) && !/"(delivery|deployment)"/.test(line));
    const problems =
      wrong >= 0
        ? [{ line: wrong + 1, column: lines[wrong]!.indexOf('=') + 3, message: 'mode is "delivery" or "deployment"' }]
        : /\[quorum\]/.test(toml)
          ? []
          : [{ line: null, column: null, message: 'a policy names who must say GO: [quorum] is missing' }];
    const now_ = policyToml.split('\n');
    return {
      lawful: problems.length === 0,
      problems,
      means: problems.length ? [] : policyView(product).means,
      warnings: /safety/.test(toml) ? [] : [{ kind: 'signers', role: 'qa', needed: 2, holders: 1 }],
      diff:
        toml === policyToml
          ? same(toml)
          : [
              ...now_.filter((line) => !lines.includes(line)).map((line) => ({ kind: 'gone' as const, text: line })),
              ...lines.filter((line) => !now_.includes(line)).map((line) => ({ kind: 'come' as const, text: line })),
            ],
      sha256: digest(toml),
      mustSign: problems.length
        ? []
        : [
            { role: 'qa', needed: 1, eligible: [person('alice'), person('ravi')], barred: [] },
            {
              role: 'security',
              needed: 1,
              eligible: [person('ben')],
              barred: [{ person: person('mduval'), reason: 'askedFor', text: 'proposes it' }],
            },
          ],
      template: null,
    };
  },
  authorizations: () => ({ at: now, authorizations: world.empty ? [] : [...authorizationRows] }),
  connectors: () => ({ connectors: world.empty ? [] : [...connectorRows] }),
  testConnector: ({ name }) =>
    startJob(
      'connectorTest',
      {
        kind: 'tested',
        test: {
          name,
          steps: [
            { step: 'reach', state: 'passed', subject: 'ci.meridian.example:443', message: null },
            { step: 'identify', state: 'passed', subject: null, message: null },
            { step: 'clock', state: 'warned', subject: null, message: 'its clock is 2 s ahead' },
            { step: 'job', state: 'passed', subject: 'infusion-pump-fw-release', message: null },
            { step: 'inputs', state: 'passed', subject: 'infusion-pump-fw-release', message: null },
            {
              step: 'gate',
              state: 'failed',
              subject: 'infusion-pump-fw-release',
              message: 'anybody with an account may start this job by hand',
            },
          ],
          product: 'Buildbot',
          version: '4.2.1',
          user: 'countersign',
          clockAheadSeconds: 2,
          enforcement,
        },
      },
      { of: 6 },
    ),
  removeConnector: ({ name }) => ({ connectors: connectorRows.filter((one) => one.name !== name) }),
} satisfies Partial<Handlers>;
