import { expect, test } from 'vitest';
import { expectAccessible, show } from '../../../test/help';
import { calls, type SaveDraft } from '../../lib/ipc';
import { appError, world } from '../../lib/ipc/fake/world';
import { invalidate } from '../../lib/query.svelte';
import { desk } from '../../lib/session.svelte';
import { toasts } from '../../lib/components/toasts.svelte';
import Propose from './Propose.svelte';
import { sameField } from './draft.svelte';
import { beforeEach } from 'vitest';

beforeEach(async () => {
  world.me = 'jonas';
  await desk.refresh();
});
const saved = () => world.asked.filter((one) => one.name === 'saveDraft').map((one) => one.request as SaveDraft);

test('drafts are listed, and a new one is begun', async () => {
  const screen = await show(Propose);
  await expect.element(screen.getByRole('link', { name: /lab-gateway 1\.14\.1/ })).toBeVisible();
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'New proposal' }).first().click();
  await expect.poll(() => location.hash).toMatch(/^#\/propose\/draft-/);
});

test('what is typed is kept by itself', async () => {
  const screen = await show(Propose, { draft: 'draft-1' });
  await screen.getByRole('textbox', { name: 'Risk' }).fill('one service without stored data');
  await expect.element(screen.getByText('Not kept yet')).toBeVisible();
  await expect.poll(() => saved().at(-1)?.form.risk, { timeout: 4_000 }).toBe('one service without stored data');
  await expect.element(screen.getByText(/^Kept/)).toBeVisible();
  expect(world.prepared).toBeNull();
});

test('it is signed only after it was checked as it stands', async () => {
  const screen = await show(Propose, { draft: 'draft-1' });
  const sign = screen.getByRole('button', { name: 'Review and sign' });
  await expect.element(sign).toHaveAttribute('aria-disabled', 'true');
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'Check it' }).first().click();
  await expect.poll(() => world.asked.map((one) => one.name)).toContain('checkDraft');
  await expect.element(screen.getByRole('button', { name: 'Check again' })).toBeVisible();
  await screen.getByRole('textbox', { name: 'Version' }).fill('1.14.2');
  await expect.element(screen.getByText('Not checked since the last change')).toBeVisible();
  await expect.element(sign).toHaveAttribute('aria-disabled', 'true');
});

test('an artifact that is added has the focus', async () => {
  const screen = await show(Propose, { draft: 'draft-1' });
  await screen.getByRole('button', { name: 'Add an artifact' }).click();
  await expect.poll(() => document.activeElement?.closest('.artifact') ?? null).not.toBe(null);
});

test('a draft that was signed leads to its release', async () => {
  const { release } = (
    await calls.releases({
      text: '',
      products: [],
      states: [],
      mine: false,
      sort: 'proposed',
      descending: true,
      page: { offset: 0, limit: 1 },
    })
  ).rows[0]!;
  const { drafts } = await calls.drafts();
  const form = { ...drafts[0]!.form, release };
  const { id } = await calls.saveDraft({ id: null, amends: null, form });
  const screen = await show(Propose, { draft: id });
  await expect.element(screen.getByRole('textbox', { name: 'Version' })).toBeVisible();
  await calls.deleteDraft({ id });
  invalidate(['drafts']);
  await expect.poll(() => location.hash).toBe(`#/releases/${release}`);
});

test('a draft that is discarded comes back by Undo', async () => {
  const screen = await show(Propose, { draft: 'draft-1' });
  await screen.getByRole('button', { name: 'Discard the draft' }).click();
  await expect.poll(() => world.asked.map((one) => one.name)).toContain('deleteDraft');
  await expect.poll(() => toasts.undoLast()).toBe(true);
  await expect.poll(() => saved().at(-1)?.id).toBe(null);
  expect(saved().at(-1)?.form.product).toBe('lab-gateway');
});

test('where it cannot be kept it says so and keeps what was typed', async () => {
  world.trouble.failing.saveDraft = appError('store', 'the disk is full');
  const screen = await show(Propose);
  await screen.getByRole('button', { name: 'New proposal' }).first().click();
  await expect.poll(() => location.hash).toMatch(/^#\/propose\/draft-/);
  const form = await show(Propose, { draft: location.hash.split('/').at(-1)! });
  await form.getByRole('textbox', { name: 'Version' }).fill('9.9.9');
  await expect.element(form.getByRole('alert'), { timeout: 4_000 }).toHaveTextContent('The disk is full.');
  await expect.element(form.getByRole('textbox', { name: 'Version' })).toHaveValue('9.9.9');
});

test('a draft that is gone says where to look', async () => {
  const screen = await show(Propose, { draft: 'draft-99' });
  await expect.element(screen.getByText('This draft is no longer there')).toBeVisible();
});

test('a field is the same however the policy spells it', () => {
  expect(sameField('security-impact', 'securityImpact')).toBe(true);
  expect(sameField('risk', 'rolloutPlan')).toBe(false);
});
