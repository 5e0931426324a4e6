/**
 * Every state word of the field, once: its shape, its tone and the key of its word. A state the table does not know is
 * shown as unknown and never as good.
 */
import type { IconName } from '../components/icons';

export type Tone = 'go' | 'nogo' | 'hold' | 'stale' | 'wait' | 'accent' | 'plain';

type Look = { readonly icon: IconName; readonly tone: Tone };

const look = (icon: IconName, tone: Tone): Look => ({ icon, tone });

export const states = {
  // verdicts
  go: look('check', 'go'),
  noGo: look('cross', 'nogo'),
  hold: look('pause', 'hold'),
  conditionalGo: look('check-list', 'hold'),
  waiting: look('clock', 'wait'),
  recused: look('minus', 'wait'),
  // sign-offs
  valid: look('check', 'go'),
  incomplete: look('clock', 'wait'),
  stale: look('refresh', 'stale'),
  expired: look('hourglass', 'stale'),
  signerLostRole: look('person-off', 'stale'),
  keyRevoked: look('key-off', 'nogo'),
  segregationFailed: look('people-off', 'nogo'),
  invalid: look('cross', 'nogo'),
  // releases
  draft: look('pen', 'wait'),
  collecting: look('inbox', 'wait'),
  halted: look('cross', 'nogo'),
  staged: look('layers', 'accent'),
  ready: look('flag', 'accent'),
  onHold: look('pause', 'hold'),
  authorized: look('check', 'go'),
  dispatching: look('send', 'accent'),
  rollingOut: look('wave', 'accent'),
  rolloutHalted: look('cross', 'nogo'),
  live: look('check', 'go'),
  rolledBack: look('undo', 'stale'),
  reviewed: look('book', 'wait'),
  superseded: look('arrow-up', 'wait'),
  withdrawn: look('minus', 'wait'),
  // checks
  pass: look('check', 'go'),
  fail: look('cross', 'nogo'),
  inconclusive: look('question', 'hold'),
  missing: look('dashed', 'wait'),
  waived: look('ticket', 'stale'),
  // runs and dispatches
  prepared: look('clock', 'wait'),
  sending: look('send', 'accent'),
  accepted: look('arrow-right', 'accent'),
  refused: look('cross', 'nogo'),
  fateUnknown: look('question', 'hold'),
  bound: look('link', 'accent'),
  watching: look('eye', 'accent'),
  finished: look('check', 'go'),
  queued: look('clock', 'wait'),
  running: look('play', 'accent'),
  baking: look('hourglass', 'accent'),
  succeeded: look('check', 'go'),
  failed: look('cross', 'nogo'),
  cancelled: look('minus', 'wait'),
  // standing things
  active: look('check', 'go'),
  suspended: look('pause', 'hold'),
  revoked: look('key-off', 'nogo'),
  lost: look('question', 'nogo'),
  pending: look('clock', 'wait'),
  frozen: look('snow', 'hold'),
  locked: look('lock', 'wait'),
  verified: look('seal', 'go'),
  verifying: look('refresh', 'accent'),
  unknown: look('question', 'hold'),
} satisfies Record<string, Look>;

export type State = keyof typeof states;

/** The state a wire word names, whatever its spelling (`no_go`, `NO-GO`, `NoGo`); `unknown` where there is none. */
export function stateOf(word: string | null | undefined): State {
  if (!word) return 'unknown';
  const parts = word.split(/[^A-Za-z0-9]+|(?<=[a-z0-9])(?=[A-Z])/).filter(Boolean);
  const camel = parts
    .map((part, at) => (at === 0 ? part.toLowerCase() : part[0]!.toUpperCase() + part.slice(1).toLowerCase()))
    .join('');
  return Object.hasOwn(states, camel) ? (camel as State) : 'unknown';
}
