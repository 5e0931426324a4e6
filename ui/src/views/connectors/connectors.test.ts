import { expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { expectAccessible, show } from '../../../test/help';
import { appError, world } from '../../lib/ipc/fake/world';
import { useLanguage } from '../../lib/i18n/index.svelte';
import Connectors from './Connectors.svelte';

test('says what the desk reaches, who uses it, and what would not run', async () => {
  const screen = await show(Connectors);
  await expect
    .element(screen.getByRole('region', { name: 'buildbot' }))
    .toHaveTextContent('infusion-pump-fw · production');
  await expect.element(screen.getByRole('region', { name: 'deploy-bench' })).toHaveTextContent('It would not run now');
  await expectAccessible(screen.container);
});

test('a test goes step by step, and its result is the worst of them', async () => {
  const screen = await show(Connectors);
  const card = screen.getByRole('region', { name: 'buildbot' });
  await card.getByRole('button', { name: 'Test', exact: true }).click();
  await card.getByRole('textbox', { name: /Jobs/ }).fill('deploy, smoke');
  await card.getByRole('button', { name: 'Test it now' }).click();
  await expect.element(card.getByText('Does not work')).toBeVisible();
  await expect.element(card.getByText('anybody with an account may start this job by hand')).toBeVisible();
  expect(world.asked.find((one) => one.name === 'testConnector')?.request).toEqual({
    name: 'buildbot',
    jobs: ['deploy', 'smoke'],
  });
  await expectAccessible(screen.container);
});

test('a Buildbot is added without a password in this window', async () => {
  const screen = await show(Connectors);
  await screen.getByRole('button', { name: 'Add' }).click();
  await page.getByRole('menuitem', { name: 'Buildbot' }).click();
  const form = page.getByRole('dialog', { name: 'Buildbot' });
  const go = form.getByRole('button', { name: 'Go on to the password' });
  await expect.element(go).toHaveAttribute('aria-disabled', 'true');
  await form.getByRole('textbox', { name: 'Address' }).fill('https://ci.example/');
  await form.getByRole('textbox', { name: 'User' }).fill('countersign');
  await form.getByRole('radio', { name: 'One authority of your own' }).click();
  await form.getByRole('button', { name: 'Choose the file' }).click();
  await expect.element(go).not.toHaveAttribute('aria-disabled');
  expect(document.querySelector('input[type=password]')).toBeNull();
  await expectAccessible(form.element());
  await go.click();
  await expect
    .poll(() => world.prepared)
    .toMatchObject({ kind: 'addBuildbot', name: 'buildbot', address: 'https://ci.example/', user: 'countersign' });
  expect(typeof (world.prepared as { certificate: unknown }).certificate).toBe('string');
});

test('one that is used is removed only after saying what that means', async () => {
  const screen = await show(Connectors);
  await screen.getByRole('region', { name: 'buildbot' }).getByRole('button', { name: 'Remove' }).click();
  const question = page.getByRole('dialog', { name: 'Remove buildbot' });
  await expect.element(question).toHaveTextContent('4 targets use it.');
  expect(world.asked.some((one) => one.name === 'removeConnector')).toBe(false);
  await question.getByRole('button', { name: 'Remove' }).click();
  await expect
    .poll(() => world.asked.find((one) => one.name === 'removeConnector')?.request)
    .toEqual({ name: 'buildbot' });
});

test('a test that cannot begin says why', async () => {
  world.trouble.failing.testConnector = appError('connector', 'ci.meridian.example does not answer', {
    kind: 'cannot',
    hint: 'look at the network',
  });
  const screen = await show(Connectors);
  const card = screen.getByRole('region', { name: 'buildbot' });
  await card.getByRole('button', { name: 'Test', exact: true }).click();
  await card.getByRole('button', { name: 'Test it now' }).click();
  await expect.element(card.getByRole('alert')).toHaveTextContent('Ci.meridian.example does not answer.');
});

test('without any it says what one is for; in German too', async () => {
  world.empty = true;
  const screen = await show(Connectors);
  await expect.element(screen.getByText('This desk reaches nothing yet')).toBeVisible();
  await expectAccessible(screen.container);
  await useLanguage('de');
  await expect.element(screen.getByText('Dieser Arbeitsplatz erreicht noch nichts')).toBeVisible();
});
