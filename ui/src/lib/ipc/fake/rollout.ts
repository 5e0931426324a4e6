/** Rollouts: what runs, its journal, its samples, its log. */
import type { DispatchRow, DispatchState, Enforcement, HealthSample, RolloutRow } from '../bindings';
import { startJob } from './desk';
import type { Handlers } from './handlers';
import { person } from './people';
import { mustHave } from './release';
import { artifacts, digest, liveVersion, releases } from './sample';
import { waves } from './waves';
import { hours, minutes, now, world } from './world';

export const enforcement: Enforcement = {
  tier: 'b',
  measured: hours(-30),
  waysAround: ['manualTrigger', 'pipelineEditable'],
};

function steps(states: readonly DispatchState[], from: number): DispatchRow['steps'] {
  return states.map((state, at) => ({ state, entry: 4770 + at, time: hours(from + at * 0.01) }));
}

function journal(release: string): DispatchRow[] {
  const row = mustHave(release);
  const base = {
    environment: 'production',
    kind: 'deploy' as const,
    by: person('jonas'),
    device: 'meridian-desk-02',
    resends: null,
    hasLog: true,
    detail: null,
  };
  const done: readonly DispatchState[] = ['prepared', 'sending', 'accepted', 'bound', 'finished'];
  if (row.state === 'rolloutHalted')
    return [
      {
        ...base,
        entry: 4781,
        requestId: '01JD8YQ3K2W5H7M9',
        wave: 1,
        state: 'finished',
        steps: steps(done, -2.2),
        conclusion: 'success',
        run: { id: 'portal-release/412', url: 'https://ci.meridian.example/#/builders/4/builds/412' },
      },
      {
        ...base,
        entry: 4779,
        requestId: '01JD8YPX9T4B6N1C',
        wave: 1,
        state: 'fateUnknown',
        steps: steps(['prepared', 'sending', 'fateUnknown'], -2.4),
        conclusion: null,
        detail: 'the connection closed before an answer came',
        run: null,
        hasLog: false,
      },
    ];
  if (['live', 'reviewed', 'rolledBack'].includes(row.state))
    return [1, 2, 3, 4].slice(0, row.state === 'rolledBack' ? 1 : 4).map((wave) => ({
      ...base,
      entry: 4700 + wave,
      requestId: `01JD8${digest(release + wave, 11).toUpperCase()}`,
      wave,
      state: 'finished' as const,
      steps: steps(done, -60 + wave * 10),
      conclusion: 'success' as const,
      run: { id: `${row.product}/${390 + wave}`, url: null },
    }));
  return [];
}

function samples(): HealthSample[] {
  return Array.from({ length: 88 }, (_, at) => ({
    time: minutes(-126 + at * 1.2),
    asked: 6,
    wrong: at === 40 || at === 41 ? ['https://portal-03.clinic.example/health'] : [],
  }));
}

const rolloutRow = (release: string, wave: number, some: Partial<RolloutRow> = {}): RolloutRow => {
  const row = mustHave(release);
  return {
    release,
    product: row.product,
    version: row.version,
    environment: 'production',
    state: row.state,
    wave,
    waves: 4,
    segment: waves(row)[Math.max(0, wave - 1)]!.segment,
    baking: null,
    trouble: null,
    began: hours(-2.2),
    ended: null,
    ...some,
  };
};

const logText = [
  'Starting the release pipeline for patient-portal 9.0.4',
  '\u001b[1mgate\u001b[0m checking the attestation',
  '  sheet 3f1a 77c2 … 90be: 2 of 2 signatures hold',
  '  claim (sheet, production, wave 1): free, taken',
  '\u001b[32mgate passed\u001b[0m',
  'fetching artifact sha256:8a41…',
  'digest is the signed one',
  'portal-01: stopping 9.0.3',
  'portal-01: starting 9.0.4',
  'portal-01: \u001b[32mhealthy\u001b[0m, answers 9.0.4',
];

function line(number: number): string {
  if (number < logText.length) return logText[number]!;
  const instance = `portal-0${1 + (number % 6)}`;
  if (number % 211 === 7) return `${instance}: \u001b[33mslow answer, 1840 ms\u001b[0m`;
  if (number % 997 === 11) return `${instance}: \u001b[31mconnection refused\u001b[0m, asked again`;
  return `${instance}: health ok (${12 + ((number * 7) % 40)} ms)`;
}

export const rollout = {
  rollouts: () => ({
    at: now,
    running: world.empty
      ? []
      : [rolloutRow('patient-portal-9.0.4', 1, { trouble: 'error rate inconclusive for 20 min' })],
    recent: world.empty
      ? []
      : [
          rolloutRow('notify-3.7.12', 4, { ended: minutes(-2), began: minutes(-13) }),
          ...releases
            .filter((one) => ['live', 'reviewed', 'rolledBack'].includes(one.state) && one.product !== 'notify')
            .slice(0, 14)
            .map((one, at) =>
              rolloutRow(one.release, one.state === 'rolledBack' ? 1 : 4, {
                began: hours(-60 - at * 40),
                ended: hours(-20 - at * 40),
              }),
            ),
        ],
  }),
  rollout: ({ release }) => {
    const row = mustHave(release);
    const before = liveVersion(row.product);
    const halted = row.state === 'rolloutHalted';
    return {
      at: now,
      release,
      state: row.state,
      environment: 'production',
      window: { from: hours(-4), until: hours(4) },
      waves: waves(row),
      dispatches: journal(release),
      baking: world.baking ? { since: hours(-1), until: hours(1), samples: 50, failed: 1 } : null,
      samples: halted || world.baking ? samples() : [],
      wayBack: before
        ? {
            release: before.release,
            version: before.version,
            commit: digest(`commit ${before.release}`, 40),
            artifacts: artifacts(before.product, before.version),
            thisRelease: false,
            listBeginsAtLive: true,
          }
        : null,
      rollbackRule: 'offer',
      dispatchRule: 'byReleaseManager',
      enforcement,
      job: null,
      acts: [
        { act: 'halt', allowed: !halted && row.state === 'rollingOut', refused: null, message: null },
        { act: 'rollback', allowed: halted || row.state === 'live', refused: null, message: null },
        { act: 'resume', allowed: halted, refused: null, message: null },
        { act: 'waveVerdict', allowed: halted, refused: null, message: null },
        { act: 'reconcile', allowed: halted, refused: null, message: null },
        { act: 'dispatch', allowed: false, refused: 'not-signed', message: 'QA has not signed' },
      ],
    };
  },
  rolloutLog: ({ fromLine, limit }) => {
    const total = world.longLog ? 10_000 : 420;
    const first = Math.max(0, Math.min(fromLine, total));
    const count = Math.max(0, Math.min(limit, total - first, 1_000));
    return {
      fromLine: first,
      total,
      dropped: 0,
      live: false,
      lines: Array.from({ length: count }, (_, at) => ({
        number: first + at,
        step: first + at < 5 ? 'gate' : 'deploy',
        text: line(first + at),
      })),
    };
  },
  reconcile: ({ release }) =>
    startJob(
      'reconcile',
      { kind: 'dispatched', result: 'refused', detail: 'no run carries this request id' },
      { release, step: 'looking', of: 20 },
    ),
  observeEvidence: ({ release }) =>
    startJob(
      'observeEvidence',
      { kind: 'observed', entry: 4814, conclusion: 'pass' },
      { release, step: 'reading', of: 3 },
    ),
} satisfies Partial<Handlers>;
