import { beforeEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { expectAccessible, show } from '../../../test/help';
import { appError, world } from '../../lib/ipc/fake/world';
import { useLanguage } from '../../lib/i18n/index.svelte';
import { desk } from '../../lib/session.svelte';
import People from './People.svelte';

beforeEach(async () => {
  world.me = 'mduval';
  await desk.refresh();
});

test('lists people with roles, state and key, and finds them by role', async () => {
  const screen = await show(People);
  const grid = screen.getByRole('grid', { name: 'People' });
  await expect.element(grid).toHaveAttribute('aria-rowcount', '11');
  await expectAccessible(screen.container);
  await screen.getByRole('searchbox').fill('release manager');
  await expect.element(grid).toHaveAttribute('aria-rowcount', '2');
  await expect.element(grid).toHaveTextContent('Jonas Weber');
  await screen.getByRole('searchbox').fill('nobody at all');
  await expect.element(screen.getByText('Nobody fits')).toBeVisible();
});

test('a person is enrolled through the signing window, with a key made here', async () => {
  const screen = await show(People);
  await screen.getByRole('button', { name: 'Enrol a person' }).click();
  const form = page.getByRole('dialog', { name: 'Enrol a person' });
  const go = form.getByRole('button', { name: 'Review and sign' });
  await expect.element(go).toHaveAttribute('aria-disabled', 'true');
  await form.getByRole('textbox', { name: 'Name' }).fill('Lea Brunner');
  await form.getByRole('textbox', { name: 'Principal' }).fill('lea@meridian.example');
  await form.getByRole('textbox', { name: 'How it was checked who they are' }).fill('passport seen');
  await form.getByRole('textbox', { name: /Other addresses/ }).fill('lea@old.example; l@x.example');
  await form.getByRole('textbox', { name: 'Reason' }).fill('joins QA');
  await expectAccessible(form.element());
  await go.click();
  await expect
    .poll(() => world.prepared)
    .toEqual({
      kind: 'enrol',
      form: {
        name: 'Lea Brunner',
        principal: 'lea@meridian.example',
        identity: 'passport seen',
        emails: ['lea@old.example', 'l@x.example'],
        publicKey: null,
        validUntil: null,
      },
      reason: 'joins QA',
    });
  await expect.poll(() => world.asked.some((one) => one.name === 'openSigning')).toBe(true);
  await expect.element(form).not.toBeInTheDocument();
});

test('a refusal stands at the field it is about, and what was typed stays', async () => {
  world.trouble.failing.prepare = appError('reused', 'this principal was used before', { field: 'principal' });
  const screen = await show(People);
  await screen.getByRole('button', { name: 'Enrol a person' }).click();
  const form = page.getByRole('dialog', { name: 'Enrol a person' });
  await form.getByRole('textbox', { name: 'Name' }).fill('Ben Okafor');
  await form.getByRole('textbox', { name: 'Principal' }).fill('ben');
  await form.getByRole('textbox', { name: 'How it was checked who they are' }).fill('badge');
  await form.getByRole('textbox', { name: 'Reason' }).fill('again');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect.element(form.getByRole('textbox', { name: 'Principal' })).toHaveAttribute('aria-invalid', 'true');
  await expect.element(form.getByRole('alert')).toHaveTextContent('This principal was used before.');
  await expect.element(form.getByRole('textbox', { name: 'Name' })).toHaveValue('Ben Okafor');
});

test('one person: roles, keys with origin, and what ends a key', async () => {
  const screen = await show(People, { id: 'ben' });
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Ben Okafor');
  await expect.element(screen.getByText('Replaced')).toBeVisible();
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'Report it lost' }).click();
  const form = page.getByRole('dialog', { name: 'Report the key of Ben Okafor lost' });
  await form.getByRole('textbox', { name: 'Reason' }).fill('left in a train');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect
    .poll(() => world.prepared)
    .toEqual({ kind: 'endKey', principal: 'ben', lost: true, reason: 'left in a train' });
});

