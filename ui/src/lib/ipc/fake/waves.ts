/** The waves of a rollout, by the state of its release. */
import type { ReleaseRow, WaveRow } from '../bindings';
import { hours } from './world';

const plan = [
  { segment: 'pilot clinics', instances: 6, sharePercent: 5, bakeSeconds: 7_200 },
  { segment: 'region north', instances: 24, sharePercent: 25, bakeSeconds: 86_400 },
  { segment: 'regions south and west', instances: 42, sharePercent: 60, bakeSeconds: 86_400 },
  { segment: 'everyone', instances: 48, sharePercent: 100, bakeSeconds: 0 },
];

export function waves(row: ReleaseRow): WaveRow[] {
  const all = ['live', 'reviewed'].includes(row.state);
  return plan.map((one, at) => {
    const wave: WaveRow = {
      wave: at + 1,
      ...one,
      state: all ? 'passed' : 'planned',
      verdict: all ? 'pass' : null,
      detail: null,
      samples: all ? 120 : null,
      failed: all ? 0 : null,
      coveragePercent: all ? 99 : null,
      span: all ? { from: hours(-60 + at * 10), until: hours(-52 + at * 10) } : null,
      entry: all ? 4700 + at : null,
    };
    if (row.state === 'rolloutHalted' && at === 0)
      return {
        ...wave,
        state: 'inconclusive',
        verdict: 'inconclusive',
        detail: 'no samples for 20 min of 120',
        samples: 88,
        failed: 2,
        coveragePercent: 83,
        span: { from: hours(-2.1), until: hours(-0.1) },
        entry: 4788,
      };
    if (row.state === 'rolledBack' && at === 0)
      return {
        ...wave,
        state: 'takenBack',
        verdict: 'fail',
        detail: '4 of 6 instances unhealthy',
        samples: 30,
        failed: 14,
        coveragePercent: 97,
        span: { from: hours(-40), until: hours(-39) },
        entry: 4400,
      };
    return wave;
  });
}
