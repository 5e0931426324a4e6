/** What waits for a second person, the table of permissions, and who can complete a sign-off. */
import type { PermissionRow, QuorumView, WaitingRow } from '../bindings';
import { person } from './people';
import { digest } from './sample';
import { appError, Refused, world } from './world';

export const waitingRows = (): WaitingRow[] => [
  {
    entry: 4803,
    kind: 'role',
    person: person('tomasz'),
    role: 'qa',
    product: 'infusion-pump-fw',
    key: null,
    by: [person('mduval')],
    canConfirm: [person('alice'), person('jonas')],
    me: world.me === 'alice' || world.me === 'jonas',
  },
  {
    entry: 4802,
    kind: 'identity',
    person: { principal: 'hana', name: 'Hana Sato' },
    role: null,
    product: null,
    key: `SHA256:${digest('keyhana', 43)}`,
    by: [person('mduval')],
    canConfirm: [person('alice'), person('ben'), person('jonas')],
    me: world.me !== 'mduval',
  },
];

const owner = ['process-owner'];
const manager = ['release-manager'];
const both = [...owner, ...manager];
const every = [...both, 'practitioner', 'emergency-authority', 'auditor'];
const may: Record<PermissionRow['deed'], readonly string[] | 'asked' | 'every'> = {
  enrol: owner,
  enrolDevice: owner,
  revokeDevice: owner,
  endKey: owner,
  grantRole: owner,
  lapseRole: owner,
  product: owner,
  target: both,
  policy: owner,
  grantAuthorization: owner,
  suspend: 'every',
  resumeAuthorization: owner,
  declareFreeze: both,
  liftFreeze: both,
  propose: [...manager, 'practitioner'],
  attach: 'every',
  waive: 'asked',
  request: manager,
  meeting: manager,
  answer: 'asked',
  confirm: 'every',
  stop: 'every',
  resume: manager,
  dispatch: manager,
  deliver: 'every',
  wave: manager,
  outcome: both,
  correct: 'every',
  remove: both,
  late: 'every',
  review: [...owner, 'auditor'],
  export: 'every',
};
export const permissions: PermissionRow[] = Object.entries(may).map(([deed, who]) => ({
  deed: deed as PermissionRow['deed'],
  roles: who === 'every' ? every : who === 'asked' ? [] : [...who],
  asked: who === 'every' || who === 'asked',
}));

/** As the sample stands: QA and Operations are missing, and only Jo holds Operations. */
export function quorumOf(release: string, absent: readonly string[], withRole: string | undefined): QuorumView {
  if (release.startsWith('nothing')) throw new Refused(appError('not_found', `there is no release ${release}`));
  const missing = ['qa', 'operations'].filter((role) => role !== withRole).map((role) => ({ role, count: 1 }));
  const qa = ['alice', 'ravi'].find((one) => !absent.includes(one));
  const operations = absent.includes('jo') ? undefined : 'jo';
  const seats = [
    ...(qa && withRole !== 'qa' ? [{ person: person(qa), role: 'qa' }] : []),
    ...(operations && withRole !== 'operations' ? [{ person: person(operations), role: 'operations' }] : []),
  ];
  const nobodyFor = missing.filter(({ role }) => !seats.some((seat) => seat.role === role));
  return {
    missing,
    fewest: seats,
    nobodyFor,
    notWithout: nobodyFor.length ? [] : seats.filter((seat) => seat.role === 'operations').map((seat) => seat.person),
  };
}