test('a role may be given for one product and end by itself', async () => {
  const screen = await show(People, { id: 'ravi' });
  await screen.getByRole('button', { name: 'Give a role' }).click();
  const form = page.getByRole('dialog', { name: 'Give Ravi Nair a role' });
  await form.getByRole('combobox', { name: /^Role/ }).click();
  await page.getByRole('option', { name: /Security/ }).click();
  await form.getByRole('combobox', { name: /^For/ }).click();
  await page.getByRole('option', { name: /Payments API/ }).click();
  await form.getByRole('textbox', { name: 'Reason' }).fill('deputy in December');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect
    .poll(() => world.prepared)
    .toMatchObject({
      kind: 'changeRole',
      principal: 'ravi',
      role: 'security',
      product: 'payments-api',
      change: 'grant',
      training: null,
    });
});

test('whoever may not administer is told who may', async () => {
  const me = desk.session!.me!;
  desk.take({ ...desk.session!, me: { ...me, may: [] } });
  const screen = await show(People);
  const button = screen.getByRole('button', { name: 'Enrol a person' });
  await expect.element(button).toHaveAttribute('aria-disabled', 'true');
  await expect.element(button).toHaveAccessibleDescription('A process owner does this.');
});

test('a device waits for a second person, who confirms it', async () => {
  const screen = await show(People, {}, { tab: 'devices' });
  await screen.getByRole('button', { name: 'Confirm it' }).click();
  const form = page.getByRole('dialog', { name: 'Confirm meridian-dispatch-01' });
  await form.getByRole('textbox', { name: 'Reason' }).fill('stood beside it');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect
    .poll(() => world.prepared)
    .toEqual({ kind: 'confirmDevice', principal: 'disp-1', reason: 'stood beside it' });
  await expectAccessible(screen.container);
});

test('roles and reviews can be read', async () => {
  const roles = await show(People, {}, { tab: 'roles' });
  await expect.element(roles.getByRole('row', { name: /QA/ })).toHaveTextContent('Ravi Nair');
  await expectAccessible(roles.container);
  await roles.unmount();
  const reviews = await show(People, {}, { tab: 'reviews' });
  await expect.element(reviews.getByText(/2 of Mireille Duval, Dr. Ewa Lind and Chiara Rossi/)).toBeVisible();
  await expectAccessible(reviews.container);
});

test('one who has not accepted can accept here, with their own key', async () => {
  const screen = await show(People, { id: 'hana' });
  await screen.getByRole('button', { name: 'Hand over, so that they accept' }).click();
  await expect.poll(() => world.prepared).toEqual({ kind: 'accept', principal: 'hana' });
});

test('a second person confirms a role and a newcomer; who asked for it cannot', async () => {
  world.me = 'alice';
  await desk.refresh();
  const screen = await show(People, {}, { tab: 'waiting' });
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'Confirm it' }).first().click();
  const form = page.getByRole('dialog', { name: 'Confirm Tomasz Zieliński: to be QA of infusion-pump-fw' });
  const go = form.getByRole('button', { name: 'Review and sign' });
  await expect.element(go).toHaveAttribute('aria-disabled', 'true');
  await form.getByRole('textbox', { name: 'Reason' }).fill('I know him');
  await go.click();
  await expect.poll(() => world.prepared).toEqual({ kind: 'confirmPeople', entry: 4803, reason: 'I know him' });
  await screen.unmount();
  world.me = 'mduval';
  await desk.refresh();
  const own = await show(People, {}, { tab: 'waiting' });
  const button = own.getByRole('button', { name: 'Confirm it' }).first();
  await expect.element(button).toHaveAttribute('aria-disabled', 'true');
  await expect.element(button).toHaveAccessibleDescription(/Alice Moreau or Jonas Weber can confirm it/);
});

test('nothing waits: it says what would', async () => {
  world.empty = true;
  const screen = await show(People, {}, { tab: 'waiting' });
  await expect.element(screen.getByText('Nothing waits for a second person')).toBeVisible();
});

test('a recovery under way is told, with who can still end it, and signed by those the first entry names', async () => {
  world.recovering = true;
  const screen = await show(People, {}, { tab: 'waiting' });
  await expect.element(screen.getByText(/Tomasz Zieliński becomes process owner/)).toBeVisible();
  await expect.element(screen.getByText(/Nobody answers for dose-planner/)).toBeVisible();
  await screen.unmount();
  const reviews = await show(People, {}, { tab: 'reviews' });
  await expect.element(reviews.getByText(/2 of 2 have signed/)).toBeVisible();
  await reviews.getByRole('button', { name: 'Recover the ledger' }).click();
  const form = page.getByRole('dialog', { name: 'Make a new process owner' });
  await form.getByRole('combobox', { name: /^Who is to own/ }).click();
  await page.getByRole('option', { name: /Jonas Weber/ }).click();
  await form.getByRole('textbox', { name: 'Reason' }).fill('Mireille has left');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect
    .poll(() => world.prepared)
    .toMatchObject({ kind: 'changeRole', principal: 'jonas', role: 'process-owner', change: 'recover' });
});

