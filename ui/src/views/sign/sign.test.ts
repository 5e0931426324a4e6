import { expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { userEvent } from 'vitest/browser';
import { expectAccessible } from '../../../test/help';
import { useLanguage } from '../../lib/i18n/index.svelte';
import type { Choose, Commit, Intent } from '../../lib/ipc';
import { appError, world } from '../../lib/ipc/fake/world';
import { desk } from '../../lib/session.svelte';
import Sign from './Sign.svelte';

const commits = () => world.asked.filter((one) => one.name === 'signingCommit').map((one) => one.request as Commit);
const choices = () => world.asked.filter((one) => one.name === 'signingChoose').map((one) => one.request as Choose);

async function open(intent: Intent = { kind: 'answer', release: 'infusion-pump-fw-4.2.0', role: 'qa' }) {
  world.prepared = intent;
  const screen = await render(Sign);
  await expect.element(screen.getByRole('heading', { level: 1 })).toBeVisible();
  return screen;
}
type Screen = Awaited<ReturnType<typeof open>>;

async function acknowledge(screen: Screen) {
  for (const box of screen.getByRole('checkbox').all()) await box.click();
}
async function go(screen: Screen) {
  await screen.getByRole('button', { name: 'GO', exact: true }).click();
  await screen.getByLabelText('Reason').fill('all 2,418 tests pass');
  await expect.element(screen.getByRole('checkbox').first()).toBeVisible();
  await acknowledge(screen);
}
const passphrase = (screen: Screen) => screen.getByLabelText('Passphrase of your signing key');

test('opens on its heading and offers nothing that signs', async () => {
  const screen = await open();
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveFocus();
  await expect.element(screen.getByRole('button', { name: /^Sign/ })).not.toBeInTheDocument();
  await expectAccessible(screen.container);
});

test('where no entry is made no bytes are waited for', async () => {
  const screen = await open({ kind: 'allowCommand', form: { id: 'deploy-portal', script: 'file-1', arguments: [] } });
  await screen.getByRole('button', { name: 'Continue' }).click();
  await screen.getByLabelText(/^Passphrase/).fill('copper-otter-12');
  await userEvent.keyboard('{Enter}');
  await expect.poll(() => commits().length).toBe(1);
});

test('what must be acknowledged stands beside the button and is ticked first', async () => {
  const screen = await open();
  await screen.getByRole('button', { name: 'GO', exact: true }).click();
  await screen.getByLabelText('Reason').fill('all 2,418 tests pass');
  await passphrase(screen).fill('copper-otter-12');
  await expect.element(screen.getByText('Tick what stands above first.')).toBeInTheDocument();
  await userEvent.keyboard('{Enter}');
  expect(commits()).toHaveLength(0);
  await acknowledge(screen);
  await screen.getByRole('button', { name: 'Sign GO' }).click();
  await expect.poll(() => commits().at(-1)?.acknowledged).toEqual(['waivers']);
});

test('says what is signed in the signer’s own voice, and hands back only choices, nonce and secret', async () => {
  const screen = await open();
  await go(screen);
  await expect
    .element(screen.getByRole('note', { name: 'What your signature says' }))
    .toHaveTextContent(/I, Alice Moreau, as QA, approve the release of pump-fw-4\.2\.0\.bin to production/);
  await expect.poll(() => choices().length).toBeGreaterThan(0);
  await passphrase(screen).fill('copper-otter-12');
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'Sign GO' }).click();
  await expect.element(screen.getByText('Recorded as entry 4,813')).toBeVisible();
  await expect
    .element(screen.getByText(/That was the last signature\. Jonas Weber may now start the rollout/))
    .toBeVisible();
  expect(commits()).toHaveLength(1);
  expect(Object.keys(commits()[0]!).sort()).toEqual(['acknowledged', 'nonce', 'secret']);
  expect(choices().at(-1)).toMatchObject({ verdict: 'go', role: 'qa', reason: 'all 2,418 tests pass' });
  await expectAccessible(screen.container);
});

