import type { State } from '../design/states';
import type { WaveState } from '../ipc';

/** How a wave that has begun is shown, as one of the states of the design. */
export const waveState: Record<Exclude<WaveState, 'planned'>, State> = {
  sending: 'sending',
  running: 'running',
  baking: 'baking',
  passed: 'pass',
  failed: 'failed',
  inconclusive: 'inconclusive',
  fateUnknown: 'fateUnknown',
  takenBack: 'rolledBack',
};
