/** One release: the decision, its evidence, its changes, its timeline. */
import type {
  Blocker,
  CandidateView,
  Conclusion,
  Counts,
  EvidenceFile,
  EvidenceItem,
  EvidenceKind,
  EvidenceSummary,
  FactLine,
  Gate,
  Meaning,
  ReleaseAct,
  ReleaseActName,
  ReleaseView,
  SheetView,
  SignOffRow,
  Station,
  StationState,
  TimelineEvent,
  TimelineRow,
  Verdict,
} from '../bindings';
import type { Handlers } from './handlers';
import { freezes } from './overview';
import { quorumOf } from './appointing';
import { person } from './people';
import { artifacts, digest, drawn, liveVersion, products, quorum, releaseRow, titleOf } from './sample';
import { appError, days, hours, minutes, now, Refused, world } from './world';
import { waves } from './waves';

export function mustHave(release: string) {
  const row = releaseRow(release);
  if (!row)
    throw new Refused(
      appError('not_found', `there is no release ${release}`, { hint: 'look for it in the list of releases' }),
    );
  return row;
}

export const commitOf = (release: string): string => digest(`commit ${release}`, 40);

const summary: EvidenceSummary = {
  files: 9,
  testsPassed: 2418,
  testsFailed: 0,
  testsSkipped: 12,
  testsRerun: 3,
  findingsOpen: 0,
  findingsSuppressed: 4,
  components: 214,
  vulnerabilities: 0,
  waived: 1,
  attached: 2,
  observed: 7,
  afterFreeze: 1,
};

function evidenceFile(
  entry: number,
  name: string,
  kind: EvidenceKind,
  conclusion: Conclusion,
  counts: Counts,
  gates: string[],
  some: Partial<EvidenceFile> = {},
): EvidenceFile {
  return {
    entry,
    name,
    kind,
    conclusion,
    counts,
    digest: digest(name + entry),
    size: String(20_000 + entry * 13),
    commit: commitOf('infusion-pump-fw-4.2.0'),
    commitMatches: true,
    commitSource: 'run',
    origin: {
      kind: 'observed',
      connector: 'buildbot',
      run: `pump-release/${entry - 2900}`,
      rawSha256: digest(`raw${entry}`),
    },
    by: { principal: 'desk-jonas', name: 'meridian-desk-02' },
    time: hours(-31 + (entry - 4751) * 0.2),
    reason: null,
    replaces: null,
    replacedBy: null,
    onSheet: 'listed',
    gates,
    mayConfirm: false,
    ...some,
  };
}

const tests = (total: number, failed = 0, skipped = 0, flaky = 0): Counts => ({
  kind: 'tests',
  total,
  passed: total - failed - skipped,
  failed,
  errors: 0,
  skipped,
  flaky,
});

function files(release: string): EvidenceFile[] {
  const halted = releaseRow(release)?.state === 'halted';
  const list: EvidenceFile[] = [
    evidenceFile(4751, 'unit.xml', 'junit', 'pass', tests(1204, 0, 4), ['unit tests']),
    evidenceFile(4752, 'integration.xml', 'junit', 'pass', tests(380, 0, 8, 3), ['integration tests']),
    halted
      ? evidenceFile(4801, 'regression.xml', 'junit', 'fail', tests(846, 1), ['regression'], {
          replaces: 4753,
          onSheet: 'noSheet',
        })
      : evidenceFile(4753, 'regression.xml', 'junit', 'pass', tests(846), ['regression']),
    evidenceFile(
      4754,
      'static-analysis.sarif',
      'sarif',
      'pass',
      { kind: 'findings', error: 0, warning: 0, note: 17, none: 0, suppressed: 4 },
      ['static analysis'],
    ),
    evidenceFile(
      4755,
      'dynamic-analysis.sarif',
      'sarif',
      'pass',
      { kind: 'findings', error: 0, warning: 0, note: 3, none: 0, suppressed: 0 },
      ['dynamic analysis'],
    ),
    evidenceFile(
      4756,
      'sbom.cdx.json',
      'cyclonedx',
      'pass',
      { kind: 'components', components: 214, vulnerabilities: 0 },
      ['components'],
    ),
    evidenceFile(
      4757,
      'hazard-analysis-rev-14.pdf',
      'manual',
      'pass',
      { kind: 'file', bytes: '1843201' },
      ['hazard analysis'],
      {
        origin: { kind: 'attached', confirmedBy: [person('ewa')] },
        by: person('tomasz'),
        commitSource: 'attacher',
        reason: 'revision 14, signed by the safety board',
      },
    ),
    evidenceFile(
      4758,
      'validation-protocol-of-the-pilot-clinics-with-a-name-nobody-can-read-in-one-line-2026-11-20.pdf',
      'manual',
      'pass',
      { kind: 'file', bytes: '920144' },
      ['validation protocol'],
      {
        origin: { kind: 'attached', confirmedBy: [] },
        by: person('tomasz'),
        commitSource: 'attacher',
        reason: 'executed on the bench in Basel',
        mayConfirm: true,
      },
    ),
    evidenceFile(4759, 'staging-health.json', 'manual', 'pass', { kind: 'file', bytes: '4120' }, ['staging']),
    evidenceFile(4799, 'load.xml', 'junit', 'pass', tests(40), [], { onSheet: 'afterFreeze' }),
  ];
  if (!world.manyFiles) return list;
  return [
    ...list,
    ...Array.from({ length: 490 }, (_, at) =>
      evidenceFile(5000 + at, `shard-${String(at + 1).padStart(3, '0')}.xml`, 'junit', 'pass', tests(200 + at), [
        'regression',
      ]),
    ),
  ];
}

