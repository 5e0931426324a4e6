/** Whatever takes more than a second says how far it is and can be stopped, wherever it is begun. */
import { expect, test } from 'vitest';
import type { RenderResult } from 'vitest-browser-svelte';
import { expectAccessible, show } from '../../../test/help';
import Audit from '../../views/audit/Audit.svelte';
import Connectors from '../../views/connectors/Connectors.svelte';
import Release from '../../views/release/Release.svelte';
import Rollout from '../../views/rollout/Rollout.svelte';
import Start from '../../views/start/Start.svelte';
import type { JobKind } from '../ipc';
import { world } from '../ipc/fake';
import { desk } from '../session.svelte';

type Screen = RenderResult<typeof Audit>;
const press = (screen: Screen, name: string | RegExp) => screen.getByRole('button', { name, exact: true }).click();
const fill = (screen: Screen, name: RegExp, text: string) => screen.getByRole('textbox', { name }).fill(text);
const atStart = async (params: Record<string, string> = {}) => {
  world.mode = 'start';
  await desk.refresh();
  return show(Start, params);
};

const acts: readonly [kind: JobKind, begin: () => Promise<Screen>][] = [
  [
    'verify',
    async () => {
      const screen = await show(Audit, {}, { verify: '1' });
      await press(screen, 'Verify now');
      return screen;
    },
  ],
  [
    'exportBundle',
    async () => {
      const screen = await show(Release, { id: 'infusion-pump-fw-4.2.0', tab: 'report' });
      await screen.getByRole('button', { name: 'Write…' }).last().click();
      return screen;
    },
  ],
  [
    'report',
    async () => {
      const screen = await show(Release, { id: 'infusion-pump-fw-4.2.0', tab: 'report' });
      await screen.getByRole('button', { name: 'Write…' }).first().click();
      return screen;
    },
  ],
  [
    'connectorTest',
    async () => {
      const screen = await show(Connectors);
      await screen.getByRole('region', { name: 'buildbot' }).getByRole('button', { name: 'Test', exact: true }).click();
      await press(screen, 'Test it now');
      return screen;
    },
  ],
  [
    'reconcile',
    async () => {
      const screen = await show(Rollout, { id: 'patient-portal-9.0.4' });
      await press(screen, 'Look for it');
      return screen;
    },
  ],
  [
    'observeEvidence',
    async () => {
      const screen = await show(Release, { id: 'infusion-pump-fw-4.2.0', tab: 'evidence' });
      await press(screen, 'Read from CI');
      await fill(screen, /^Run/, '1842');
      await fill(screen, /^Step/, 'test');
      await fill(screen, /^Log/, 'junit.xml');
      await press(screen, 'Fetch it');
      return screen;
    },
  ],
  [
    'openLedger',
    async () => {
      const screen = await atStart();
      await press(screen, /ledgers\/meridian/);
      return screen;
    },
  ],
  [
    'createSample',
    async () => {
      const screen = await atStart();
      await press(screen, 'Explore the sample');
      return screen;
    },
  ],
  [
    'restore',
    async () => {
      const screen = await atStart({ step: 'restore' });
      await press(screen, 'Choose a backup');
      await press(screen, 'Choose where to restore to');
      await press(screen, 'Restore');
      return screen;
    },
  ],
];

test.for(acts)('%s shows its progress and is stopped', async ([kind, begin]) => {
  world.jobTick = 600;
  const screen = await begin();
  const bar = screen.getByRole('progressbar');
  await expect.element(bar).toBeVisible();
  expect(world.jobs.at(-1)).toMatchObject({ kind, phase: 'running' });
  await expectAccessible(bar.element().closest('[role=dialog]') ?? screen.container);
  await screen.getByRole('button', { name: 'Stop', exact: true }).click();
  await expect.poll(() => world.jobs.at(-1)?.phase).toBe('cancelled');
  await expect.element(bar).not.toBeInTheDocument();
  // What can be begun again is there again.
  expect(world.asked.filter((one) => one.name === 'cancelJob')).toHaveLength(1);
});
