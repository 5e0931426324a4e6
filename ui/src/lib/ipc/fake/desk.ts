/** The desk: session, settings, start, search, jobs, and what the shell does. */
import type { PersonRef, Persona, Session } from '../bindings';
import type { Handlers } from './handlers';
import { hours, now, world } from './world';

export const people: readonly (Persona & { short: string })[] = [
  { principal: 'alice', name: 'Alice Moreau', short: 'Alice', roles: ['qa'], passphrase: 'copper-otter-12' },
  { principal: 'jonas', name: 'Jonas Weber', short: 'Jonas', roles: ['release-manager'], passphrase: 'quiet-harbor-7' },
  { principal: 'ben', name: 'Ben Okafor', short: 'Ben', roles: ['security'], passphrase: 'amber-fjord-31' },
  { principal: 'chiara', name: 'Chiara Rossi', short: 'Chiara', roles: ['product-owner'], passphrase: 'paper-lantern-4' },
  { principal: 'ewa', name: 'Dr. Ewa Lind', short: 'Ewa', roles: ['safety'], passphrase: 'north-willow-88' },
  { principal: 'jo', name: 'Jo Park', short: 'Jo', roles: ['operations'], passphrase: 'slow-meadow-19' },
  { principal: 'ravi', name: 'Ravi Nair', short: 'Ravi', roles: ['qa'], passphrase: 'silver-kettle-5' },
  { principal: 'mduval', name: 'Mireille Duval', short: 'Mireille', roles: ['process-owner'], passphrase: 'green-anchor-2' },
  { principal: 'tomasz', name: 'Tomasz Zieliński', short: 'Tomasz', roles: ['practitioner'], passphrase: 'ivory-comet-63' },
];

export const person = (principal: string): PersonRef => ({
  principal,
  name: people.find((one) => one.principal === principal)?.name ?? principal,
});

export function session(): Session {
  const me = people.find((one) => one.principal === world.me) ?? people[0]!;
  const open = world.mode !== 'start';
  return {
    mode: world.mode,
    ledger: open
      ? {
          fingerprint: '6f1b0e0d9a7c4d52b1c29f0e3a6f55d2e9b7c1a40d8e2f63b5a7914c0d3e8f21',
          title: 'Meridian Medical',
          origin: 'countersign.example/meridian',
          path: '/home/alice/ledgers/meridian',
          sample: world.sample,
          entries: 4812,
          root: 'b3f1Jm0yZ2x3n0QkT8cVw5hE1aYp7uLrD4sNfGqXoKM=',
          verified: world.mode === 'damaged' ? 'findings' : 'everything',
          verifiedAt: hours(-1),
          witnesses: 2,
          findings: world.findings,
          lastBackup: hours(-20),
        }
      : null,
    me: open
      ? {
          principal: me.principal,
          name: me.name,
          roles: me.roles.map((role) => ({ role, product: null, until: null, granted: 12 })),
          may: ['propose', 'request', 'dispatch', 'sign', 'hold', 'administer', 'configure', 'freeze', 'review'],
          accepted: true,
          keyFingerprint: 'SHA256:Jn5SkqD2vXo0pWf7bQyTz1mC8rLhA4gEeNuVxRuCyEs',
          keyValidUntil: '2027-11-01T00:00:00Z',
          keyHere: true,
        }
      : null,
    here: open ? people.slice(0, 4).map((one) => person(one.principal)) : [],
    personas: open && world.sample ? people.map(({ principal, name, roles, passphrase }) => ({ principal, name, roles, passphrase })) : [],
    locked: world.locked,
    locksAt: hours(0.25),
    device: open ? { principal: 'desk-alice', name: 'meridian-desk-14', dispatcher: 'disp-1', dispatcherReady: true } : null,
    inboxCount: world.empty ? 0 : 3,
    rolloutCount: world.empty ? 0 : 1,
    jobs: world.jobs,
    now,
    zone: 'Europe/Zurich',
    version: '0.1.0',
    trouble: world.sessionTrouble,
  };
}

export const desk = {
  session,
  settings: () => world.settings,
  saveSettings: (next) => {
    world.settings = next;
    world.emit('settingsChanged', { settings: next });
    return next;
  },
  copyText: ({ text }) => {
    void text;
    return null;
  },
  setZoom: ({ percent }) => {
    document.documentElement.style.setProperty('zoom', String(percent / 100));
    return null;
  },
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
