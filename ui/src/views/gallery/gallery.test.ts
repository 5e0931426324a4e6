import { expect, test } from 'vitest';
import { expectAccessible, show } from '../../../test/help';
import Gallery from './Gallery.svelte';

test('every component in every state has no finding of axe, light and dark', async () => {
  const screen = await show(Gallery);
  await expect.element(screen.getByRole('heading', { level: 1 })).toBeVisible();
  await expectAccessible(screen.container);
});

test('a dialog keeps the focus and gives it back', async () => {
  const screen = await show(Gallery);
  const opener = screen.getByRole('button', { name: 'Open a dialog' });
  await opener.click();
  const dialog = screen.getByRole('dialog');
  await expect.element(dialog).toBeVisible();
  expect(dialog.element().contains(document.activeElement)).toBe(true);
  await expectAccessible(dialog.element());
  await screen.getByRole('button', { name: 'Cancel' }).click();
  await expect.element(dialog).not.toBeInTheDocument();
  await expect.poll(() => document.activeElement).toBe(opener.element());
});

test('a blocked button stays in the tab order and says why', async () => {
  const screen = await show(Gallery);
  const button = screen.getByRole('button', { name: 'Blocked', exact: true });
  await expect.element(button).toHaveAttribute('aria-disabled', 'true');
  await expect.element(button).toHaveAccessibleDescription('QA has not signed yet.');
  (button.element() as HTMLElement).focus();
  expect(document.activeElement).toBe(button.element());
});

test('a grid of ten thousand keeps few rows in the document and moves by keys', async () => {
  const screen = await show(Gallery);
  const grid = screen.getByRole('grid').first();
  await expect.element(grid).toHaveAttribute('aria-rowcount', '10001');
  expect(grid.element().querySelectorAll('[role=row]').length).toBeLessThan(30);
  const first = grid.element().querySelector<HTMLElement>('[role=gridcell][tabindex="0"]')!;
  first.focus();
  first.dispatchEvent(new KeyboardEvent('keydown', { key: 'End', bubbles: true }));
  await expect.poll(() => document.activeElement?.closest('[role=row]')?.getAttribute('aria-rowindex')).toBe('10001');
  document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', bubbles: true }));
  await expect.poll(() => document.activeElement?.closest('[role=row]')?.getAttribute('aria-rowindex')).toBe('10000');
});

test('a button with a finger or a trembling hand is large enough', async () => {
  const screen = await show(Gallery);
  await expect.element(screen.getByRole('heading', { level: 1 })).toBeVisible();
  const small = [...screen.container.querySelectorAll('button')]
    .filter((button) => button.offsetParent !== null && !button.classList.contains('digest'))
    .map((button) => ({ name: button.textContent?.trim() || button.ariaLabel, box: button.getBoundingClientRect() }))
    .filter(({ box }) => box.height < 20 || box.width < 24);
  expect(small.map((one) => one.name)).toEqual([]);
});

test('several are chosen by typing, and the field is empty again after each', async () => {
  const screen = await show(Gallery);
  const input = screen.getByRole('combobox', { name: /Choose/ }).last();
  await input.fill('ben');
  await screen.getByRole('option', { name: /Ben Okafor/ }).click();
  await expect.element(screen.getByRole('button', { name: 'Remove: Ben Okafor' })).toBeVisible();
  await expect.element(input).toHaveValue('');
});