function gates(release: string): Gate[] {
  const state = releaseRow(release)?.state;
  const green = (gate: string, name: string, entry: number): Gate => ({
    gate,
    conclusion: 'pass',
    reason: { kind: 'green', names: [name] },
    evidence: [entry],
    waived: null,
  });
  const halted = state === 'halted';
  return [
    { gate: 'impact assessment', conclusion: 'pass', reason: { kind: 'complete' }, evidence: [], waived: null },
    green('unit tests', 'unit.xml', 4751),
    green('integration tests', 'integration.xml', 4752),
    halted
      ? {
          gate: 'regression',
          conclusion: 'fail',
          reason: { kind: 'bad', name: 'regression.xml', entry: 4801, rule: null },
          evidence: [4801],
          waived: null,
        }
      : green('regression', 'regression.xml', 4753),
    { ...green('static analysis', 'static-analysis.sarif', 4754), waived: 4760 },
    green('dynamic analysis', 'dynamic-analysis.sarif', 4755),
    green('components', 'sbom.cdx.json', 4756),
    state === 'collecting'
      ? {
          gate: 'validation protocol',
          conclusion: 'missing',
          reason: { kind: 'noEvidence' },
          evidence: [],
          waived: null,
        }
      : {
          gate: 'validation protocol',
          conclusion: 'pass',
          reason: { kind: 'green', names: ['validation protocol'] },
          evidence: [4758],
          waived: null,
        },
    state === 'staged'
      ? {
          gate: 'staging',
          conclusion: 'missing',
          reason: { kind: 'soaking', environment: 'staging', since: hours(-3), until: hours(9) },
          evidence: [],
          waived: null,
        }
      : {
          gate: 'staging',
          conclusion: state === 'collecting' ? 'missing' : 'pass',
          reason:
            state === 'collecting'
              ? { kind: 'notStaged', environment: 'staging' }
              : { kind: 'soaked', environment: 'staging', soakedSeconds: 26 * 3600, neededSeconds: 24 * 3600 },
          evidence: [],
          waived: null,
        },
  ];
}

function signOff(
  who: string,
  role: string,
  verdict: Verdict,
  meaning: Meaning,
  reason: string,
  time: string,
  some: Partial<SignOffRow> = {},
): SignOffRow {
  return {
    entry: 0,
    person: person(who),
    role,
    verdict,
    meaning,
    reason,
    time,
    zone: 'Europe/Zurich',
    state: 'valid',
    cause: null,
    causeEntry: null,
    replaced: false,
    conditions: [],
    authorization: null,
    key: 'SHA256:Jn5SkqD2vXo0pWf7bQyTz1mC8rLhA4gEeNuVxRuCyEs',
    reauth: 'prompt',
    seen: 4764,
    seenBasis: 'full',
    ...some,
  };
}

function station(
  role: string,
  state: StationState,
  signOffRow: SignOffRow | null,
  some: Partial<Station> = {},
): Station {
  return {
    role,
    seat: 1,
    state,
    signOff: signOffRow,
    asked: null,
    eligible: [],
    barred: [],
    me: false,
    due: null,
    overdue: false,
    ...some,
  };
}

