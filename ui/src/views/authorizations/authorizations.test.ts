import { expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { expectAccessible, show } from '../../../test/help';
import { appError, world } from '../../lib/ipc/fake/world';
import { useLanguage } from '../../lib/i18n/index.svelte';
import Authorizations from './Authorizations.svelte';

test('what asks for an answer stands first, with its bounds and its use', async () => {
  const screen = await show(Authorizations);
  const first = screen.getByRole('region').first();
  await expect.element(first).toHaveTextContent('lab-gateway → production');
  await expect.element(screen.getByRole('region', { name: 'notify → production' })).toHaveTextContent('3 of 6');
  await expect
    .element(screen.getByRole('region', { name: 'patient-portal → production' }))
    .toHaveTextContent('Suspended: nothing goes out under it.');
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'Answer it' }).click();
  await expect.poll(() => world.prepared).toEqual({ kind: 'answerAuthorization', entry: 4805 });
});

test('anybody with a role can stop one; it can be resumed', async () => {
  const screen = await show(Authorizations);
  await screen.getByRole('button', { name: 'Suspend' }).click();
  const form = page.getByRole('dialog', { name: 'Suspend the authorization of notify' });
  await form.getByRole('textbox', { name: 'Reason' }).fill('two rollbacks this week');
  await form.getByRole('button', { name: 'Suspend' }).click();
  await expect
    .poll(() => world.prepared)
    .toEqual({ kind: 'suspendAuthorization', entry: 4655, resume: false, reason: 'two rollbacks this week' });
  await screen.getByRole('button', { name: 'Resume' }).click();
  const again = page.getByRole('dialog', { name: 'Resume the authorization of patient-portal' });
  await again.getByRole('textbox', { name: 'Reason' }).fill('mended');
  await again.getByRole('button', { name: 'Review and sign' }).click();
  await expect.poll(() => world.prepared).toMatchObject({ kind: 'suspendAuthorization', entry: 4610, resume: true });
});

test('one is proposed within bounds', async () => {
  const screen = await show(Authorizations);
  await screen.getByRole('button', { name: 'Propose an authorization' }).click();
  const form = page.getByRole('dialog', { name: 'Propose an authorization' });
  const go = form.getByRole('button', { name: 'Review and sign' });
  await form.getByRole('combobox', { name: /^Product/ }).click();
  await page.getByRole('option', { name: /Infusion pump/ }).click();
  await expect.element(form.getByText(/Its policy says Continuous Delivery/)).toBeVisible();
  await form.getByRole('textbox', { name: /Most commits/ }).fill('none');
  await expect.element(go).toHaveAccessibleDescription('Give both bounds, from 1 on.');
  await form.getByRole('textbox', { name: /Most commits/ }).fill('8');
  await form.getByRole('textbox', { name: 'Reason' }).fill('the segment catches it');
  await expectAccessible(form.element());
  await go.click();
  await expect
    .poll(() => world.prepared)
    .toMatchObject({
      kind: 'authorize',
      product: 'infusion-pump-fw',
      changeTypes: ['standard'],
      maxCommits: 8,
      perDay: 2,
    });
});

test('a refusal is shown with the thing it is about', async () => {
  world.trouble.failing.prepare = appError('role_missing', 'you do not hold the role qa', {
    hint: 'a process owner can give it',
  });
  const screen = await show(Authorizations);
  await screen.getByRole('button', { name: 'Answer it' }).click();
  await expect
    .element(screen.getByRole('region', { name: 'lab-gateway → production' }).getByRole('alert'))
    .toHaveTextContent('You do not hold the role qa.');
});

test('without any it says who signs instead; in German too', async () => {
  world.empty = true;
  const screen = await show(Authorizations);
  await expect.element(screen.getByText('No standing authorization')).toBeVisible();
  await useLanguage('de');
  await expect.element(screen.getByText('Keine Dauerfreigabe')).toBeVisible();
});
