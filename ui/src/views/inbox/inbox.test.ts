import { expect, test } from 'vitest';
import { appError, world } from '../../lib/ipc/fake/world';
import { useLanguage } from '../../lib/i18n/index.svelte';
import { desk } from '../../lib/session.svelte';
import { invalidate } from '../../lib/query.svelte';
import { registry } from '../../lib/keys/registry.svelte';
import { expectAccessible, show } from '../../../test/help';
import Inbox from './Inbox.svelte';

test('says what to do, until when, and what follows', async () => {
  const screen = await show(Inbox);
  const first = screen.getByRole('article').first();
  await expect.element(first).toHaveTextContent('infusion-pump-fw 4.2.0 → production');
  await expect.element(first).toHaveTextContent('You are the last signature. Jonas Weber may then start the rollout.');
  await expect.element(first).toHaveTextContent('due in 3 h');
  await expectAccessible(screen.container);
});

test('opens the signing window on the act with one press', async () => {
  const screen = await show(Inbox);
  await screen.getByRole('button', { name: /Review and sign/ }).click();
  await expect.poll(() => world.prepared).toEqual({ kind: 'answer', release: 'infusion-pump-fw-4.2.0', role: 'qa' });
  expect(world.asked.map((one) => one.name)).toContain('openSigning');
  expect(world.asked.some((one) => one.name === 'signingCommit')).toBe(false);
});

test('the key S does the same, and only while something can be signed', async () => {
  const screen = await show(Inbox);
  await expect.element(screen.getByRole('article').first()).toBeVisible();
  registry.run('do.signFirst');
  await expect.poll(() => world.prepared?.kind).toBe('answer');
  world.prepared = null;
  world.empty = true;
  invalidate();
  await expect.element(screen.getByText(/When somebody asks/)).toBeVisible();
  expect(registry.run('do.signFirst')).toBe(false);
  expect(world.prepared).toBeNull();
});

test('a refusal is shown with the thing it is about', async () => {
  world.trouble.failing.prepare = appError('segregation_failed', 'you wrote one of its commits', {
    hint: 'another of your role may sign',
  });
  const screen = await show(Inbox);
  await screen.getByRole('button', { name: /Review and sign/ }).click();
  await expect.element(screen.getByRole('alert')).toHaveTextContent('You wrote one of its commits.');
  await expect.element(screen.getByRole('alert')).toHaveTextContent('The ledger is as it was.');
});

test('when it cannot be read it says so, and tries again', async () => {
  world.trouble.failing.inbox = appError('busy', 'another program is writing to this ledger', {
    retryable: true,
  });
  const screen = await show(Inbox);
  await expect.element(screen.getByRole('alert')).toHaveTextContent('Another program is writing to this ledger.');
  await expectAccessible(screen.container);
  world.trouble.failing = {};
  await screen.getByRole('button', { name: 'Try again' }).click();
  await expect.element(screen.getByRole('article').first()).toBeVisible();
});

test('nothing can be signed from a damaged ledger', async () => {
  world.mode = 'damaged';
  await desk.refresh();
  const screen = await show(Inbox);
  await expect
    .element(screen.getByRole('button', { name: /Review and sign/ }))
    .toHaveAttribute('aria-disabled', 'true');
});

test('speaks German', async () => {
  await useLanguage('de');
  const screen = await show(Inbox);
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Guten Tag, Alice');
  await expect.element(screen.getByRole('button', { name: /Prüfen und unterschreiben/ })).toBeVisible();
});