test('a role is lent for a while, by its holder alone', async () => {
  world.me = 'alice';
  await desk.refresh();
  const screen = await show(People, { id: 'alice' });
  await expect.element(screen.getByText(/trained \(GxP course 2026-114\) until/)).toBeVisible();
  await screen.getByRole('button', { name: 'Let somebody sign for you' }).click();
  const form = page.getByRole('dialog', { name: 'Let somebody sign as QA in your place' });
  await form.getByRole('combobox', { name: /^Who signs/ }).click();
  await page.getByRole('option', { name: /Jo Park/ }).click();
  await form.getByRole('textbox', { name: 'Reason' }).fill('on leave');
  const go = form.getByRole('button', { name: 'Review and sign' });
  await expect.element(go).toHaveAttribute('aria-disabled', 'true');
  await expect.element(go).toHaveAccessibleDescription('Choose when it ends first.');
  await expectAccessible(form.element());
  await screen.unmount();
  const other = await show(People, { id: 'ravi' });
  await expect.element(other.getByText(/in the place of Alice Moreau/)).toBeVisible();
  await expect.element(other.getByRole('button', { name: 'Let somebody sign for you' })).not.toBeInTheDocument();
});

test('a role comes with its training record, both or neither', async () => {
  const screen = await show(People, { id: 'ben' });
  await screen.getByRole('button', { name: 'Give a role' }).click();
  const form = page.getByRole('dialog', { name: 'Give Ben Okafor a role' });
  await expect.element(form.getByText('It counts once a second person has confirmed it.')).toBeVisible();
  await form.getByRole('combobox', { name: /^Role/ }).click();
  await page.getByRole('option', { name: /^QA/ }).click();
  await form.getByRole('textbox', { name: /Training record/ }).fill('GxP course');
  await form.getByRole('textbox', { name: 'Reason' }).fill('appointed');
  const go = form.getByRole('button', { name: 'Review and sign' });
  await expect.element(go).toHaveAccessibleDescription('Give the training record and until when it holds.');
});

test('who leaves loses everything, each signature by itself', async () => {
  const screen = await show(People, { id: 'ben' });
  await screen.getByRole('button', { name: 'They leave' }).click();
  const form = page.getByRole('dialog', { name: 'Ben Okafor leaves' });
  await expect.element(form.getByText(/2 signatures/)).toBeVisible();
  await form.getByRole('textbox', { name: 'Reason' }).fill('left the company');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect.poll(() => world.prepared).toEqual({ kind: 'leave', principal: 'ben', reason: 'left the company' });
});

test('the table of permissions says what each role may', async () => {
  const screen = await show(People, {}, { tab: 'roles' });
  const table = screen.getByRole('group', { name: 'Who may do what' });
  const row = table.getByRole('row', { name: /enrol a person/ });
  await expect.poll(() => row.element().querySelectorAll('[data-tone=go]').length).toBe(1);
  const answer = table.getByRole('row', { name: /answer: GO/ });
  await expect.element(answer.getByRole('cell').last()).toContainHTML('may');
});

test('when it cannot be read it says so; nobody of a name is said in words', async () => {
  world.trouble.failing.people = appError('busy', 'another program is writing to this ledger');
  const screen = await show(People);
  await expect.element(screen.getByRole('alert')).toHaveTextContent('Another program is writing to this ledger.');
  world.trouble.failing = {};
  await screen.unmount();
  const nobody = await show(People, { id: 'nobody' });
  await expect.element(nobody.getByText('Nobody of that name')).toBeVisible();
});

test('speaks German', async () => {
  await useLanguage('de');
  const screen = await show(People);
  await expect.element(screen.getByRole('button', { name: 'Person aufnehmen' })).toBeVisible();
});
