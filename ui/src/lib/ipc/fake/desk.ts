/** The desk: session, settings, start, search, jobs, and what the shell does. */
import type { JobOutcome, JobState, SearchHit, Session } from '../bindings';
import type { Handlers } from './handlers';
import { person, personas } from './people';
import { products, releases } from './sample';
import { appError, days, hours, now, Refused, world } from './world';

export function session(): Session {
  const me = personas.find((one) => one.principal === world.me) ?? personas[0]!;
  const open = world.mode !== 'start';
  return {
    mode: world.mode,
    ledger: open
      ? {
          fingerprint: '6f1b0e0d9a7c4d52b1c29f0e3a6f55d2e9b7c1a40d8e2f63b5a7914c0d3e8f21',
          title: 'Meridian Medical',
          origin: 'countersign.example/meridian',
          path: '~/ledgers/meridian',
          sample: world.sample,
          entries: 4812,
          root: 'b3f1Jm0yZ2x3n0QkT8cVw5hE1aYp7uLrD4sNfGqXoKM=',
          verified: world.mode === 'damaged' ? 'findings' : 'everything',
          verifiedAt: hours(-1),
          witnesses: 0,
          findings: world.findings,
          lastBackup: hours(-20),
        }
      : null,
    me: open
      ? {
          principal: me.principal,
          name: me.name,
          roles: me.roles.map((role) => ({
            role,
            product: null,
            until: null,
            granted: 12,
            lentBy: null,
            training: null,
          })),
          may: ['propose', 'request', 'dispatch', 'sign', 'hold', 'administer', 'configure', 'freeze', 'review'],
          accepted: true,
          keyFingerprint: 'SHA256:Jn5SkqD2vXo0pWf7bQyTz1mC8rLhA4gEeNuVxRuCyEs',
          keyValidUntil: '2027-11-01T00:00:00Z',
          keyHere: true,
        }
      : null,
    here: open ? personas.slice(0, 4).map((one) => person(one.principal)) : [],
    personas: open && world.sample ? [...personas] : [],
    locked: world.locked,
    locksAt: hours(0.25),
    device: open
      ? { principal: 'desk-alice', name: 'meridian-desk-14', dispatcher: 'disp-1', dispatcherReady: true }
      : null,
    inboxCount: world.empty ? 0 : 5,
    rolloutCount: world.empty ? 0 : 1,
    jobs: world.jobs,
    now,
    zone: 'Europe/Zurich',
    version: '0.1.0',
    trouble: world.sessionTrouble,
  };
}

let nextJob = 1;

/** A long act: it goes in ten steps and ends with `outcome`. */
export function startJob(kind: JobState['kind'], outcome: JobOutcome, some: Partial<JobState> = {}): { jobId: string } {
  const jobId = `job-${nextJob++}`;
  const job: JobState = {
    jobId,
    kind,
    phase: 'running',
    release: null,
    step: 'checking',
    done: 0,
    of: 4812,
    cancellable: true,
    started: now,
    outcome: null,
    error: null,
    ...some,
  };
  world.jobs = [...world.jobs, job];
  const put = (change: Partial<JobState>) => {
    world.jobs = world.jobs.map((one) => (one.jobId === jobId ? { ...one, ...change } : one));
    world.emit('jobProgress', { job: world.jobs.find((one) => one.jobId === jobId)! });
  };
  let step = 0;
  const timer = setInterval(() => {
    const at = world.jobs.find((one) => one.jobId === jobId);
    if (!at || at.phase === 'cancelling') {
      clearInterval(timer);
      if (at) put({ phase: 'cancelled', step: 'finished' });
      return;
    }
    step += 1;
    if (step < 10) put({ done: Math.round((job.of * step) / 10) });
    else {
      clearInterval(timer);
      put({ done: job.of, phase: 'done', step: 'finished', outcome });
    }
  }, world.jobTick);
  return { jobId };
}

function jobOf(jobId: string): JobState {
  const job = world.jobs.find((one) => one.jobId === jobId);
  if (!job) throw new Refused(appError('not_found', 'there is no such job'));
  return job;
}

