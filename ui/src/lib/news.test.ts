import { expect, test } from 'vitest';
import { show } from '../../test/help';
import Board from '../views/board/Board.svelte';
import Inbox from '../views/inbox/Inbox.svelte';
import Release from '../views/release/Release.svelte';
import Releases from '../views/releases/Releases.svelte';
import { world } from './ipc/fake';
import { appError } from './ipc/fake/world';
import { news } from './news.svelte';
import { remember } from './remembered';
import { desk } from './session.svelte';

const pump = 'infusion-pump-fw-4.2.0';
const mark = 'Changed since you looked';
const asked = () => world.asked.filter((one) => one.name === 'audit').length;

/** As if the person had last been here when the ledger had this many entries. */
async function lastHere(from: number, at: Record<string, number> = {}) {
  remember('looked', { from, at });
  news.forget();
  await news.follow();
}

test('whoever is here for the first time is told of nothing old, and nothing is read for it', async () => {
  await news.follow();
  expect(asked()).toBe(0);
  expect(news.count).toBe(0);
  expect(news.changed(pump)).toBe(false);
});

test('what others recorded since is marked on board, inbox and list, and no longer once it was looked at', async () => {
  await lastHere(4790);
  expect(news.changed(pump)).toBe(true);
  const list = await show(Releases);
  await expect.poll(() => list.container.querySelector(`[data-key="${pump}"]`)?.textContent).toContain(mark);
  await list.unmount();
  const board = await show(Board);
  await expect.element(board.getByRole('rowheader', { name: /infusion-pump-fw/ })).toHaveTextContent(mark);
  await board.unmount();
  const inbox = await show(Inbox);
  await expect.element(inbox.getByRole('heading', { name: /infusion-pump-fw 4.2.0/ }).first()).toHaveTextContent(mark);
  await inbox.unmount();

  const release = await show(Release, { id: pump });
  await expect.element(release.getByRole('heading', { level: 1 })).toBeVisible();
  await expect.poll(() => news.changed(pump)).toBe(false);
  await release.unmount();
  const again = await show(Releases);
  await expect.poll(() => again.container.querySelector(`[data-key="${pump}"]`)?.textContent).toContain('4.2.0');
  expect(again.container.querySelector(`[data-key="${pump}"]`)!.textContent).not.toContain(mark);
});

test('an entry of one’s own is no news', async () => {
  // Entry 4806 about it is Jo Park's; nothing about it came after.
  await lastHere(4806);
  expect(news.changed(pump)).toBe(true);
  world.me = 'jo';
  await desk.refresh();
  await lastHere(4806);
  expect(news.changed(pump)).toBe(false);
});

test('what comes while it is read is not lost', async () => {
  await lastHere(4812);
  // The ledger the window knows of is older than the one that answers.
  desk.session = { ...desk.session!, ledger: { ...desk.session!.ledger!, entries: 4806 } };
  await lastHere(4805);
  expect(news.changed(pump)).toBe(true);
});

test('all of them can be marked as seen at once', async () => {
  await lastHere(4700);
  const list = await show(Releases);
  await list.getByRole('button', { name: 'Mark as seen' }).click();
  expect(news.count).toBe(0);
  await lastHere(4812);
  expect(news.count).toBe(0);
});

test('a long absence costs a few pages, and one that fails costs no screen', async () => {
  await lastHere(10);
  expect(asked()).toBe(5);
  world.trouble.failing.audit = appError('store', 'the disk is gone');
  await lastHere(4000);
  expect(news.count).toBe(0);
  delete world.trouble.failing.audit;
  await news.follow();
  expect(news.count).toBeGreaterThan(0);
});