/** The stations, each answer with an entry of its own. */
function stationsOf(release: string): Station[] {
  return stations(release).map((one, at) =>
    one.signOff ? { ...one, signOff: { ...one.signOff, entry: 4765 + at } } : one,
  );
}

function stations(release: string): Station[] {
  const row = mustHave(release);
  const pump = row.product === 'infusion-pump-fw';
  if (row.state === 'onHold' && pump) {
    const five = [
      station('security', 'go', signOff('ben', 'security', 'go', 'review', 'scan clean, 1 waiver', hours(-4.4))),
      station(
        'product-owner',
        'go',
        signOff(
          'chiara',
          'product-owner',
          'go',
          'approval',
          'the clinics have asked for this since spring',
          hours(-4.05),
        ),
      ),
      station(
        'safety',
        'go',
        signOff('ewa', 'safety', 'go', 'certification', 'hazard analysis revision 14 covers the change', hours(-3.6)),
      ),
      station('qa', 'waiting', null, {
        asked: person('alice'),
        eligible: [person('alice'), person('ravi')],
        barred: [{ person: person('tomasz'), reason: 'attacher', text: 'attached evidence' }],
        me: true,
        due: hours(3),
      }),
      station(
        'operations',
        'hold',
        signOff('jo', 'operations', 'hold', 'approval', 'Who is on call for the pilot clinics tonight?', hours(-2.75)),
      ),
    ];
    if (!world.manyApprovers) return five;
    return [
      ...five,
      ...Array.from({ length: 35 }, (_, at) =>
        station(
          at % 3 ? 'clinic-lead' : 'regional-safety-officer',
          at % 5 === 0 ? 'waiting' : 'go',
          at % 5 === 0
            ? null
            : signOff('ravi', 'clinic-lead', 'go', 'approval', `clinic ${at + 1} is ready`, hours(-4 + at * 0.05)),
          {
            seat: at + 1,
            eligible: at % 5 === 0 ? [person('ravi'), person('jo')] : [],
          },
        ),
      ),
    ];
  }
  if (row.product === 'payments-api' && row.state === 'ready') {
    const stale = { state: 'stale' as const, cause: 'evidence regression.xml was replaced', causeEntry: 4801 };
    return [
      station('qa', 'stale', signOff('alice', 'qa', 'go', 'approval', 'regression green', days(-1.2), stale), {
        me: true,
        eligible: [person('alice')],
      }),
      station('security', 'stale', signOff('ben', 'security', 'go', 'review', 'no findings', days(-1.1), stale)),
    ];
  }
  if (row.state === 'noGo')
    return [
      station('qa', 'go', signOff('alice', 'qa', 'go', 'approval', 'green', days(-5.5))),
      station(
        'safety',
        'noGo',
        signOff('ewa', 'safety', 'noGo', 'certification', 'the hazard analysis names the old pump model', days(-5.2)),
      ),
    ];
  const roles = pump ? ['security', 'product-owner', 'safety', 'qa', 'operations'] : ['qa', 'security'];
  const who: Record<string, string> = {
    security: 'ben',
    'product-owner': 'chiara',
    safety: 'ewa',
    qa: 'ravi',
    operations: 'jo',
  };
  return roles.map((role, at) =>
    station(role, 'go', signOff(who[role]!, role, 'go', 'approval', 'all gates green', days(-9 + at * 0.1))),
  );
}

