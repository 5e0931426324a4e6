import { expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { expectAccessible, show } from '../../../test/help';
import { appError, world } from '../../lib/ipc/fake/world';
import { registry } from '../../lib/keys/registry.svelte';
import { desk } from '../../lib/session.svelte';
import Release from './Release.svelte';

const pump = { id: 'infusion-pump-fw-4.2.0' };
const names = () => world.asked.map((one) => one.name);

test('shows who said what, what blocks it and what one decides on', async () => {
  const screen = await show(Release, pump);
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('4.2.0 → production');
  const poll = screen.getByRole('list', { name: 'Stations of the poll' });
  await expect.element(poll).toHaveTextContent(/Security.*Ben Okafor.*GO.*scan clean/);
  await expect.element(poll).toHaveTextContent(/you, or Ravi Nair.*Waiting.*due 17:05/);
  await expect.element(screen.getByText('QA has not signed')).toBeVisible();
  await expect.element(screen.getByText('2,418 passed · 0 failed')).toBeVisible();
  await expectAccessible(screen.container);
});

test('the one act that fits opens the signing window, by press and by key', async () => {
  const screen = await show(Release, pump);
  await screen.getByRole('button', { name: /Sign as QA/ }).click();
  await expect.poll(() => world.prepared).toEqual({ kind: 'answer', release: pump.id, role: 'qa' });
  world.prepared = null;
  registry.run('release.primary');
  await expect.poll(() => world.prepared?.kind).toBe('answer');
  expect(names()).toContain('openSigning');
  expect(names()).not.toContain('signingCommit');
});

test('a notification that asks for a signature opens the sheet and signs nothing', async () => {
  await show(Release, pump, { sign: '1' });
  await expect.poll(() => world.prepared).toEqual({ kind: 'answer', release: pump.id, role: 'qa' });
  expect(names().filter((one) => one === 'openSigning')).toHaveLength(1);
  expect(names()).not.toContain('signingChoose');
  expect(location.hash).not.toContain('sign=1');
});

test('each blocker has the act that clears it', async () => {
  const screen = await show(Release, pump);
  await screen.getByRole('button', { name: 'Answer', exact: true }).click();
  const dialog = screen.getByRole('dialog');
  await expect.element(dialog).toHaveTextContent('Let infusion-pump-fw-4.2.0 go on');
  await expectAccessible(document.body);
});

test('a refusal stands on the page, with what is safe', async () => {
  world.trouble.failing.prepare = appError('segregation_failed', 'you wrote one of its commits');
  const screen = await show(Release, pump);
  await screen.getByRole('button', { name: /Sign as QA/ }).click();
  await expect.element(screen.getByRole('alert')).toHaveTextContent('You wrote one of its commits.');
  await screen.getByRole('button', { name: 'Close', exact: true }).click();
  await expect.element(screen.getByRole('alert')).not.toBeInTheDocument();
});

test('holding asks for a reason and needs no passphrase', async () => {
  const screen = await show(Release, pump);
  await expect.element(screen.getByText('QA has not signed')).toBeVisible();
  expect(registry.run('release.hold')).toBe(true);
  await expect
    .element(screen.getByRole('button', { name: 'Hold', exact: true }))
    .toHaveAttribute('aria-disabled', 'true');
  await screen.getByLabelText('Question').fill('is the night shift told?');
  await screen.getByRole('textbox', { name: 'Reason' }).fill('asked by the clinic');
  await screen.getByRole('button', { name: 'Hold', exact: true }).click();
  await expect
    .poll(() => world.asked.find((one) => one.name === 'hold')?.request)
    .toEqual({ release: pump.id, question: 'is the night shift told?', reason: 'asked by the clinic' });
  expect(names()).not.toContain('openSigning');
});

test('stale answers are struck through, say why, and are asked anew', async () => {
  const screen = await show(Release, { id: 'payments-api-2.31.1' });
  await expect.element(screen.getByText(/Changed since the freeze: evidence that was replaced/)).toBeVisible();
  expect(screen.container.querySelectorAll('s').length).toBe(2);
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: /Freeze and request/ }).click();
  await expect.poll(() => location.hash).toBe('#/request/payments-api-2.31.1');
});

test('forty seats become a list that can be narrowed to what is open', async () => {
  world.manyApprovers = true;
  const screen = await show(Release, pump);
  const table = screen.getByRole('region', { name: 'Stations of the poll' });
  await expect.element(table).toBeVisible();
  expect(table.element().querySelectorAll('tbody tr').length).toBe(40);
  await screen.getByRole('checkbox', { name: 'Only what is open' }).click();
  await expect.poll(() => table.element().querySelectorAll('tbody tr').length).toBeLessThan(20);
  await expectAccessible(screen.container);
});

test('a whole sign-off: name, both times, meaning, key, history', async () => {
  const screen = await show(Release, pump);
  await screen.getByRole('button', { name: 'Dr. Ewa Lind' }).click();
  const dialog = screen.getByRole('dialog');
  await expect.element(dialog).toHaveTextContent(/Certification/);
  await expect.element(dialog).toHaveTextContent(/CET.*UTC/);
  await expect.element(dialog).toHaveTextContent(/the whole history up to entry/);
});

test('evidence is followed down to the case that failed', async () => {
  const screen = await show(Release, { id: 'payments-api-2.31.2', tab: 'evidence' }, { file: '4801' });
  const cases = screen.getByRole('grid', { name: 'Cases' });
  await expect.element(cases.getByRole('row').nth(1)).toHaveTextContent('Failed');
  await cases.getByRole('row').nth(1).click();
  await expect.element(screen.getByText(/expected 2000 ms at most, waited 2184 ms/)).toBeVisible();
  await expectAccessible(screen.container);
});

