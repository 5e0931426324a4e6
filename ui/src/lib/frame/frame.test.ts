import { userEvent } from 'vitest/browser';
import { afterEach, expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { appError, world } from '../ipc/fake/world';
import { desk } from '../session.svelte';
import { registry } from '../keys/registry.svelte';
import { expectAccessible } from '../../../test/help';
import App from './App.svelte';

async function app(hash = '#/inbox') {
  location.hash = hash;
  await desk.refresh();
  const screen = await render(App);
  await expect.element(screen.getByRole('heading', { level: 1 })).toBeVisible();
  return screen;
}
afterEach(() => {
  registry.paused = 0;
});

test('the whole window has no finding of axe', async () => {
  const screen = await app();
  await expectAccessible(screen.container);
});

test('the rail names the place one is at, and counts what waits', async () => {
  const screen = await app();
  await expect.element(screen.getByRole('link', { name: /Inbox/ })).toHaveAttribute('aria-current', 'page');
  await expect.element(screen.getByRole('link', { name: /Inbox/ })).toHaveTextContent('5');
  await screen.getByRole('link', { name: 'Board' }).click();
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Board');
  await expect
    .element(screen.getByRole('link', { name: 'Board', exact: true }))
    .toHaveAttribute('aria-current', 'page');
  expect(document.title).toBe('Board · Countersign');
});

test('a new place is reached by two letters, and its heading takes the focus', async () => {
  const screen = await app();
  await userEvent.keyboard('gb');
  await expect.element(screen.getByRole('heading', { level: 1, name: 'Board' })).toHaveFocus();
});

test('the palette finds a release, an act, and a person', async () => {
  const screen = await app();
  await userEvent.keyboard('{Control>}k{/Control}');
  const input = screen.getByPlaceholder('Find or do anything');
  await expect.element(input).toHaveFocus();
  await input.fill('4.2.0');
  await expect.element(screen.getByRole('option', { name: /infusion-pump-fw 4.2.0/ })).toBeVisible();
  await expectAccessible(screen.getByRole('dialog').element());
  await input.fill('@alice');
  await expect.element(screen.getByRole('option', { name: /Alice Moreau/ })).toBeVisible();
  await input.fill('>freeze');
  await input.fill('board');
  await expect.element(screen.getByRole('option', { name: /Board/ }).first()).toBeVisible();
  await userEvent.keyboard('{Enter}');
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Board');
});

test('letters typed in the palette start nothing else', async () => {
  const screen = await app();
  await userEvent.keyboard('{Control>}k{/Control}');
  await expect.element(screen.getByPlaceholder('Find or do anything')).toHaveFocus();
  await userEvent.keyboard('gb');
  expect(location.hash).toBe('#/inbox');
});

test('every key of the table is on the sheet', async () => {
  const screen = await app();
  await userEvent.keyboard('?');
  await expect.element(screen.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
  await expect.element(screen.getByRole('dialog')).toHaveTextContent('Hold with a question');
  await userEvent.keyboard('{Escape}');
  await expect.element(screen.getByRole('dialog', { name: 'Keyboard' })).not.toBeInTheDocument();
});

test('a locked desk shows nothing to press but unlock, which opens the signing window', async () => {
  world.locked = true;
  const screen = await app();
  await expect.element(screen.getByRole('dialog', { name: 'Locked' })).toBeVisible();
  await userEvent.keyboard('gb');
  expect(location.hash).toBe('#/inbox');
  await screen.getByRole('button', { name: 'Unlock' }).first().click();
  await expect.poll(() => world.prepared).toEqual({ kind: 'unlock', principal: 'alice' });
  expect(screen.container.querySelector('input[type=password]')).toBeNull();
});

test('SAMPLE is on every screen of a sample and on none of a ledger', async () => {
  const screen = await app('#/settings');
  await expect.element(screen.getByText('SAMPLE', { exact: true })).toBeVisible();
  world.sample = false;
  await desk.refresh();
  await expect.element(screen.getByText('SAMPLE', { exact: true })).not.toBeInTheDocument();
});

test('a damaged ledger says that nothing can be signed, and where the findings are', async () => {
  world.mode = 'damaged';
  const screen = await app();
  await expect.element(screen.getByRole('alert')).toHaveTextContent('nothing can be signed or deployed');
  await expect.element(screen.getByRole('link', { name: 'See the findings' })).toBeVisible();
  await expectAccessible(screen.container);
});

test('another program writing is said once, in words', async () => {
  world.sessionTrouble = appError('busy', 'another program is writing to this ledger', {
    hint: 'your act waits its turn',
  });
  const screen = await app();
  await expect.element(screen.getByText(/Another program is writing to this ledger\./)).toBeVisible();
});

test('without a ledger there is the first screen, wherever a link leads', async () => {
  world.mode = 'start';
  const screen = await app('#/releases');
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Countersign');
  await expect.element(screen.getByRole('button', { name: 'Explore the sample' })).toBeVisible();
});

test('a place that Rust names is gone to, and nothing is done there', async () => {
  const screen = await app();
  world.emit('navigate', { to: { kind: 'board' } });
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Board');
  world.emit('navigate', { to: { kind: 'settings' } });
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Settings');
  expect(world.asked.some((one) => one.name === 'prepare')).toBe(false);
});

test('the page follows the ledger', async () => {
  const screen = await app();
  await expect.element(screen.getByRole('article').first()).toBeVisible();
  world.empty = true;
  world.emit('ledgerChanged', { size: 4813 });
  await expect.element(screen.getByText(/When somebody asks/)).toBeVisible();
});

test('what is done on another page is gone to and begun there', async () => {
  const screen = await app();
  registry.run('do.freeze');
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Calendar');
  await expect.poll(() => document.querySelector('[role=dialog] h2')?.textContent).toBe('Declare a freeze');
});
