/** The ledger itself: entries, verification, exports. */
import type { EntryView, JobOutcome, TimelineEvent, TimelineRow, VerifyResult } from '../bindings';
import { startJob } from './desk';
import type { Handlers } from './handlers';
import { person, personas } from './people';
import { timeline, timelineRow } from './release';
import { digest, drawn, releases } from './sample';
import { appError, now, Refused, world } from './world';

const size = 4812;
const root = 'b3f1Jm0yZ2x3n0QkT8cVw5hE1aYp7uLrD4sNfGqXoKM=';

const actOf = (event: TimelineEvent): string =>
  (
    ({
      genesis: 'genesis',
      enrolled: 'enrol',
      accepted: 'enrol-accept',
      roleGranted: 'role',
      policySet: 'policy',
      proposed: 'propose',
      evidence: 'evidence',
      requested: 'request',
      answered: 'approval',
      held: 'hold',
      dispatch: 'dispatch',
      run: 'run',
      wave: 'wave',
      refused: 'refusal',
      freezeDeclared: 'freeze',
      waived: 'waiver',
      staged: 'stage',
    }) as Partial<Record<TimelineEvent['kind'], string>>
  )[event.kind] ?? event.kind;

/** The rows between two of the sample's own lie between them in time too. */
function keepOrder(rows: TimelineRow[]): void {
  const own = [{ index: 4_740, time: rows[4_740]!.time }, ...timeline('infusion-pump-fw-4.2.0').reverse()];
  own.push({ ...own.at(-1)!, index: rows.length, time: now });
  for (const [at, from] of own.slice(0, -1).entries()) {
    const until = own[at + 1]!;
    const step = (Date.parse(until.time) - Date.parse(from.time)) / (until.index - from.index);
    for (let index = from.index + 1; index < until.index; index += 1)
      rows[index] = {
        ...rows[index]!,
        time: new Date(Date.parse(from.time) + step * (index - from.index)).toISOString().replace(/\.\d+Z/, 'Z'),
      };
  }
}

let made: TimelineRow[] | undefined;
function entries(): TimelineRow[] {
  if (made) return made;
  const next = drawn(99);
  const rows: TimelineRow[] = [];
  const start = Date.parse(now) - 260 * 86_400_000;
  const setUp: TimelineEvent[] = [
    { kind: 'genesis', title: 'Meridian Medical' },
    ...personas.slice(1).flatMap((one): TimelineEvent[] => [
      { kind: 'enrolled', person: person(one.principal) },
      { kind: 'accepted' },
      {
        kind: 'roleGranted',
        person: person(one.principal),
        role: one.roles[0]!,
        product: null,
        until: null,
        change: 'grant',
      },
    ]),
  ];
  for (let index = 0; index < size; index += 1) {
    const late = Math.max(0, index - 4_740);
    const time = new Date(
      late ? Date.parse(now) - 48 * 3_600_000 * (1 - late / 72) : start + (index / 4_740) * 257 * 86_400_000,
    )
      .toISOString()
      .replace(/\.\d+Z/, 'Z');
    const release = releases[(index * 7) % releases.length]!;
    const kinds: TimelineEvent[] = [
      {
        kind: 'evidence',
        name: 'unit.xml',
        evidence: 'junit',
        conclusion: next() < 0.06 ? 'fail' : 'pass',
        attached: false,
        replaces: null,
      },
      {
        kind: 'answered',
        verdict: next() < 0.08 ? 'hold' : 'go',
        role: 'qa',
        meaning: 'approval',
        authorization: null,
      },
      { kind: 'proposed', version: release.version, authorization: null },
      { kind: 'requested', environment: 'production', due: null },
      {
        kind: 'dispatch',
        dispatch: 'deploy',
        state: 'finished',
        environment: 'production',
        wave: 1 + (index % 4),
        requestId: `01JD${digest(String(index), 10).toUpperCase()}`,
        conclusion: 'success',
        detail: null,
      },
      { kind: 'wave', wave: 1 + (index % 4), verdict: 'pass', detail: '120 of 120 samples healthy' },
      {
        kind: 'refused',
        act: 'approval',
        code: 'segregation-failed',
        message: 'who asks for a decision does not answer it',
        person: person('jonas'),
      },
    ];
    const event = index < setUp.length ? setUp[index]! : kinds[Math.floor(next() ** 1.6 * kinds.length)]!;
    const who = personas[Math.floor(next() * personas.length)]!;
    const device = ['evidence', 'dispatch', 'run', 'wave'].includes(event.kind);
    rows.push(
      timelineRow(index, time, index < setUp.length ? 'mduval' : who.principal, event, {
        release: index < setUp.length ? null : release.release,
        device,
        actor: device
          ? { principal: 'desk-jonas', name: 'meridian-desk-02' }
          : person(index < setUp.length ? 'mduval' : who.principal),
        reason: device ? null : 'as agreed in the board',
        clockSuspect: index === 3120,
        admitted: index !== 3121,
      }),
    );
  }
  for (const row of timeline('infusion-pump-fw-4.2.0')) rows[row.index] = row;
  keepOrder(rows);
  made = rows;
  return rows;
}

const broken: VerifyResult = {
  verdict: 'invalid',
  entries: size,
  root,
  firstBad: 4711,
  findings: [
    { index: 4711, code: 'malformed', message: 'the signature does not match the entry', worst: 'invalid' },
    { index: 4733, code: 'seen_mismatch', message: 'the signer names a head this ledger never had', worst: 'invalid' },
    {
      index: null,
      code: 'checkpoint',
      message: 'the root of all entries is not the one of the checkpoint',
      worst: 'invalid',
    },
  ],
  tookMillis: 3120,
};
const sound: VerifyResult = { verdict: 'valid', entries: size, root, firstBad: null, findings: [], tookMillis: 2980 };