test('five hundred files stay a list of few rows in the document', async () => {
  world.manyFiles = true;
  const screen = await show(Release, { ...pump, tab: 'evidence' });
  const grid = screen.getByRole('grid', { name: 'Files' });
  await expect.element(grid).toHaveAttribute('aria-rowcount', '501');
  expect(grid.element().querySelectorAll('[role=row]').length).toBeLessThan(40);
  grid.element().scrollTop = 1e6;
  await expect.poll(() => grid.element().querySelector('[aria-rowindex="501"]')).not.toBeNull();
  expect(grid.element().querySelectorAll('[role=row]').length).toBeLessThan(40);
  await screen.getByRole('searchbox', { name: 'Find a file' }).fill('shard-412');
  await expect.element(grid).toHaveAttribute('aria-rowcount', '2');
});

test('no evidence yet says what will be here', async () => {
  world.empty = true;
  const screen = await show(Release, { ...pump, tab: 'evidence' });
  await expect.element(screen.getByText('No evidence has come in')).toBeVisible();
});

test.for(['changes', 'timeline', 'report', 'rollout'])('%s is accessible', async (tab) => {
  const screen = await show(Release, { ...pump, tab });
  await expect.element(screen.getByRole('tabpanel')).not.toHaveTextContent('Loading');
  await expectAccessible(screen.container);
});

test('a report is written where the person says, and its digest is shown', async () => {
  const screen = await show(Release, { ...pump, tab: 'report' });
  await screen.getByRole('button', { name: 'Write…' }).first().click();
  await expect.element(screen.getByRole('button', { name: 'Show in folder' })).toBeVisible();
  expect(names()).toContain('exportReport');
});

test('a release that is not there is an error with a way back', async () => {
  const screen = await show(Release, { id: 'nothing-1.0' });
  await expect.element(screen.getByRole('alert')).toBeVisible();
  await expect.element(screen.getByRole('link', { name: 'Releases' })).toBeVisible();
});

test('a damaged ledger can be read and not signed', async () => {
  world.mode = 'damaged';
  await desk.refresh();
  const screen = await show(Release, pump);
  await expect.element(screen.getByRole('button', { name: /Sign as QA/ })).toHaveAttribute('aria-disabled', 'true');
  expect(registry.run('release.primary')).toBe(false);
  expect(registry.run('release.hold')).toBe(false);
});

test('the quorum: who is missing, the fewest who complete it, and what an absence does', async () => {
  const screen = await show(Release, pump);
  await expect.element(screen.getByText('Still missing: QA and Operations.')).toBeVisible();
  await expect.element(screen.getByText('2 people are enough')).toBeVisible();
  await expect.element(screen.getByText('not without them')).toBeVisible();
  await expect.element(screen.getByText('With your signature as QA, still needed: Operations.')).toBeVisible();
  await screen.getByRole('combobox', { name: /If these were absent/ }).fill('Jo');
  await page.getByRole('option', { name: /Jo Park/ }).click();
  await expect.element(screen.getByText('It cannot be completed: nobody is left for Operations.')).toBeVisible();
  expect(world.asked.filter((one) => one.name === 'quorum').at(-1)?.request).toEqual({
    release: pump.id,
    absent: ['jo'],
    with: null,
  });
});

test('a quorum that cannot be worked out says why, and the decision stays', async () => {
  world.trouble.failing.quorum = appError('not_found', 'infusion-pump-fw has no policy');
  const screen = await show(Release, pump);
  await expect.element(screen.getByText('Infusion-pump-fw has no policy.')).toBeVisible();
  await expect.element(screen.getByText('QA has not signed')).toBeVisible();
});

test('an emergency change that went out is reviewed afterwards', async () => {
  world.emergency = true;
  const live = { id: 'notify-3.7.12' };
  const screen = await show(Release, live);
  await expect.element(screen.getByText('Review overdue')).toBeVisible();
  await screen.getByRole('button', { name: 'Record the review' }).click();
  const form = page.getByRole('dialog', { name: /Review the emergency change/ });
  await form.getByRole('textbox', { name: 'What was found' }).fill('the way was right');
  await form.getByRole('textbox', { name: 'Reason' }).fill('two working days are over');
  await expectAccessible(form.element());
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect
    .poll(() => world.prepared)
    .toEqual({
      kind: 'review',
      scope: 'emergency',
      findings: 'the way was right',
      release: live.id,
      reason: 'two working days are over',
    });
});

test('a request leaves as a file, and the answer that comes back is said; one that is refused says why', async () => {
  world.jobTick = 20;
  const screen = await show(Release, { id: 'infusion-pump-fw-4.2.0' });
  await screen.getByRole('button', { name: 'Write the request' }).click();
  await expect.element(screen.getByText('infusion-pump-fw-4.2.0.csreq')).toBeVisible();
  world.trouble.failing.carryImport = appError('malformed', 'this is not an answer as it was signed');
  await screen.getByRole('button', { name: 'Bring an answer in' }).click();
  await expect.element(screen.getByText(/not an answer as it was signed/)).toBeVisible();
  world.trouble.failing = {};
  await screen.getByRole('button', { name: 'Bring an answer in' }).click();
  await expect.element(screen.getByText('Ben Okafor said GO.')).toBeVisible();
  await expectAccessible(screen.container);
});