function facts(release: string): FactLine[] {
  const row = mustHave(release);
  const [artifact] = artifacts(row.product, row.version);
  const fact = (name: FactLine['name'], value: string, some: Partial<FactLine> = {}): FactLine => ({
    name,
    value,
    digest: null,
    entry: null,
    ...some,
  });
  return [
    fact('release', `${row.product} ${row.version}`),
    fact('changeType', row.changeType),
    fact('artifact', artifact!.name, { digest: artifact!.sha256 }),
    fact('commit', commitOf(release)),
    fact('changes', '34 commits since 4.1.7', { digest: digest(`changes ${release}`) }),
    fact('evidenceManifest', '9 files', { digest: digest(`manifest ${release}`) }),
    fact('evidence', 'regression.xml: 846 passed', { digest: digest('regression.xml4753'), entry: 4753 }),
    fact('waiver', 'static analysis until 4 Dec 2026', { entry: 4760 }),
    fact('policy', 'version 12', { digest: digest(`policy ${row.product}`), entry: 4100 }),
    fact('environment', 'production', { digest: digest(`target ${row.product}`), entry: 4101 }),
    fact('staging', 'delivered 21 Nov 11:02, soaked 26 h', { entry: 4750 }),
    fact('liveNow', '4.1.7', { digest: digest('live') }),
    fact('rollout', 'pilot clinics, region north, the rest, everyone'),
    fact('wayBack', '4.1.7, approved with this sheet', { digest: digest('live') }),
    fact('changeRecord', 'CHG0041877, authorized'),
    fact('asked', 'security, product owner, safety, QA (Alice Moreau), operations'),
    fact('due', hours(3)),
    fact('window', `${hours(4)}/${hours(8)}`),
    fact('validUntil', days(2)),
  ];
}

export function sheet(release: string): SheetView | null {
  const row = mustHave(release);
  if (['draft', 'collecting', 'halted', 'staged', 'withdrawn', 'superseded'].includes(row.state)) return null;
  const stations = stationsOf(release);
  return {
    entry: 4764,
    digest: `a71e09d4${digest(`sheet ${release}`, 52)}52f0`,
    requester: person('jonas'),
    time: hours(-4.9),
    environment: 'production',
    facts: facts(release),
    evidence: summary,
    window: { from: hours(4), until: hours(8) },
    notAfter: days(2),
    due: row.due,
    asked: [
      { role: 'qa', person: person('alice') },
      { role: 'operations', person: null },
    ],
    outcome:
      row.state === 'onHold'
        ? 'hold'
        : row.state === 'noGo'
          ? 'noGo'
          : row.product === 'payments-api' && row.state === 'ready'
            ? 'stale'
            : 'go',
    outcomeBy: row.state === 'onHold' ? person('jo') : row.state === 'noGo' ? person('ewa') : null,
    moved: row.product === 'payments-api' && row.state === 'ready' ? ['evidenceReplaced'] : [],
    authorization: row.product === 'notify' ? 4655 : null,
    atDispatch: ['live', 'reviewed', 'rolledBack', 'rolloutHalted'].includes(row.state),
    stations,
    signOffs: stations.flatMap((one) => (one.signOff ? [one.signOff] : [])),
    signed: stations.filter((one) => one.state === 'go').length,
    needed: stations.length,
    rollback: liveVersion(row.product)?.release ?? null,
  };
}

function candidate(release: string): CandidateView {
  const row = mustHave(release);
  return {
    entry: 4740,
    artifacts: artifacts(row.product, row.version),
    commit: commitOf(release),
    base: commitOf(liveVersion(row.product)?.release ?? 'none'),
    commits: 34,
    tickets: ['PUMP-812', 'PUMP-820', 'PUMP-833'],
    changeType: row.changeType,
    risk: 'Dosing algorithm is untouched. The alarm queue is rewritten; a lost alarm is the hazard, covered by regression suite 7.',
    securityImpact: 'None: no new interface.',
    rolloutPlan: 'Pilot clinics first, on a weekday evening.',
    backoutPlan: 'Flash 4.1.7 from the maintenance partition, 4 minutes a pump.',
    incident: null,
    external: {
      system: 'ServiceNow',
      id: 'CHG0041877',
      state: 'authorized',
      url: 'https://meridian.example/CHG0041877',
    },
  };
}

function blockers(release: string): Blocker[] {
  const row = mustHave(release);
  if (row.state === 'onHold')
    return [
      quorum,
      {
        cause: { kind: 'asksToWait', by: person('jo'), quote: 'Who is on call for the pilot clinics tonight?' },
        acts: [{ kind: 'resume', hold: 4806, question: true }],
        who: [person('jonas')],
        me: true,
      },
    ];
  return row.blocker ? [row.blocker] : [];
}

const act = (name: ReleaseActName, allowed = true, message: string | null = null): ReleaseAct => ({
  act: name,
  allowed,
  refused: allowed ? null : 'refused',
  message,
});

