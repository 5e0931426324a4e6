import { beforeEach, expect, test } from 'vitest';
import { page } from 'vitest/browser';
import { expectAccessible, show } from '../../../test/help';
import { appError, world } from '../../lib/ipc/fake/world';
import { useLanguage } from '../../lib/i18n/index.svelte';
import { desk } from '../../lib/session.svelte';
import Products from './Products.svelte';

beforeEach(async () => {
  localStorage.clear();
  world.me = 'mduval';
  await desk.refresh();
});

test('lists products and says what each still lacks', async () => {
  const screen = await show(Products);
  const row = screen.getByRole('row', { name: /dose-planner/ });
  await expect.element(row).toHaveTextContent('none for production');
  await expect.element(row).toHaveTextContent('new one waits');
  await expectAccessible(screen.container);
});

test('without products it says what one is, and a product is added by a signature', async () => {
  world.empty = true;
  const screen = await show(Products);
  await expect.element(screen.getByText('No products yet')).toBeVisible();
  await screen.getByRole('button', { name: 'Add a product' }).first().click();
  const form = page.getByRole('dialog', { name: 'Add a product' });
  await form.getByRole('textbox', { name: 'Name', exact: true }).fill('Shop');
  await form.getByRole('textbox', { name: 'Short name' }).fill('shop');
  await form.getByRole('textbox', { name: 'Promotion path' }).fill('test, staging → production');
  await form.getByRole('textbox', { name: 'Reason' }).fill('our product');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect
    .poll(() => world.prepared)
    .toEqual({
      kind: 'setProduct',
      product: 'shop',
      title: 'Shop',
      path: ['test', 'staging', 'production'],
      reason: 'our product',
    });
});

test('one product: its path, who signs the last gate, how far it has come', async () => {
  const screen = await show(Products, { id: 'notify' });
  const mode = screen.getByRole('region', { name: 'Continuous Deployment' });
  await expect.element(mode).toHaveTextContent('in force');
  await expect.element(screen.getByRole('region', { name: 'Continuous Delivery' })).not.toHaveTextContent('in force');
  await expect.element(screen.getByText('level 5 of 5')).toBeVisible();
  await expectAccessible(screen.container);
});

test('targets show where, what proves arrival, and how well it is enforced', async () => {
  const screen = await show(Products, { id: 'dose-planner', tab: 'targets' });
  await expect.element(screen.getByText(/This desk cannot reach it/)).toBeVisible();
  await screen
    .getByRole('button', { name: /the pipeline checks/ })
    .first()
    .click();
  await expect.element(page.getByRole('dialog', { name: 'Enforcement' })).toHaveTextContent('Still open');
  await expectAccessible(screen.container);
});

test('a target keeps what it has and changes what was changed', async () => {
  const screen = await show(Products, { id: 'infusion-pump-fw', tab: 'targets' });
  await screen.getByRole('region', { name: 'staging' }).getByRole('button', { name: 'Change' }).click();
  const form = page.getByRole('dialog', { name: 'Where staging is' });
  await form.getByRole('textbox', { name: 'Job' }).fill('pump-deploy');
  await form.getByRole('textbox', { name: 'Reason' }).fill('renamed');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect
    .poll(() => world.prepared)
    .toMatchObject({
      kind: 'setTarget',
      form: {
        environment: 'staging',
        job: 'pump-deploy',
        connector: { kind: 'buildbot', baseUrl: 'https://ci.meridian.example' },
        segments: [{ name: 'bench', instances: [{ health: 'https://infusion-pump-fw-1.clinic.example/health' }, {}] }],
      },
    });
});

test('a policy that waits can be answered; an old one is compared with the one in force', async () => {
  const screen = await show(Products, { id: 'dose-planner', tab: 'policy' });
  await screen.getByRole('button', { name: 'Answer it' }).click();
  await expect.poll(() => world.prepared).toEqual({ kind: 'answerPolicy', product: 'dose-planner', version: 13 });
  await expectAccessible(screen.container);
  await screen.unmount();
  const old = await show(Products, { id: 'dose-planner', tab: 'policy' }, { version: '11' });
  await old.getByRole('radio', { name: 'Against the one in force' }).click({ force: true });
  await expect
    .element(old.getByRole('group', { name: 'Against the one in force' }))
    .toHaveTextContent(/hours = 24.*hours = 12/);
});

test('the editor names line and column, goes there, and lets nothing unlawful be signed', async () => {
  const screen = await show(Products, { id: 'infusion-pump-fw', tab: 'edit' });
  const area = screen.getByRole('textbox', { name: 'Policy text' });
  const sign = screen.getByRole('button', { name: 'Sign it' });
  await expect.element(sign).toHaveAccessibleDescription('It is the policy in force, unchanged.');
  const text = (area.element() as HTMLTextAreaElement).value;
  await area.fill(text.replace('"delivery"', '"whenever"'));
  await screen.getByRole('button', { name: 'Line 2, column 8' }).click();
  expect((area.element() as HTMLTextAreaElement).selectionStart).toBe(text.indexOf('"delivery"'));
  await expect.element(sign).toHaveAccessibleDescription('It is not a lawful policy yet.');
  await expectAccessible(screen.container);

  await area.fill(text.replace('hours = 24', 'hours = 12'));
  await expect.element(screen.getByText('A lawful policy')).toBeVisible();
  await expect.element(screen.getByRole('group', { name: 'What changes' })).toHaveTextContent(/hours = 24.*hours = 12/);
  await expect.element(screen.getByText('Ben Okafor')).toBeVisible();
  await sign.click();
  const form = page.getByRole('dialog', { name: 'Sign the new policy' });
  await form.getByRole('textbox', { name: 'Reason' }).fill('a night is enough');
  await form.getByRole('button', { name: 'Review and sign' }).click();
  await expect
    .poll(() => world.prepared)
    .toMatchObject({ kind: 'setPolicy', product: 'infusion-pump-fw', reason: 'a night is enough' });
  expect((world.prepared as { toml: string }).toml).toBe(text.replace('hours = 24', 'hours = 12'));
});

test('a draft of a policy outlives the page, and starting over can be taken back', async () => {
  const first = await show(Products, { id: 'infusion-pump-fw', tab: 'edit' });
  const area = first.getByRole('textbox', { name: 'Policy text' });
  await area.fill('# mine\n[quorum]\nqa = 1\n');
  await first.unmount();
  const again = await show(Products, { id: 'infusion-pump-fw', tab: 'edit' });
  await expect.element(again.getByRole('textbox', { name: 'Policy text' })).toHaveValue('# mine\n[quorum]\nqa = 1\n');
  await again.getByRole('button', { name: 'Start over' }).click();
  await expect
    .element(again.getByRole('textbox', { name: 'Policy text' }))
    .not.toHaveValue('# mine\n[quorum]\nqa = 1\n');
});

test('when a product cannot be read it says so', async () => {
  const screen = await show(Products, { id: 'no-such-product' });
  await expect.element(screen.getByRole('alert')).toHaveTextContent('There is no product no-such-product.');
  await screen.unmount();
  world.trouble.failing.checkPolicy = appError('busy', 'another program is writing to this ledger');
  const editor = await show(Products, { id: 'notify', tab: 'edit' });
  await expect.element(editor.getByRole('alert')).toHaveTextContent('Another program is writing to this ledger.');
});

test('speaks German', async () => {
  await useLanguage('de');
  const screen = await show(Products, { id: 'notify' });
  await expect.element(screen.getByText('Wer die letzte Freigabe unterschreibt')).toBeVisible();
});
