import { beforeEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { expectAccessible, show } from '../../../test/help';
import { appError, world } from '../../lib/ipc/fake/world';
import { useLanguage } from '../../lib/i18n/index.svelte';
import { desk } from '../../lib/session.svelte';
import Freezes from './Freezes.svelte';

beforeEach(async () => {
  world.me = 'mduval';
  await desk.refresh();
});

test('what is frozen now stands first, then the days ahead in order', async () => {
  const screen = await show(Freezes);
  await expect
    .element(screen.getByRole('region', { name: 'Frozen now' }))
    .toHaveTextContent('payments-api in production');
  await expect
    .element(screen.getByRole('region', { name: 'Sun 22 Nov' }))
    .toHaveTextContent('infusion-pump-fw 4.2.0 is due');
  await expect.element(screen.getByText('inside a freeze')).toBeVisible();
  const days = [...screen.container.querySelectorAll('section.day')].map((one) => one.getAttribute('aria-label'));
  expect(days.slice(0, 3)).toEqual(['Sun 22 Nov', 'Mon 23 Nov', 'Tue 24 Nov']);
  await expectAccessible(screen.container);
});

test('the month shows the same, day by day', async () => {
  const screen = await show(Freezes, {}, { as: 'month' });
  await expect.element(screen.getByRole('heading', { name: 'November 2026' })).toBeVisible();
  const today = screen.container.querySelector('td[aria-current=date]');
  expect(today?.textContent).toContain('22');
  expect(today?.textContent).toContain('payments-api in production');
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'Later month' }).click();
  await expect.element(screen.getByRole('heading', { name: 'December 2026' })).toBeVisible();
});

test('a freeze is declared by a signature, and not before it has an end after its beginning', async () => {
  const screen = await show(Freezes);
  await screen.getByRole('button', { name: 'Declare a freeze' }).click();
  const form = page.getByRole('dialog', { name: 'Declare a freeze' });
  const go = form.getByRole('button', { name: 'Review and sign' });
  await expect.element(go).toHaveAccessibleDescription('Choose when it ends.');
  await form.getByRole('button', { name: /^Until/ }).click();
  await page
    .getByRole('dialog', { name: 'Until' })
    .getByRole('button', { name: /30 November/ })
    .click();
  await form.getByRole('textbox', { name: 'Reason' }).fill('the holidays');
  await go.click();
  await expect
    .poll(() => world.prepared)
    .toMatchObject({
      kind: 'freeze',
      product: null,
      environment: null,
      span: { from: '2026-11-22T14:00:00Z', until: '2026-11-30T16:00:00Z' },
      reason: 'the holidays',
    });
});

test('a freeze is lifted with a reason', async () => {
  const screen = await show(Freezes);
  await screen.getByRole('region', { name: 'Frozen now' }).getByRole('button', { name: 'Lift' }).click();
  const form = page.getByRole('dialog', { name: /Lift the freeze of payments-api/ });
  await form.getByRole('textbox', { name: 'Reason' }).fill('settled early');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect.poll(() => world.prepared).toEqual({ kind: 'liftFreeze', entry: 4733, reason: 'settled early' });
});

test('nothing planned, and nothing to be read, are told apart', async () => {
  world.empty = true;
  const screen = await show(Freezes);
  await expect.element(screen.getByText('Nothing is planned')).toBeVisible();
  await screen.unmount();
  world.trouble.failing.freezes = appError('busy', 'another program is writing to this ledger');
  const { forgetAll } = await import('../../lib/query.svelte');
  forgetAll();
  const failing = await show(Freezes);
  await expect.element(failing.getByRole('alert')).toHaveTextContent('Another program is writing to this ledger.');
});

test('speaks German', async () => {
  await useLanguage('de');
  const screen = await show(Freezes);
  await expect.element(screen.getByRole('button', { name: 'Sperre ausrufen' })).toBeVisible();
});