function view(release: string): ReleaseView {
  const row = mustHave(release);
  const before = liveVersion(row.product);
  const running = ['live', 'reviewed', 'rolledBack', 'rolloutHalted', 'rollingOut'].includes(row.state);
  const list = timeline(release);
  return {
    at: now,
    sample: world.sample,
    release,
    product: row.product,
    productTitle: titleOf(row.product),
    version: row.version,
    environment: row.environment,
    state: row.state,
    candidate: candidate(release),
    reason: 'alarms reach the nurse station within two seconds',
    proposer: row.proposer,
    proposed: row.proposed,
    supersedes: null,
    givenUp:
      row.state === 'superseded'
        ? { entry: 4600, by: liveVersion(row.product)?.release ?? null }
        : row.state === 'withdrawn'
          ? { entry: 4600, by: null }
          : null,
    mode: products.find((one) => one.product === row.product)?.mode ?? null,
    policy: { product: row.product, version: 12, entry: 4100, by: person('mduval') },
    live: {
      release: before?.release ?? null,
      version: before?.version ?? null,
      commit: before ? commitOf(before.release) : null,
      artifacts: before ? artifacts(before.product, before.version) : [],
      thisRelease: before?.release === release,
      listBeginsAtLive: true,
    },
    gates: gates(release),
    holds:
      row.state === 'onHold'
        ? [
            {
              entry: 4806,
              kind: 'hold',
              question: 'Who is on call for the pilot clinics tonight?',
              by: person('jo'),
              time: hours(-2.75),
              reason: 'the roster of the weekend is not published',
              resumed: null,
              answer: null,
            },
          ]
        : [],
    sheet: sheet(release),
    earlierSheets: row.state === 'onHold' ? [{ entry: 4742, time: days(-1.5), answers: 2 }] : [],
    waivers: [
      {
        entry: 4760,
        gate: 'static analysis',
        by: person('mduval'),
        owner: person('ben'),
        expires: days(12),
        reason: 'the rule is wrong about the generated parser',
        inForce: true,
      },
    ],
    blockers: blockers(release),
    freezes: freezes.filter((one) => one.status === 'inForce' && one.product === row.product),
    primary:
      row.state === 'onHold'
        ? { act: 'sign', role: 'qa', wave: null }
        : row.state === 'ready'
          ? { act: 'request', role: null, wave: null }
          : row.state === 'rolloutHalted'
            ? { act: 'rollback', role: null, wave: null }
            : row.state === 'live'
              ? { act: 'close', role: null, wave: null }
              : row.state === 'halted' || row.state === 'noGo'
                ? { act: 'amend', role: null, wave: null }
                : row.state === 'collecting'
                  ? { act: 'attachEvidence', role: null, wave: null }
                  : null,
    acts: [
      act('sign', row.state === 'onHold'),
      act('request', row.state === 'ready' || row.state === 'onHold'),
      act('hold', !running),
      act('halt', row.state === 'rollingOut', 'no rollout is running'),
      act('amend', !running),
      act('withdraw', !running),
      act('waive', !running),
      act('attachEvidence', !running),
      act('observeEvidence', !running),
      act('dispatch', false, 'QA has not signed'),
      act('rollback', row.state === 'rolloutHalted' || row.state === 'live'),
      act('close', row.state === 'live'),
    ],
    rollout: waves(row),
    today: list.filter((one) => Date.parse(one.time) > Date.parse(now) - 14 * 3_600_000),
    counts: { evidence: files(release).length, changes: 34, timeline: list.length, dispatches: running ? 3 : 0 },
    outcome:
      row.state === 'reviewed'
        ? { entry: 4500, result: 'as planned; no incident in two weeks', by: person('jonas'), time: days(-3) }
        : null,
    review: row.state === 'live' && world.emergency ? { due: days(-1), overdue: true, reviewed: null } : null,
  };
}

export function timelineRow(
  index: number,
  time: string,
  actor: string,
  event: TimelineEvent,
  some: Partial<TimelineRow> = {},
): TimelineRow {
  return {
    index,
    time,
    zone: 'Europe/Zurich',
    clockSuspect: false,
    actor: person(actor),
    device: false,
    event,
    reason: null,
    release: 'infusion-pump-fw-4.2.0',
    admitted: true,
    ...some,
  };
}

