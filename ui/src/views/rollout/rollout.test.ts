import { expect, test } from 'vitest';
import { expectAccessible, show } from '../../../test/help';
import { appError, world } from '../../lib/ipc/fake/world';
import Rollout from './Rollout.svelte';
import Rollouts from './Rollouts.svelte';
import { Tail } from './tail.svelte';

const portal = { id: 'patient-portal-9.0.4' };

test('lists what runs and what ended', async () => {
  const screen = await show(Rollouts);
  await expect
    .element(screen.getByRole('link', { name: /patient-portal 9\.0\.4 → production/ }))
    .toHaveTextContent('error rate inconclusive');
  await expect.element(screen.getByRole('table')).toHaveTextContent('notify 3.7.12');
  await expectAccessible(screen.container);
});

test('nothing running says what would be here', async () => {
  world.empty = true;
  const screen = await show(Rollouts);
  await expect.element(screen.getByText('Nothing is rolling out')).toBeVisible();
});

test('a dispatch without an answer is looked for, and never offered to be sent blindly', async () => {
  const screen = await show(Rollout, portal);
  await expect.element(screen.getByText('No answer came: the fate of wave 1 is unknown')).toBeVisible();
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'Look for it' }).click();
  await expect.element(screen.getByText('The CI system knows no run of it: it did not run.')).toBeVisible();
  expect(world.asked.find((one) => one.name === 'reconcile')?.request).toEqual({
    release: portal.id,
    requestId: '01JD8YPX9T4B6N1C',
  });
  expect(world.prepared).toBeNull();
});

test('each act says what follows from it and goes through the signing window', async () => {
  const screen = await show(Rollout, portal);
  await expect.element(screen.getByText(/Brings back 9\.0\.3, which was approved with the sheet/)).toBeVisible();
  await screen.getByRole('button', { name: 'Roll back', exact: true }).click();
  await expect.poll(() => world.prepared).toEqual({ kind: 'rollback', release: portal.id, resend: null });
});

test('a verdict on a wave needs a choice and what was looked at', async () => {
  const screen = await show(Rollout, portal);
  await screen.getByRole('button', { name: 'Judge wave 1' }).click();
  await screen.getByLabelText('What you looked at').fill('the dashboards of all six clinics');
  await screen.getByRole('radio', { name: 'Passed' }).click();
  await screen.getByRole('textbox', { name: 'Reason' }).fill('two slow answers, no error');
  await screen.getByRole('button', { name: 'Review and sign' }).click();
  await expect
    .poll(() => world.prepared)
    .toMatchObject({ kind: 'waveVerdict', wave: 1, verdict: 'pass', detail: 'the dashboards of all six clinics' });
});

test('the log is followed to its end, ten thousand lines of it, few of them in the document', async () => {
  world.longLog = true;
  const screen = await show(Rollout, portal);
  await screen.getByRole('button', { name: 'Show the log' }).first().click();
  await expect.element(screen.getByText('10,000 lines')).toBeVisible();
  const log = screen.getByRole('log');
  expect(log.element().querySelectorAll('.line').length).toBeLessThan(80);
  await expectAccessible(screen.container);
});

test('ten thousand lines are scrolled and searched without more of them in the document', async () => {
  world.longLog = true;
  const screen = await show(Rollout, portal);
  await screen.getByRole('button', { name: 'Show the log' }).first().click();
  await expect.element(screen.getByText('10,000 lines')).toBeVisible();
  const log = screen.getByRole('log').element();
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const first = () => Number(log.querySelector('.no')!.textContent!.replace(/\D/g, ''));
  let most = 0;
  for (let step = 0; step <= 20; step += 1) {
    log.scrollTop = ((log.scrollHeight - log.clientHeight) * step) / 20;
    await frame();
    await frame();
    most = Math.max(most, log.querySelectorAll('.line').length);
    // The lines that belong there are drawn, none of a place passed before.
    expect(Math.abs(first() - 1 - Math.max(0, Math.floor(log.scrollTop / 18) - 8))).toBeLessThanOrEqual(1);
  }
  expect(most).toBeLessThan(80);
  await screen.getByRole('searchbox', { name: 'Find in log' }).fill('refused');
  await expect.element(screen.getByText(/^1\d matches$/)).toBeVisible();
  await expect.poll(() => log.querySelectorAll('.hit').length).toBe(1);
});

test('lines that are no longer kept are counted', async () => {
  world.longLog = true;
  const tail = new Tail(portal.id, '01JD8YQ3K2W5H7M9');
  await tail.read();
  tail.stop();
  expect(tail.ring.lines.length).toBe(10_000);
  expect(tail.ring.total).toBe(10_000);
});

test('an error says so and is tried again', async () => {
  world.trouble.failing.rollout = appError('connector', 'the CI system does not answer', { retryable: true });
  const screen = await show(Rollout, portal);
  await expect.element(screen.getByRole('alert')).toHaveTextContent('The CI system does not answer.');
  world.trouble.failing = {};
  await screen.getByRole('button', { name: 'Try again' }).click();
  await expect.element(screen.getByText('Waves')).toBeVisible();
});
