import { expect, test } from 'vitest';
import { calls } from '../../lib/ipc';
import { appError, world } from '../../lib/ipc/fake/world';
import { desk } from '../../lib/session.svelte';
import { expectAccessible, show } from '../../../test/help';
import Start from './Start.svelte';

async function fresh(step?: string) {
  world.mode = 'start';
  await desk.refresh();
  return show(Start, step ? { step } : {});
}

test('offers the six ways in, and what was open before', async () => {
  const screen = await fresh();
  for (const name of [
    'Explore the sample',
    'Create a ledger',
    'Choose a folder',
    'Choose a backup',
    'Choose a request',
    'Choose a bundle',
  ])
    await expect.element(screen.getByRole(/Explore|folder/.test(name) ? 'button' : 'link', { name })).toBeVisible();
  await expect.element(screen.getByRole('button', { name: /Open: Meridian Medical ~/ })).toBeEnabled();
  await expect.element(screen.getByRole('button', { name: /Meridian Medical, pilot/ })).toBeDisabled();
  await expectAccessible(screen.container);
});

test('the sample is built with progress and then opened', async () => {
  world.jobTick = 20;
  const screen = await fresh();
  await screen.getByRole('button', { name: 'Explore the sample' }).click();
  await expect.element(screen.getByRole('progressbar')).toBeVisible();
  await expect.poll(() => desk.session?.mode).toBe('open');
  expect(location.hash).toBe('#/inbox');
});

test('a sample that the program builds by itself is shown as it grows', async () => {
  world.jobTick = 40;
  world.mode = 'start';
  await calls.createSample({ fresh: false });
  const screen = await fresh();
  await expect.element(screen.getByRole('progressbar')).toBeVisible();
  await expect.poll(() => desk.session?.mode).toBe('open');
});

test('a ledger is created by a signed act, never from this page', async () => {
  const screen = await fresh('create');
  await screen.getByRole('button', { name: /Go on to sign/ }).click();
  await expect.element(screen.getByText('This is needed.').first()).toBeVisible();
  expect(world.prepared).toBeNull();
  await screen.getByRole('textbox', { name: 'Name of the ledger' }).fill('Meridian');
  await screen.getByRole('button', { name: /Go on to sign/ }).click();
  await expect
    .poll(() => world.prepared)
    .toMatchObject({
      kind: 'createLedger',
      charter: { rolesByTwo: true, identityByTwo: false, keyDays: 366, reviewDays: 90 },
    });
  expect(JSON.stringify(world.asked)).not.toContain('assphrase');
  await expectAccessible(screen.container);
});

test('what holds for people stands in the first entry; a term that is no number is refused at its field', async () => {
  const screen = await fresh('create');
  await screen.getByRole('textbox', { name: 'Name of the ledger' }).fill('Meridian');
  await screen.getByRole('checkbox', { name: /A second person states who/ }).click();
  await screen.getByRole('textbox', { name: /Keys hold for at most/ }).fill('soon');
  await screen.getByRole('button', { name: /Go on to sign/ }).click();
  await expect
    .element(screen.getByRole('textbox', { name: /Keys hold for at most/ }))
    .toHaveAttribute('aria-invalid', 'true');
  expect(world.prepared).toBeNull();
  await screen.getByRole('textbox', { name: /Keys hold for at most/ }).fill('180');
  await screen.getByRole('button', { name: /Go on to sign/ }).click();
  await expect
    .poll(() => world.prepared)
    .toMatchObject({ charter: { rolesByTwo: true, identityByTwo: true, keyDays: 180, reviewDays: 90 } });
});

test('a refusal stands at its field', async () => {
  const screen = await fresh('create');
  await screen.getByRole('textbox', { name: 'Name of the ledger' }).fill('Meridian');
  world.trouble.failing.prepare = appError('field', 'not a name the ledger can keep', { field: 'principal' });
  await screen.getByRole('button', { name: /Go on to sign/ }).click();
  await expect
    .element(screen.getByRole('textbox', { name: 'Name in the ledger' }))
    .toHaveAttribute('aria-invalid', 'true');
});

test('a backup is looked at before it is restored', async () => {
  const screen = await fresh('restore');
  await expect
    .element(screen.getByRole('button', { name: 'Restore', exact: true }))
    .toHaveAttribute('aria-disabled', 'true');
  await screen.getByRole('button', { name: 'Choose a backup' }).click();
  await expect.element(screen.getByText('The backup is sound')).toBeVisible();
  await screen.getByRole('button', { name: 'Choose where to restore to' }).click();
  await screen.getByRole('button', { name: 'Restore', exact: true }).click();
  await expect.poll(() => desk.session?.mode).toBe('open');
});

test('a bundle without a fingerprint from elsewhere is incomplete, with it valid', async () => {
  const screen = await fresh('bundle');
  await screen.getByRole('button', { name: 'Choose a bundle' }).click();
  await expect.element(screen.getByRole('status')).toHaveTextContent('Incomplete');
  await expectAccessible(screen.container);
  await screen.getByRole('textbox', { name: 'Fingerprint of the ledger' }).fill('6f1b 0e0d');
  await screen.getByRole('button', { name: 'Check with this fingerprint' }).click();
  await expect.element(screen.getByRole('status')).toHaveTextContent('Valid');
});

test('a request that was sent here is shown as on the desk that asks, and answered in the signing window', async () => {
  const screen = await fresh('request');
  world.trouble.failing.carryOpen = appError('unanchored', 'it is of a ledger this desk does not know yet');
  await screen.getByRole('button', { name: 'Choose a request' }).click();
  await expect.element(screen.getByRole('textbox', { name: 'Fingerprint of the ledger' })).toBeVisible();
  await expectAccessible(screen.container);
  world.trouble.failing = {};
  await screen.getByRole('textbox', { name: 'Fingerprint of the ledger' }).fill('3f0c 5a1d');
  await screen.getByRole('button', { name: 'Check with this fingerprint' }).click();
  await expect.element(screen.getByText('infusion-pump-fw 4.2.0 to production')).toBeVisible();
  await expect.element(screen.getByText(/You accept to be accountable/)).toBeVisible();
  await expectAccessible(screen.container);
  expect(world.asked.findLast((one) => one.name === 'carryOpen')?.request).toMatchObject({ fingerprint: '3f0c5a1d' });
  await screen.getByRole('button', { name: 'Review and answer' }).click();
  await expect.poll(() => world.prepared).toMatchObject({ kind: 'answerCarried', principal: 'ben' });
});

test('a request that has run out, or asks nobody whose key is here, cannot be answered', async () => {
  world.ranOut = true;
  const late = await fresh('request');
  await late.getByRole('button', { name: 'Choose a request' }).click();
  await expect
    .element(late.getByRole('button', { name: 'Review and answer' }))
    .toHaveAttribute('aria-disabled', 'true');
  await expect.element(late.getByText('Ran out', { exact: true })).toBeVisible();
  late.unmount();
  world.ranOut = false;
  world.empty = true;
  const nobody = await fresh('request');
  await nobody.getByRole('button', { name: 'Choose a request' }).click();
  await expect.element(nobody.getByText(/countersign carry key/)).toBeVisible();
  expect(world.prepared).toBeNull();
});