export function timeline(release: string): TimelineRow[] {
  const row = mustHave(release);
  const device = { device: true, actor: { principal: 'desk-jonas', name: 'meridian-desk-02' } };
  const list: TimelineRow[] = [
    timelineRow(
      4741,
      days(-2),
      row.proposer.principal,
      { kind: 'proposed', version: row.version, authorization: null },
      { reason: 'alarms reach the nurse station within two seconds' },
    ),
    ...files(release)
      .filter((file) => file.entry < 4790)
      .map((file) =>
        timelineRow(
          file.entry,
          file.time,
          'tomasz',
          {
            kind: 'evidence',
            name: file.name,
            evidence: file.kind,
            conclusion: file.conclusion,
            attached: file.origin.kind === 'attached',
            replaces: file.replaces,
          },
          file.origin.kind === 'attached' ? {} : device,
        ),
      ),
    timelineRow(
      4760,
      hours(-29),
      'mduval',
      { kind: 'waived', gate: 'static analysis', expires: days(12) },
      { reason: 'the rule is wrong about the generated parser' },
    ),
    timelineRow(4761, hours(-28), 'jonas', { kind: 'staged', environment: 'staging', version: row.version }, device),
    timelineRow(
      4764,
      hours(-4.9),
      'jonas',
      { kind: 'requested', environment: 'production', due: hours(3) },
      { reason: 'window of tonight' },
    ),
    ...(sheet(release)?.signOffs ?? []).map((one) =>
      timelineRow(
        one.entry,
        one.time,
        one.person.principal,
        { kind: 'answered', verdict: one.verdict, role: one.role, meaning: one.meaning, authorization: null },
        { reason: one.reason },
      ),
    ),
  ];
  if (row.state === 'onHold')
    list.push(
      timelineRow(
        4806,
        minutes(-31),
        'jo',
        { kind: 'held', question: 'Who is on call for the pilot clinics tonight?' },
        { reason: 'the roster of the weekend is not published' },
      ),
      timelineRow(
        4791,
        hours(-1.2),
        'ravi',
        {
          kind: 'refused',
          act: 'approval',
          code: 'segregation-failed',
          message: 'Ravi Nair attached evidence to this release',
          person: person('ravi'),
        },
        device,
      ),
      timelineRow(
        4799,
        minutes(-42),
        'jonas',
        { kind: 'evidence', name: 'load.xml', evidence: 'junit', conclusion: 'pass', attached: false, replaces: null },
        device,
      ),
    );
  return list.map((one) => ({ ...one, release })).sort((a, b) => b.index - a.index);
}

const suites = ['AlarmQueue', 'DoseLimits', 'NurseStation', 'PumpDriver', 'Battery', 'AuditLog'];
function items(file: EvidenceFile): EvidenceItem[] {
  const next = drawn(file.entry);
  if (file.counts.kind === 'tests') {
    const { failed, skipped, flaky } = file.counts;
    return Array.from({ length: file.counts.total }, (_, at) => {
      const suite = suites[Math.floor(next() * suites.length)]!;
      const level =
        at < failed ? 'failed' : at < failed + flaky ? 'flaky' : at < failed + flaky + skipped ? 'skipped' : 'none';
      return {
        name: `${suite} › case ${at + 1}: ${['keeps order', 'refuses overflow', 'survives a restart', 'is heard within two seconds'][at % 4]}`,
        location: `tests/${suite.toLowerCase()}_test.c:${40 + (at % 300)}`,
        level,
        message:
          level === 'failed'
            ? 'expected 2000 ms at most, waited 2184 ms\n  at nurse_station_test.c:118\n  at run_case (harness.c:60)'
            : level === 'skipped'
              ? 'needs the bench pump'
              : level === 'flaky'
                ? 'passed at the second attempt'
                : null,
      };
    });
  }
  if (file.counts.kind === 'findings')
    return Array.from({ length: file.counts.note + file.counts.suppressed }, (_, at) => ({
      name: `C-${2000 + at}: implicit conversion of a signed value`,
      location: `src/alarm/queue.c:${80 + at * 7}`,
      level:
        at < (file.counts.kind === 'findings' ? file.counts.suppressed : 0)
          ? ('suppressed' as const)
          : ('note' as const),
      message: 'The value may change sign on a 16 bit target.',
    }));
  return [];
}

const subjects = [
  'Alarm queue: bounded, oldest never dropped',
  'Nurse station: acknowledge by pump id',
  'Battery: report the cell that is low',
  'Regression suite 7 covers the alarm path',
  'Driver: no busy wait while flashing',
  'Log: keep the order of two alarms in one tick',
];

