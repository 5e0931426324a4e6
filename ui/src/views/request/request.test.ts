import { beforeEach, expect, test } from 'vitest';
import { expectAccessible, show } from '../../../test/help';
import type { Intent, RequestForm } from '../../lib/ipc';
import { appError, world } from '../../lib/ipc/fake/world';
import { invalidate } from '../../lib/query.svelte';
import { desk } from '../../lib/session.svelte';
import Request from './Request.svelte';

beforeEach(async () => {
  world.me = 'jonas';
  await desk.refresh();
});
const asked = () => world.asked.filter((one) => one.name === 'previewRequest').map((one) => one.request as RequestForm);
const release = 'payments-api-2.31.1';

test('shows the sheet as it would be frozen and what is new on it', async () => {
  const screen = await show(Request, { id: release });
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Freeze payments-api 2.31.1');
  await expect.element(screen.getByText('Since the last sheet')).toBeVisible();
  await expect.element(screen.getByText('regression.xml: 845 passed, 1 failed')).toBeVisible();
  await expectAccessible(screen.container);
});

test('asks a role or a person, with a reason, and hands over to the signing window', async () => {
  const screen = await show(Request, { id: release });
  const sign = screen.getByRole('button', { name: 'Review and sign' });
  await expect.element(sign).toHaveAttribute('aria-disabled', 'true');
  await screen.getByRole('combobox', { name: /^QA/ }).fill('Ali');
  await screen.getByRole('option', { name: /Alice Moreau/ }).click();
  await expect
    .poll(() =>
      asked()
        .at(-1)
        ?.asked.some((one) => one.person === 'alice'),
    )
    .toBe(true);
  await screen.getByRole('textbox', { name: 'Reason' }).fill('everything is there');
  await sign.click();
  await expect.poll(() => world.prepared?.kind).toBe('request');
  const { form } = world.prepared as Extract<Intent, { kind: 'request' }>;
  expect(form.reason).toBe('everything is there');
  expect(form.asked).toContainEqual({ role: 'qa', person: 'alice' });
  expect(form.asked).toContainEqual({ role: 'security', person: null });
});

test('once the new sheet stands the form is over, and the release is what one sees', async () => {
  const screen = await show(Request, { id: release });
  await screen.getByRole('textbox', { name: 'Reason' }).fill('everything is there');
  await screen.getByRole('button', { name: 'Review and sign' }).click();
  await expect.poll(() => world.prepared?.kind).toBe('request');
  expect(location.hash).not.toContain('releases');
  world.frozenAgain = true;
  invalidate(['request']);
  await expect.poll(() => location.hash).toBe(`#/releases/${release}`);
});

test('typing a reason does not read the sheet anew', async () => {
  const screen = await show(Request, { id: release });
  await expect.element(screen.getByText('The sheet as it would be frozen')).toBeVisible();
  const before = asked().length;
  await screen.getByRole('textbox', { name: 'Reason' }).fill('because');
  await new Promise((done) => setTimeout(done, 500));
  expect(asked().length).toBe(before);
});

test('where a rule refuses, it is said in place', async () => {
  world.trouble.failing.previewRequest = appError('wrong_state', 'the release is halted', {
    hint: 'name another candidate',
  });
  const screen = await show(Request, { id: release });
  await expect.element(screen.getByRole('alert')).toHaveTextContent('The release is halted.');
  await expect.element(screen.getByRole('alert')).toHaveTextContent('Name another candidate.');
});
