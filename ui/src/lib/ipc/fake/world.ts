/** What the fake remembers, and the switches by which a test or a picture puts it into a state. */
import type { CommandName, EventName, EventPayload } from '../backend';
import type { AppError, Intent, Safe, Session, SessionMode, Settings } from '../bindings';

export const now = '2026-11-22T13:05:00Z';
export const minutes = (count: number): string =>
  new Date(Date.parse(now) + count * 60_000).toISOString().replace('.000Z', 'Z');
export const hours = (count: number): string => minutes(count * 60);
export const days = (count: number): string => minutes(count * 1440);

export class Refused extends Error {
  constructor(readonly error: AppError) {
    super(error.message);
  }
}

export function appError(code: string, message: string, some: Partial<AppError> = {}): AppError {
  return {
    kind: 'no',
    code,
    message,
    hint: null,
    safe: 'ledgerUnchanged' satisfies Safe,
    detail: null,
    field: null,
    retryable: false,
    retryAt: null,
    correlationId: '01JD8Z0000FAKE',
    ...some,
  };
}

export const settings: Settings = {
  theme: 'light',
  density: 'comfortable',
  language: 'english',
  locale: 'en-GB',
  zone: 'local',
  zoneName: null,
  lockMinutes: 15,
  singleKeys: true,
  zoom: 100,
  reducedMotion: false,
  notifyAsked: true,
  notifyDue: true,
  notifyRollout: true,
  quietFrom: null,
  quietUntil: null,
  remindMinutes: 120,
  closeToTray: true,
  softwareRendering: false,
  awayUntil: null,
  hideWelcome: false,
};

const beginning = () => ({
  mode: 'open' as SessionMode,
  me: 'alice',
  locked: false,
  sample: true,
  settings: { ...settings },
  sessionTrouble: null as AppError | null,
  findings: 0,
  jobs: [] as Session['jobs'],
  /** Every command in the order it was asked, for tests. */
  asked: [] as { name: CommandName; request: unknown }[],
  trouble: { wait: 0, failing: {} as Partial<Record<CommandName, AppError>> },
  /** 500 files of evidence; 40 approvers; 10,000 lines of log. */
  manyFiles: false,
  manyApprovers: false,
  longLog: false,
  /** A wave bakes. */
  baking: false,
  /** What is prepared for the signing window. */
  prepared: null as Intent | null,
  /** The ledger moves while the signing window is open; something changed since the last answer. */
  moved: false,
  changedSince: false,
  /** A sheet newer than the sample's is frozen. */
  frozenAgain: false,
  /** The sheet of a carried request has run out. */
  ranOut: false,
  /** The ledger is being recovered. */
  recovering: false,
  /** An emergency change waits for its review. */
  emergency: false,
  /** What the clipboard holds. */
  clipboard: '',
  /** Whether the system dialog is answered. */
  pick: 'something' as 'something' | 'nothing',
  /** Milliseconds between the steps of a long act. */
  jobTick: 200,
  /** Empty lists everywhere, for empty states. */
  empty: false,
});

type World = ReturnType<typeof beginning> & {
  emit: <N extends EventName>(name: N, payload: EventPayload<N>) => void;
  reset: () => void;
};

export const world: World = {
  ...beginning(),
  emit: () => undefined,
  reset() {
    Object.assign(world, beginning());
  },
};