export const release = {
  release: ({ release: id }) => view(id),
  quorum: ({ release: id, absent, with: by }) => quorumOf(id, absent, by?.role),
  evidence: ({ release: id }) => {
    mustHave(id);
    return { gates: world.empty ? [] : gates(id), files: world.empty ? [] : files(id), summary };
  },
  evidenceItems: ({ entry, text, levels, page }) => {
    const file = [...files('infusion-pump-fw-4.2.0'), ...files('payments-api-2.31.2')].find(
      (one) => one.entry === entry,
    );
    if (!file) throw new Refused(appError('not_found', `entry ${entry} is no evidence`));
    const all = items(file);
    const fits = all.filter(
      (one) => !text || `${one.name} ${one.message ?? ''}`.toLowerCase().includes(text.toLowerCase()),
    );
    const rows = fits.filter((one) => !levels.length || levels.includes(one.level));
    const named = [...new Set(fits.map((one) => one.level))];
    return {
      entry,
      total: rows.length,
      rows: rows.slice(page.offset, page.offset + page.limit),
      levels: named.map((level) => ({ level, count: fits.filter((one) => one.level === level).length })),
      notes: file.entry === 4752 ? ['3 cases passed only when they were run again'] : [],
      doubtful: false,
    };
  },
  inspectEvidence: () => ({
    name: 'regression.xml',
    kind: 'junit',
    conclusion: 'pass',
    counts: tests(846),
    digest: digest('regression.xml4753'),
    commit: commitOf('infusion-pump-fw-4.2.0'),
    items: [],
    notes: [],
  }),
  changes: ({ release: id, text, page }) => {
    const row = mustHave(id);
    const next = drawn(41);
    const authors: readonly (readonly [string, string, string | null])[] = [
      ['Tomasz Zieliński', 'tomasz@meridian.example', 'tomasz'],
      ['Hana Sato', 'hana@meridian.example', null],
      ['Marco Brandt', 'marco@meridian.example', null],
    ];
    const rows = Array.from({ length: 34 }, (_, at) => {
      const author = authors[Math.floor(next() * 3)]!;
      return {
        commit: digest(`${id} ${at}`, 40),
        subject: subjects[at % subjects.length]!,
        author: author[0],
        authorEmail: author[1],
        coAuthors: at % 9 === 0 ? ['Ravi Nair <ravi@meridian.example>'] : [],
        time: hours(-50 - at * 5),
        tickets: at % 3 === 0 ? [`PUMP-${812 + at}`] : [],
        merge: at % 11 === 0,
      };
    }).filter(
      (one) =>
        !text || `${one.subject} ${one.author} ${one.tickets.join(' ')}`.toLowerCase().includes(text.toLowerCase()),
    );
    return {
      digest: digest(`changes ${id}`),
      repository: 'ssh://git.meridian.example/pump-fw.git',
      base: commitOf(liveVersion(row.product)?.release ?? 'none'),
      head: commitOf(id),
      baseIsLive: true,
      files: 61,
      insertions: 2140,
      deletions: 877,
      binaryFiles: 2,
      tickets: [
        { ticket: 'PUMP-812', commits: 11 },
        { ticket: 'PUMP-815', commits: 6 },
        { ticket: 'PUMP-833', commits: 4 },
      ],
      authors: authors.map(([name, email, principal], at) => ({
        name,
        email,
        commits: 16 - at * 4,
        person: principal ? person(principal) : null,
      })),
      total: rows.length,
      rows: rows.slice(page.offset, page.offset + page.limit),
      againstLive: [
        { name: 'artifact', before: 'pump-fw-4.1.7.bin', after: 'pump-fw-4.2.0.bin' },
        { name: 'commit', before: commitOf('infusion-pump-fw-4.1.7'), after: commitOf(id) },
        { name: 'policy', before: 'version 11', after: 'version 12' },
        { name: 'waiver', before: null, after: 'static analysis until 4 Dec 2026' },
      ],
    };
  },
  timeline: ({ release: id, page }) => {
    const all = timeline(id);
    return { total: all.length, rows: all.slice(page.offset, page.offset + page.limit) };
  },
  hold: () => ({ entry: 4813, leaf: digest('leaf4813'), time: now }),
  halt: () => ({ entry: 4813, leaf: digest('leaf4813'), time: now }),
} satisfies Partial<Handlers>;
