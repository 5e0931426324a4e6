import { beforeEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { expectAccessible, show } from '../../../test/help';
import { appError, world } from '../../lib/ipc/fake/world';
import { useLanguage } from '../../lib/i18n/index.svelte';
import { parse } from '../../lib/router.svelte';
import { desk } from '../../lib/session.svelte';
import Audit from './Audit.svelte';

beforeEach(() => {
  location.hash = '#/audit';
});

/** The view gets its place from the frame: here the test plays the frame. */
async function audit(hash = '#/audit') {
  history.replaceState(null, '', hash);
  const { params, query } = parse(hash);
  const screen = await show(Audit, params, query);
  return {
    screen,
    follow: async () => {
      const now = parse(location.hash);
      await screen.rerender({ params: now.params, query: now.query });
    },
  };
}

test('lists the newest entries first, one sentence each, and keeps few in the document', async () => {
  const { screen } = await audit();
  const grid = screen.getByRole('grid', { name: 'Entries of the ledger' });
  await expect.element(grid).toHaveAttribute('aria-rowcount', '4813');
  await expect.element(grid.getByRole('row').nth(1)).toHaveTextContent(/4,811/);
  expect(screen.container.querySelectorAll('[role=row]').length).toBeLessThan(45);
  await expectAccessible(screen.container);
});

test('a token typed and one pointed at become the same filter', async () => {
  const { screen, follow } = await audit();
  await screen.getByRole('textbox', { name: 'Filter the entries' }).fill('act:approval');
  await screen
    .getByRole('textbox', { name: 'Filter the entries' })
    .element()
    .dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  await expect.poll(() => location.hash).toBe('#/audit?q=act%3Aapproval');
  await follow();
  await expect.element(screen.getByRole('button', { name: 'Take away: Kind Sign-off' })).toBeVisible();
  await expect
    .poll(() => world.asked.findLast((one) => one.name === 'audit')?.request)
    .toMatchObject({
      filter: { acts: ['approval'], text: '' },
      newestFirst: true,
    });
  await screen.getByRole('button', { name: /^Kind/ }).click();
  await page.getByRole('checkbox', { name: 'Hold' }).click();
  await expect.poll(() => parse(location.hash).query['q']).toBe('act:approval act:hold');
});

test('an entry shows its checks, the signed line and its place in the tree; the next is one press away', async () => {
  const { screen, follow } = await audit('#/audit/4764');
  const panel = screen.getByRole('complementary', { name: 'Entry 4,764' });
  await expect.element(panel.getByText('All 7 checks hold')).toBeVisible();
  await expect
    .element(panel.getByRole('region', { name: 'Record' }))
    .toHaveTextContent('https://in-toto.io/Statement/v1');
  await panel.getByRole('tab', { name: 'Proof' }).click();
  await expect.element(panel.getByRole('list', { name: 'The path from the entry to the root' })).toBeVisible();
  expect(panel.element().querySelectorAll('ol[aria-label] > li')).toHaveLength(15);
  await expectAccessible(screen.container);
  await panel.getByRole('button', { name: 'Copy the proof' }).click();
  await expect.poll(() => world.clipboard).toContain('index 4764');
  await panel.getByRole('button', { name: 'Next entry' }).click();
  expect(location.hash).toBe('#/audit/4765');
  await follow();
  await expect.element(screen.getByRole('complementary', { name: 'Entry 4,765' })).toBeVisible();
});

test('an entry without effect says so before anything else', async () => {
  const { screen } = await audit('#/audit/3121');
  const panel = screen.getByRole('complementary');
  await expect.element(panel.getByRole('alert')).toHaveTextContent('has no effect');
  await expect.element(panel.getByText('the approver attached evidence to this release')).toBeVisible();
});

test('verification goes to its end and names what it found', async () => {
  const { screen } = await audit('#/audit?verify=1');
  await screen.getByRole('textbox', { name: /Fingerprint/ }).fill('9c1f');
  await screen.getByRole('button', { name: 'Verify now' }).click();
  await expect.element(screen.getByText('Everything is there and sound.')).toBeVisible();
  expect(world.asked.find((one) => one.name === 'verify')?.request).toEqual({ fingerprint: '9c1f' });
});

test('verification can be stopped', async () => {
  world.jobTick = 400;
  const { screen } = await audit('#/audit?verify=1');
  await screen.getByRole('button', { name: 'Verify now' }).click();
  await expect.element(screen.getByRole('progressbar')).toBeVisible();
  await screen.getByRole('button', { name: 'Stop' }).click();
  await expect.element(screen.getByText('Stopped. What was recorded before stays.')).toBeVisible();
  expect(screen.container.textContent).not.toContain('Everything is there and sound.');
});

test('a damaged ledger: the first bad entry exactly, and ways out', async () => {
  world.mode = 'damaged';
  world.sessionTrouble = appError('checkpoint', 'the ledger is not the one this desk has seen', {
    kind: 'integrity',
    safe: 'readOnly',
  });
  await desk.refresh();
  const { screen } = await audit('#/audit?verify=1');
  await expect.element(screen.getByText('The ledger is not the one this desk has seen.')).toBeVisible();
  await expect
    .element(screen.getByRole('link', { name: 'Restore a backup' }))
    .toHaveAttribute('href', '#/start/restore');
  await screen.getByRole('region', { name: 'Verify', exact: true }).getByRole('button', { name: 'Verify now' }).click();
  await expect.element(screen.getByText('Entry 4,711 is the first that does not hold.')).toBeVisible();
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'Open it' }).click();
  expect(location.hash).toBe('#/audit/4711?verify=1');
});