export const desk = {
  session,
  settings: () => world.settings,
  saveSettings: (next) => {
    world.settings = next;
    world.emit('settingsChanged', { settings: next });
    return next;
  },
  diagnostics: () => ({
    version: '0.1.0',
    build: 'a41c93f2 (release)',
    platform: 'Linux 6.1, WebKitGTK 2.50.6',
    ledgerPath: { token: 'ledger', display: '~/ledgers/meridian' },
    homePath: { token: 'home', display: '~/.local/share/countersign' },
    configPath: { token: 'config', display: '~/.config/countersign' },
    logPath: { token: 'log', display: '~/.local/state/countersign/countersign.log' },
    pinnedSize: 4812,
    zone: 'Europe/Zurich',
    entries: 4812,
    memoryKib: 84_212,
  }),
  search: ({ text, limit }) => {
    const sought = text.toLowerCase();
    const hits: SearchHit[] = [
      ...releases
        .filter((one) => `${one.product} ${one.version}`.includes(sought))
        .map((one) => ({
          kind: 'release' as const,
          release: one.release,
          product: one.product,
          version: one.version,
          state: one.state,
        })),
      ...personas
        .filter((one) => one.name.toLowerCase().includes(sought))
        .map((one) => ({ kind: 'person' as const, principal: one.principal, name: one.name })),
      ...products
        .filter((one) => one.title.toLowerCase().includes(sought))
        .map((one) => ({ kind: 'product' as const, product: one.product, title: one.title })),
    ];
    return { hits: hits.slice(0, limit) };
  },
  job: ({ jobId }) => jobOf(jobId),
  cancelJob: ({ jobId }) => {
    jobOf(jobId);
    world.jobs = world.jobs.map((one) => (one.jobId === jobId ? { ...one, phase: 'cancelling' as const } : one));
    return jobOf(jobId);
  },
  startInfo: () => ({
    recent: world.empty
      ? []
      : [
          {
            fingerprint: '6f1b0e0d9a7c4d52b1c29f0e3a6f55d2e9b7c1a40d8e2f63b5a7914c0d3e8f21',
            title: 'Meridian Medical',
            path: { token: 'meridian', display: '~/ledgers/meridian' },
            sample: false,
            opened: hours(-20),
            present: true,
          },
          {
            fingerprint: 'b3f1926d5a8c4e72a1d0c83f2b6e59d4f7a8e1c30b9d2e64c5a7816d0f4e9b32',
            title: 'Meridian Medical, pilot',
            path: { token: 'pilot', display: '/media/usb/pilot-ledger' },
            sample: false,
            opened: days(-31),
            present: false,
          },
        ],
    sampleThere: false,
    suggested: { token: 'suggested', display: '~/ledgers/countersign' },
    suggestedName: 'Alice Moreau',
    suggestedPrincipal: 'alice',
  }),
  openLedger: () => {
    setTimeout(() => {
      world.mode = 'open';
      world.sample = false;
    }, world.jobTick * 9);
    return startJob('openLedger', { kind: 'nothing' }, { step: 'reading' });
  },
  closeLedger: () => {
    world.mode = 'start';
    return session();
  },
  createSample: () => {
    const fingerprint = '6f1b0e0d9a7c4d52b1c29f0e3a6f55d2e9b7c1a40d8e2f63b5a7914c0d3e8f21';
    setTimeout(() => {
      world.mode = 'open';
      world.sample = true;
    }, world.jobTick * 9);
    return startJob('createSample', { kind: 'sampleCreated', fingerprint }, { step: 'keys', of: 60 });
  },
  inspectBackup: () => ({
    fingerprint: '6f1b0e0d9a7c4d52b1c29f0e3a6f55d2e9b7c1a40d8e2f63b5a7914c0d3e8f21',
    title: 'Meridian Medical',
    entries: 4790,
    root: 'b3f1Jm0yZ2x3n0QkT8cVw5hE1aYp7uLrD4sNfGqXoKM=',
    files: 311,
    sample: false,
  }),
  restoreBackup: () => {
    setTimeout(() => {
      world.mode = 'open';
      world.sample = false;
    }, world.jobTick * 9);
    return startJob(
      'restore',
      { kind: 'restored', fingerprint: '6f1b0e0d9a7c4d52b1c29f0e3a6f55d2e9b7c1a40d8e2f63b5a7914c0d3e8f21' },
      { step: 'reading' },
    );
  },
  openBundle: ({ fingerprint }) => ({
    file: 'bundle-infusion-pump-fw-4.1.7.zip',
    size: '1843201',
    title: 'Meridian Medical',
    fingerprint: '6f1b0e0d9a7c4d52b1c29f0e3a6f55d2e9b7c1a40d8e2f63b5a7914c0d3e8f21',
    sample: false,
    verified: {
      verdict: fingerprint ? 'valid' : 'incomplete',
      entries: 4790,
      root: 'b3f1Jm0yZ2x3n0QkT8cVw5hE1aYp7uLrD4sNfGqXoKM=',
      firstBad: null,
      findings: fingerprint
        ? []
        : [
            {
              index: null,
              code: 'unanchored',
              message: 'no fingerprint from elsewhere was given',
              worst: 'incomplete',
            },
          ],
      tookMillis: 840,
    },
    releases: releases
      .filter((one) => one.product === 'infusion-pump-fw')
      .slice(1, 4)
      .map((one) => ({
        release: one.release,
        product: one.product,
        version: one.version,
        state: one.state,
        signOffs: one.signed,
      })),
    reports: ['report.pdf', 'report.html', 'entries.csv'],
  }),
  pickPath: ({ purpose, suggestedName }) =>
    world.pick === 'nothing'
      ? null
      : { token: `picked-${purpose}`, display: `~/${suggestedName ?? pickedNames[purpose] ?? 'picked'}` },
  showInFolder: () => null,
  openLink: () => null,
  copyText: ({ text }) => {
    world.clipboard = text;
    return null;
  },
  setZoom: ({ percent }) => {
    document.documentElement.style.setProperty('zoom', String(percent / 100));
    return null;
  },
  openBoard: () => null,
  pageReady: () => null,
  closeWindow: () => null,
  touch: () => null,
  lock: () => {
    world.locked = true;
    return session();
  },
  choosePerson: ({ principal }) => {
    world.me = principal;
    return session();
  },
} satisfies Partial<Handlers>;

const pickedNames: Record<string, string> = {
  evidenceFile: 'regression.xml',
  artifactFile: 'pump-fw-4.2.1.bin',
  repositoryDirectory: 'src/pump-fw',
  publicKeyFile: 'id_ed25519.pub',
  certificateFile: 'buildbot-ca.pem',
  scriptFile: 'bin/deploy',
  policyFile: 'policy.toml',
  bundleFile: 'bundle-infusion-pump-fw-4.1.7.zip',
  backupDirectory: 'backups/2026-11-20',
  ledgerDirectory: 'ledgers/meridian',
  newLedgerDirectory: 'ledgers/new',
  restoreDirectory: 'ledgers/restored',
  newBackupDirectory: 'backups/2026-11-22',
};