function entryView(index: number): EntryView {
  const row = entries()[index];
  if (!row)
    throw new Refused(
      appError('not_found', `there is no entry ${index}`, { hint: `the ledger has entries 0 to ${size - 1}` }),
    );
  const act = actOf(row.event);
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    predicate: {
      act,
      reason: row.reason,
      rules: 1,
      seen: { root: digest(`seen${index}`), size: index },
      signer: row.actor.principal,
      time: row.time,
      zone: row.zone,
      ...row.event,
    },
    predicateType: `https://countersign.example/${act}/v1`,
    subject: [{ digest: { sha256: digest(`subject${index}`) }, name: row.release ?? 'ledger' }],
  };
  const bad = world.mode === 'damaged' && index === 4711;
  return {
    row,
    act,
    payload: JSON.stringify(statement),
    pretty: JSON.stringify(statement, null, 2),
    payloadSha256: digest(`payload${index}`),
    armor: `-----BEGIN SSH SIGNATURE-----\n${(digest(`sig${index}`, 64) + digest(`gis${index}`, 64)).match(/.{1,64}/g)!.join('\n')}\n-----END SSH SIGNATURE-----`,
    signerKey: 'SHA256:Jn5SkqD2vXo0pWf7bQyTz1mC8rLhA4gEeNuVxRuCyEs',
    leafHash: digest(`leaf${index}`),
    leafBytes: 900 + (index % 700),
    checks: [
      { check: 'canonical', passed: true, message: null },
      { check: 'signature', passed: !bad, message: bad ? 'the signature does not match the entry' : null },
      { check: 'signerEnrolled', passed: true, message: null },
      { check: 'headSeen', passed: true, message: null },
      { check: 'inclusion', passed: true, message: null },
      {
        check: 'rules',
        passed: row.admitted,
        message: row.admitted ? null : 'the approver attached evidence to this release',
      },
      {
        check: 'clock',
        passed: !row.clockSuspect,
        message: row.clockSuspect ? 'the clock said 3 h more than the entry before' : null,
      },
    ],
    proof: Array.from({ length: 13 }, (_, at) => digest(`proof${index}-${at}`)),
    proofText: `countersign.example/meridian\nindex ${index}\n`,
    treeSize: size,
    root,
    seenSize: index,
    seenRoot: digest(`seen${index}`),
    previous: index > 0 ? index - 1 : null,
    next: index < size - 1 ? index + 1 : null,
    names: index > 100 ? [{ field: 'subject', index: index - 37 }] : [],
    namedBy: index < size - 60 ? [index + 12, index + 41] : [],
    finding: bad ? broken.findings[0]! : null,
  };
}

const written = (name: string, bytes: string): JobOutcome => ({
  kind: 'written',
  path: { token: `written-${name}`, display: `~/${name}` },
  size: bytes,
  sha256: digest(name),
  missing: [],
});

export const audit = {
  audit: ({ filter, newestFirst, page }) => {
    const all = world.empty ? [] : entries();
    const text = filter.text.toLowerCase();
    const fits = all.filter(
      (row) =>
        (!filter.release || row.release === filter.release) &&
        (!filter.product || (row.release ?? '').startsWith(filter.product)) &&
        (!filter.after || row.time >= filter.after) &&
        (!filter.before || row.time < filter.before) &&
        (!filter.onlyFindings || !row.admitted || row.clockSuspect) &&
        (!text ||
          `${row.actor.name} ${row.release ?? ''} ${row.reason ?? ''} ${actOf(row.event)}`
            .toLowerCase()
            .includes(text)),
    );
    const byActor = fits.filter((row) => !filter.acts.length || filter.acts.includes(actOf(row.event)));
    const rows = byActor.filter((row) => !filter.actors.length || filter.actors.includes(row.actor.principal));
    const counted = (values: [string, string][]) =>
      [...new Map(values).entries()]
        .map(([value, label]) => ({ value, label, count: values.filter(([one]) => one === value).length }))
        .sort((a, b) => b.count - a.count);
    const ordered = newestFirst ? [...rows].reverse() : rows;
    return {
      total: rows.length,
      all: all.length,
      rows: ordered.slice(page.offset, page.offset + page.limit),
      acts: counted(fits.map((row) => [actOf(row.event), actOf(row.event)])),
      actors: counted(byActor.map((row) => [row.actor.principal, row.actor.name])),
    };
  },
  entry: ({ index }) => entryView(index),
  verify: () =>
    startJob('verify', { kind: 'verified', result: world.mode === 'damaged' ? broken : sound }, { of: size }),
  exportBundle: ({ release }) =>
    startJob('exportBundle', written(release ? `bundle-${release}.zip` : 'bundle.zip', '4210331'), {
      release,
      step: 'writing',
      of: size,
    }),
  carryRequest: ({ release }) =>
    startJob('carryRequest', written(`${release}.csreq`, '48213'), { release, step: 'writing', of: size }),
  carryImport: () => ({
    entries: [
      {
        entry: size,
        act: 'approval' as const,
        who: person('ben'),
        verdict: 'go' as const,
        release: 'infusion-pump-fw-4.2.0',
        again: false,
      },
    ],
  }),
  exportReport: ({ release, format }) =>
    startJob('report', written(`report.${format}`, '843221'), { release, step: 'writing', of: 40 }),
  saveAudit: () => startJob('report', written('entries.csv', '1843221'), { step: 'writing', of: size }),
  backUp: () =>
    startJob(
      'backUp',
      {
        kind: 'backedUp',
        path: { token: 'backup', display: '~/backups/2026-11-22' },
        entries: size,
        files: 311,
        damaged: [],
      },
      { step: 'writing', of: size },
    ),
} satisfies Partial<Handlers>;