test('a bundle is written where the person chose, and nothing where they chose nothing', async () => {
  const { screen } = await audit();
  world.pick = 'nothing';
  await screen.getByRole('button', { name: 'Export' }).click();
  await page.getByRole('menuitem', { name: /Evidence bundle/ }).click();
  await expect.poll(() => world.asked.some((one) => one.name === 'pickPath')).toBe(true);
  expect(world.asked.some((one) => one.name === 'exportBundle')).toBe(false);
  world.pick = 'something';
  await screen.getByRole('button', { name: 'Export' }).click();
  await page.getByRole('menuitem', { name: /Evidence bundle/ }).click();
  await expect.element(screen.getByRole('button', { name: 'Show in folder' })).toBeVisible();
  await expect.element(screen.getByText('4.2 MB')).toBeVisible();
});

test('when it cannot be read it says so, and tries again', async () => {
  world.trouble.failing.audit = appError('busy', 'another program is writing to this ledger', {
    retryable: true,
  });
  const { screen } = await audit();
  await expect.element(screen.getByRole('alert')).toHaveTextContent('Another program is writing to this ledger.');
  world.trouble.failing = {};
  await screen.getByRole('button', { name: 'Try again' }).click();
  await expect.element(screen.getByRole('grid')).toBeVisible();
});

test('nothing found says how to find more', async () => {
  const { screen } = await audit('#/audit?q=nobody-ever-wrote-this');
  await expect.element(screen.getByText('No entry fits')).toBeVisible();
  await expectAccessible(screen.container);
});

test('speaks German', async () => {
  await useLanguage('de');
  const { screen } = await audit('#/audit/4764');
  await expect.element(screen.getByText('Alle 7 Prüfungen halten stand')).toBeVisible();
});

test('the days to look at are chosen by pointing, and taken back the same way', async () => {
  const { screen, follow } = await audit();
  await screen.getByRole('button', { name: 'When' }).click();
  await page.getByRole('menuitem', { name: 'The last 7 days' }).click();
  await expect.poll(() => parse(location.hash).query['q']).toBe('after:2026-11-15');
  await follow();
  await expect
    .poll(() => world.asked.findLast((one) => one.name === 'audit')?.request)
    .toMatchObject({ filter: { after: '2026-11-14T23:00:00Z' } });
  await screen.getByRole('button', { name: /^When/ }).click();
  await page.getByRole('menuitem', { name: 'The last 7 days' }).click();
  await expect.poll(() => parse(location.hash).query['q']).toBeUndefined();
});

test('the result of the last verification is still there on return', async () => {
  const first = await audit('#/audit?verify=1');
  await first.screen.getByRole('button', { name: 'Verify now' }).click();
  await expect.element(first.screen.getByText('Everything is there and sound.')).toBeVisible();
  await first.screen.unmount();
  await desk.refresh();
  const again = await audit('#/audit?verify=1');
  await expect.element(again.screen.getByText('Everything is there and sound.')).toBeVisible();
  expect(world.asked.filter((one) => one.name === 'verify')).toHaveLength(1);
});

test('a correction is an entry of its own, signed', async () => {
  const { screen } = await audit('#/audit/4764');
  await screen.getByRole('button', { name: 'Record a correction' }).click();
  const form = page.getByRole('dialog', { name: 'Correct entry 4,764' });
  await form.getByRole('textbox', { name: 'Field' }).fill('reason');
  await form.getByRole('textbox', { name: 'It says' }).fill('window of tonight');
  await form.getByRole('textbox', { name: 'It should say' }).fill('window of Monday');
  await form.getByRole('textbox', { name: 'Reason' }).fill('the date was mistaken');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect
    .poll(() => world.prepared)
    .toEqual({
      kind: 'correct',
      entry: 4764,
      field: 'reason',
      old: 'window of tonight',
      new: 'window of Monday',
      reason: 'the date was mistaken',
    });
});