test('from the opened window it is an answer, a passphrase and Enter', async () => {
  const screen = await open({ kind: 'answer', release: 'payments-api-2.31.1', role: 'qa' });
  await screen.getByRole('button', { name: 'GO', exact: true }).click();
  // The first thing that is still empty has the focus: no hunting for it.
  await expect.element(screen.getByLabelText('Reason')).toHaveFocus();
  await userEvent.keyboard('tests pass{Tab}copper-otter-12{Enter}');
  await expect.element(screen.getByText('Recorded as entry 4,813')).toBeVisible();
});

test('without a reason or a passphrase nothing can be signed', async () => {
  const screen = await open();
  await screen.getByRole('button', { name: 'GO', exact: true }).click();
  const sign = screen.getByRole('button', { name: 'Sign GO' });
  await passphrase(screen).fill('copper-otter-12');
  await expect.element(sign).toHaveAttribute('aria-disabled', 'true');
  await expect.element(screen.getByText('Say why first.')).toBeInTheDocument();
  await userEvent.keyboard('{Enter}');
  expect(commits()).toHaveLength(0);
  expect(choices()).toHaveLength(0);
});

test('a wrong passphrase costs only itself', async () => {
  const screen = await open();
  await go(screen);
  await passphrase(screen).fill('not this one');
  await screen.getByRole('button', { name: 'Sign GO' }).click();
  await expect.element(screen.getByText(/That passphrase is wrong\. Nothing was recorded/)).toBeVisible();
  await expect.element(screen.getByLabelText('Reason')).toHaveValue('all 2,418 tests pass');
  await expect.element(screen.getByRole('radio', { name: 'GO', exact: true })).toBeChecked();
  await expect.element(passphrase(screen)).toHaveValue('');
  await expectAccessible(screen.container);
  await passphrase(screen).fill('copper-otter-12');
  await screen.getByRole('button', { name: 'Sign GO' }).click();
  await expect.element(screen.getByText('Recorded as entry 4,813')).toBeVisible();
  // Each try had a nonce of its own.
  expect(new Set(commits().map((one) => one.nonce)).size).toBe(commits().length);
});

test('five wrong ones lock the key, and the wait is shown', async () => {
  const screen = await open();
  await go(screen);
  for (let tries = 0; tries < 5; tries += 1) {
    await passphrase(screen).fill(`wrong ${tries}`);
    await screen.getByRole('button', { name: 'Sign GO' }).click();
    await expect.poll(() => commits().length).toBe(tries + 1);
  }
  await expect.element(screen.getByRole('alert')).toHaveTextContent(/The key rests until 14:06/);
  await expect.element(passphrase(screen)).toBeDisabled();
  await expect.element(screen.getByLabelText('Reason')).toHaveValue('all 2,418 tests pass');
});

test('where the ledger moved it is shown again and not signed', async () => {
  const screen = await open();
  await go(screen);
  world.moved = true;
  await passphrase(screen).fill('copper-otter-12');
  await screen.getByRole('button', { name: 'Sign GO' }).click();
  await expect.element(screen.getByRole('alert')).toHaveTextContent(/The ledger moved while you were here/);
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveFocus();
  await expect.element(screen.getByText(/Recorded as entry/)).not.toBeInTheDocument();
  // What was acknowledged before was another thing.
  for (const box of screen.getByRole('checkbox').all()) await expect.element(box).not.toBeChecked();
  await acknowledge(screen);
  await screen.getByRole('button', { name: 'GO', exact: true }).click();
  await expect.element(screen.getByLabelText('Reason')).toHaveValue('all 2,418 tests pass');
  await expect.element(passphrase(screen)).toHaveValue('');
});

test('what changed since the last answer must be seen', async () => {
  world.changedSince = true;
  const screen = await open();
  await expect.element(screen.getByText('Changed since you last answered')).toBeVisible();
  await go(screen);
  await expect.element(screen.getByRole('checkbox', { name: /I have seen what changed/ })).toBeVisible();
});

