import { expect, test } from 'vitest';
import { appError, world } from '../../lib/ipc/fake/world';
import { expectAccessible, show } from '../../../test/help';
import Board from './Board.svelte';

test('shows each product from head of main to everybody, problems first', async () => {
  const screen = await show(Board);
  await expect.element(screen.getByRole('table')).toBeVisible();
  const rows = [...screen.container.querySelectorAll('tbody tr')];
  expect(rows.map((row) => row.querySelector('th a')?.textContent)).toEqual([
    'patient-portal',
    'payments-api',
    'infusion-pump-fw',
    'lab-gateway',
    'dose-planner',
    'notify',
  ]);
  expect(rows[0]!.textContent).toContain('5% · inconclusive');
  expect(rows[1]!.textContent).toContain('red: regression');
  expect(rows[1]!.querySelectorAll('td.hatch')).toHaveLength(2);
  expect(rows[5]!.textContent).toContain('nobody signed, authorization 4,655');
  await expectAccessible(screen.container);
});

test('arrow keys move between the cells', async () => {
  const screen = await show(Board);
  await expect.element(screen.getByRole('table')).toBeVisible();
  const start = screen.container.querySelector<HTMLElement>('tbody tr th a')!;
  start.focus();
  start.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true }));
  expect(document.activeElement?.textContent).toBe('9.0.4');
  document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true }));
  expect(document.activeElement?.textContent).toBe('2.31.2');
});

test('an empty board says what will be here', async () => {
  world.empty = true;
  const screen = await show(Board);
  await expect.element(screen.getByText('No products yet', { exact: true })).toBeVisible();
  await expectAccessible(screen.container);
});

test('an error says what happened and keeps the page', async () => {
  world.trouble.failing.board = appError('store', 'the disk of the ledger does not answer', { kind: 'cannot' });
  const screen = await show(Board);
  await expect.element(screen.getByRole('alert')).toHaveTextContent('The disk of the ledger does not answer.');
});
