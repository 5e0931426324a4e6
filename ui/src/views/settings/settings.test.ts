import { expect, test } from 'vitest';
import { appError, world } from '../../lib/ipc/fake/world';
import { registry } from '../../lib/keys/registry.svelte';
import { expectAccessible, show } from '../../../test/help';
import Settings from './Settings.svelte';

test('a choice is kept and takes effect at once', async () => {
  const screen = await show(Settings);
  await screen.getByRole('radio', { name: 'Dark' }).click();
  await expect.poll(() => world.settings.theme).toBe('dark');
  expect(document.documentElement.dataset['theme']).toBe('dark');
  await screen.getByRole('radio', { name: 'High contrast' }).click();
  await expect.poll(() => document.documentElement.dataset['contrast']).toBe('more');
  await screen.getByRole('radio', { name: 'Compact' }).click();
  await expect.poll(() => document.documentElement.dataset['density']).toBe('compact');
  await screen.getByRole('switch', { name: 'Single letters start things' }).click();
  await expect.poll(() => registry.singleKeys).toBe(false);
});

test('the language changes the page', async () => {
  const screen = await show(Settings);
  await screen.getByRole('radio', { name: 'Deutsch' }).click();
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Einstellungen');
  expect(document.documentElement.lang).toBe('de');
  await screen.getByRole('radio', { name: 'English' }).click();
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Settings');
});

test('what could not be kept is said', async () => {
  world.trouble.failing.saveSettings = appError('file', 'the settings file cannot be written', {
    kind: 'cannot',
  });
  const screen = await show(Settings);
  await screen.getByRole('radio', { name: 'Dark' }).click();
  await expect.element(screen.getByRole('alert')).toHaveTextContent('The settings file cannot be written.');
  expect(document.documentElement.dataset['theme']).toBe('light');
});

test('has no finding of axe', async () => {
  const screen = await show(Settings);
  await expect.element(screen.getByText('About this installation')).toBeVisible();
  await expectAccessible(screen.container);
});