test('what follows from a GO is not shown beside a NO-GO', async () => {
  const screen = await open();
  await go(screen);
  const promise = screen.getByText(/may then start the rollout/);
  await screen.getByRole('textbox', { name: 'Reason' }).fill('all of it was tested');
  await expect.element(promise).toBeVisible();
  await screen.getByRole('button', { name: 'Decline' }).click();
  await expect.element(promise).not.toBeInTheDocument();
  await expect.element(screen.getByText('Nothing of it goes out until it is decided.')).toBeVisible();
});

test('a NO-GO, a HOLD and conditions are answers like the GO', async () => {
  const screen = await open();
  await go(screen);
  await screen.getByRole('button', { name: 'Decline' }).click();
  await expect
    .element(screen.getByRole('note', { name: 'What your signature says' }))
    .toHaveTextContent(/refuse the release/);
  await expect.element(screen.getByRole('button', { name: 'Sign NO-GO' })).toBeVisible();
  await screen.getByRole('radio', { name: 'With conditions' }).click();
  await passphrase(screen).fill('copper-otter-12');
  await expect.element(screen.getByText('Name at least one condition.')).toBeInTheDocument();
  await screen.getByLabelText('Conditions, one a line').fill('on-call roster published\nalarm test repeated');
  await expect.poll(() => choices().at(-1)?.conditions).toEqual(['on-call roster published', 'alarm test repeated']);
});

test('Escape asks before it throws away what was typed, and closing records nothing', async () => {
  const screen = await open();
  await go(screen);
  await userEvent.keyboard('{Escape}');
  await expect.element(screen.getByRole('alertdialog')).toHaveTextContent('Close without signing?');
  await screen.getByRole('button', { name: 'Stay' }).click();
  await expect.element(screen.getByLabelText('Reason')).toHaveValue('all 2,418 tests pass');
  await userEvent.keyboard('{Escape}');
  await screen.getByRole('button', { name: 'Close without signing' }).click();
  await expect.poll(() => world.asked.map((one) => one.name)).toContain('signingCancel');
  expect(commits()).toHaveLength(0);
});

test('any other act is reviewed field by field and signed the same way', async () => {
  const screen = await open({ kind: 'setPolicy', product: 'notify', toml: 'schema = 1', reason: 'two people sign' });
  await expect.element(screen.getByText(/put forward policy v13 of notify/)).toBeVisible();
  await expect.element(screen.getByText('two people sign', { exact: true })).toBeVisible();
  await expect.element(screen.getByRole('radio')).not.toBeInTheDocument();
  await screen.getByRole('button', { name: 'Continue' }).click();
  await expect.element(passphrase(screen)).toHaveFocus();
  await passphrase(screen).fill('copper-otter-12');
  await userEvent.keyboard('{Enter}');
  await expect.element(screen.getByText('Recorded as entry 4,813')).toBeVisible();
});

test('a new key is made before it signs; too short a passphrase is refused and said', async () => {
  const screen = await open({
    kind: 'createLedger',
    title: 'Acme releases',
    directory: 'token',
    name: 'Alice Moreau',
    principal: 'alice',
    emails: [],
    reason: 'it begins',
    recovery: [],
    recoveryNeeded: 0,
    recoveryWaitHours: 72,
    charter: { rolesByTwo: true, identityByTwo: false, keyDays: 366, reviewDays: 90 },
  });
  await screen.getByRole('button', { name: 'Continue' }).click();
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('A passphrase for Alice Moreau');
  const [first, second] = [screen.getByLabelText('New passphrase'), screen.getByLabelText('The same once more')];
  await first.fill('short');
  await second.fill('short');
  await screen.getByRole('button', { name: 'Make the key' }).click();
  await expect.element(screen.getByRole('alert')).toHaveTextContent(/at least 12 characters/);
  await first.fill('four words of my own');
  await second.fill('four words of mine');
  await expect.element(screen.getByRole('button', { name: 'Make the key' })).toHaveAttribute('aria-disabled', 'true');
  await second.fill('four words of my own');
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'Make the key' }).click();
  await expect.element(screen.getByRole('heading', { level: 1 })).not.toHaveTextContent('A passphrase for');
});

