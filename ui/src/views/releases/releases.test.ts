import { expect, test } from 'vitest';
import { userEvent } from 'vitest/browser';
import { expectAccessible, show } from '../../../test/help';
import type { ReleasesRequest } from '../../lib/ipc';
import { appError, world } from '../../lib/ipc/fake/world';
import { router } from '../../lib/router.svelte';
import { desk } from '../../lib/session.svelte';
import Releases from './Releases.svelte';

const asked = () => world.asked.filter((one) => one.name === 'releases').map((one) => one.request as ReleasesRequest);

test('lists releases with their state and what they wait for', async () => {
  const screen = await show(Releases);
  const grid = screen.getByRole('grid', { name: 'Releases' });
  await expect
    .element(grid.getByRole('row', { name: /infusion-pump-fw 4\.2\.0/ }))
    .toHaveTextContent(/On hold.*3 of 5.*waits for you/);
  await expectAccessible(screen.container);
});

test('search, a group and a state are asked of Rust and stand in the address', async () => {
  const screen = await show(Releases);
  await screen.getByRole('searchbox').fill('pump');
  await expect.poll(() => asked().at(-1)?.text).toBe('pump');
  await screen.getByRole('radio', { name: 'Waiting for me' }).click();
  await expect.poll(() => location.hash).toContain('view=mine');
  expect(location.hash).toContain('text=pump');
  await screen.rerender({ params: {}, query: router.place.query });
  await expect.poll(() => asked().at(-1)?.mine).toBe(true);
});

test('sorting is Rust’s', async () => {
  const screen = await show(Releases, {}, {});
  await screen.getByRole('button', { name: 'Due' }).click();
  await expect.poll(() => location.hash).toContain('sort=due');
});

test('Enter opens the release under the cursor', async () => {
  const screen = await show(Releases);
  const cell = screen.getByRole('gridcell').first();
  await expect.element(cell).toHaveTextContent('payments-api');
  (cell.element() as HTMLElement).focus();
  await userEvent.keyboard('{ArrowDown}{Enter}');
  await expect.poll(() => location.hash).toBe('#/releases/notify-3.7.12');
});

test('nothing there and nothing found are two things', async () => {
  world.empty = true;
  const screen = await show(Releases);
  await expect.element(screen.getByText('No release yet')).toBeVisible();
  await expectAccessible(screen.container);
  world.empty = false;
  const found = await show(Releases, {}, { text: 'no such thing' });
  await expect.element(found.getByText('No release fits')).toBeVisible();
});

test('an error says what is safe and is tried again', async () => {
  world.trouble.failing.releases = appError('busy', 'another program is writing to this ledger');
  const screen = await show(Releases);
  await expect.element(screen.getByRole('alert')).toHaveTextContent('The ledger is as it was.');
  world.trouble.failing = {};
  await screen.getByRole('button', { name: 'Try again' }).click();
  await expect.element(screen.getByRole('grid')).toBeVisible();
});

test('from a damaged ledger nothing can be proposed', async () => {
  world.me = 'jonas';
  world.mode = 'damaged';
  await desk.refresh();
  const screen = await show(Releases);
  const button = screen.getByRole('button', { name: /Propose a release/ });
  if (button.query()) await expect.element(button).toHaveAttribute('aria-disabled', 'true');
  await expect.element(screen.getByRole('link', { name: /Propose a release/ })).not.toBeInTheDocument();
});

const heads = (container: Element) =>
  [...container.querySelectorAll('[role=columnheader]')].map((one) => one.textContent!.trim());

test('columns are chosen, ordered and sized by whoever reads them, and stay so for them alone', async () => {
  const first = await show(Releases);
  await expect.poll(() => heads(first.container)).toContain('Due');
  await first.getByRole('button', { name: 'Columns' }).click();
  const menu = first.getByRole('dialog', { name: 'Columns' });
  await expectAccessible(menu.element());
  await expect.element(menu.getByRole('checkbox', { name: 'Release' })).toBeDisabled();
  await menu.getByRole('checkbox', { name: 'Due' }).click();
  await expect.poll(() => heads(first.container)).not.toContain('Due');
  await menu.getByRole('button', { name: 'Move Proposed up' }).click();
  await menu.getByRole('button', { name: 'Move Proposed up' }).click();
  await expect.poll(() => heads(first.container).slice(-2)).toEqual(['Proposed', 'To']);
  await userEvent.keyboard('{Escape}');

  const handle = first.getByRole('separator', { name: 'Width of State' }).element() as HTMLElement;
  const width = () => Math.round(handle.parentElement!.getBoundingClientRect().width);
  const before = width();
  handle.focus();
  await userEvent.keyboard('{ArrowRight}{ArrowRight}');
  await expect.poll(width).toBe(before + 32);
  await expect.element(handle).toHaveAttribute('aria-valuenow', String(before + 32));
  await first.unmount();

  const second = await show(Releases);
  await expect.poll(() => heads(second.container).slice(-2)).toEqual(['Proposed', 'To']);
  expect(heads(second.container)).not.toContain('Due');
  world.me = 'jonas';
  await desk.refresh();
  await expect.poll(() => heads(second.container)).toContain('Due');
  world.me = 'alice';
  await desk.refresh();
  await expect.poll(() => heads(second.container)).not.toContain('Due');
  await second.getByRole('button', { name: 'Columns' }).click();
  await second.getByRole('button', { name: 'As they come' }).click();
  await expect.poll(() => heads(second.container)).toContain('Due');
});

test('a border is pulled with the pointer, and a table wider than the page scrolls', async () => {
  const screen = await show(Releases);
  const separator = screen.getByRole('separator', { name: 'Width of Release' });
  await expect.element(separator).toBeInTheDocument();
  const handle = separator.element() as HTMLElement;
  const at = (type: string, x: number) =>
    handle.dispatchEvent(new PointerEvent(type, { clientX: x, button: 0, pointerId: 1, bubbles: true }));
  handle.setPointerCapture = () => undefined;
  const before = handle.parentElement!.getBoundingClientRect().width;
  at('pointerdown', 300);
  at('pointermove', 780);
  at('pointerup', 780);
  await expect.poll(() => handle.parentElement!.getBoundingClientRect().width).toBeCloseTo(before + 480, 0);
  const grid = screen.getByRole('grid').element();
  expect(grid.scrollWidth).toBeGreaterThan(grid.clientWidth);
  handle.dispatchEvent(new MouseEvent('dblclick', { bubbles: true }));
  await expect.poll(() => handle.parentElement!.getBoundingClientRect().width).toBeCloseTo(before, 0);
});