test('a dispatch says what it starts, and its receipt that it has begun', async () => {
  const screen = await open({ kind: 'dispatch', release: 'infusion-pump-fw-4.2.0', resend: null });
  await expect.element(screen.getByText(/start wave 1 of infusion-pump-fw-4\.2\.0 in production/)).toBeVisible();
  await acknowledge(screen);
  await screen.getByRole('button', { name: 'Continue' }).click();
  await expect.element(screen.getByRole('button', { name: 'Start wave 1' })).toBeVisible();
});

test('whoever unlocks the desk gets the desk', async () => {
  const screen = await open({ kind: 'unlock', principal: 'alice' });
  await screen.getByRole('button', { name: 'Continue' }).click();
  await screen.getByLabelText(/^Passphrase of the key of/).fill('copper-otter-12');
  await screen.getByRole('button', { name: 'Unlock' }).click();
  await expect.poll(() => world.asked.map((one) => one.name)).toContain('closeWindow');
  expect(world.asked.map((one) => one.name)).not.toContain('signingCancel');
});

test('says so when nothing is prepared, and when the machine cannot say what is', async () => {
  world.trouble.failing.signingChallenge = appError('nothing_to_sign', 'nothing is being signed');
  const screen = await render(Sign);
  await expect.element(screen.getByText('Nothing is prepared to be signed')).toBeVisible();
  await expectAccessible(screen.container);
});

test('an error is told with what is safe and what to do', async () => {
  world.trouble.failing.signingChallenge = appError('store', 'the disk is full', { hint: 'free some space' });
  const screen = await render(Sign);
  await expect.element(screen.getByRole('alert')).toHaveTextContent('The disk is full.');
  world.trouble.failing = {};
  await screen.getByRole('button', { name: 'Try again' }).click();
  await expect.element(screen.getByText('What you decide on')).toBeVisible();
});

test('speaks German', async () => {
  await desk.apply({ ...world.settings, language: 'german', locale: 'de-DE' });
  await useLanguage('de');
  const screen = await open();
  await screen.getByRole('button', { name: 'GO', exact: true }).click();
  await expect
    .element(screen.getByRole('note', { name: 'Was Ihre Unterschrift sagt' }))
    .toHaveTextContent(/Ich, Alice Moreau, stimme als QS der Auslieferung von pump-fw-4\.2\.0\.bin nach production zu/);
  await expect.element(screen.getByRole('button', { name: 'GO unterschreiben' })).toBeVisible();
});

test('one matter of several signatures: each is shown and signed by itself', async () => {
  world.me = 'mduval';
  await desk.refresh();
  const screen = await open({ kind: 'leave', principal: 'ben', reason: 'left the company' });
  await expect.element(screen.getByText('Signature 1 of 2.')).toBeVisible();
  await screen.getByRole('button', { name: 'Continue' }).click();
  await passphrase(screen).fill('green-anchor-2');
  await userEvent.keyboard('{Enter}');
  await expect.element(screen.getByText(/Signature 2 of 2.*The one before is entry/)).toBeVisible();
  // Nothing of the first holds for the second: it is read again, and the passphrase typed again.
  expect(commits()).toHaveLength(1);
  await expect.element(screen.getByRole('button', { name: 'Continue' })).toBeVisible();
  await expectAccessible(screen.container);
  await screen.getByRole('button', { name: 'Continue' }).click();
  await expect.element(passphrase(screen)).toHaveValue('');
  await passphrase(screen).fill('green-anchor-2');
  await userEvent.keyboard('{Enter}');
  await expect.element(screen.getByRole('heading', { level: 1 })).toHaveTextContent('Signed');
  expect(commits().map((one) => one.nonce)).toHaveLength(2);
});

test('a GO says whose signatures are still needed after it', async () => {
  const screen = await open();
  await go(screen);
  await expect.element(screen.getByText('With this signature, still needed: Operations.')).toBeVisible();
});

test('a second person’s word names the person and the role', async () => {
  const screen = await open({ kind: 'confirmPeople', entry: 4803, reason: 'I know him' });
  await expect.element(screen.getByText(/confirm that Tomasz Zieliński is to be/)).toBeVisible();
});
