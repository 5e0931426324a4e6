import { expect, test } from 'vitest';
import { languages } from '../../lib/i18n/index.svelte';
import { expectAccessible, show } from '../../../test/help';
import Help from './Help.svelte';
import { plain, topicIds, topicsOf, type Block } from './topics';

const shape = (block: Block): string =>
  typeof block === 'string' ? 'text' : 'list' in block ? `list ${block.list.length}` : `steps ${block.steps.length}`;

test('both languages have the same topics, of the same shape', async () => {
  const [english, german] = await Promise.all(languages.map(topicsOf));
  for (const id of topicIds) {
    expect(german![id].body.map(shape), id).toEqual(english![id].body.map(shape));
    expect(plain(german![id]), id).not.toBe(plain(english![id]));
  }
});

test('opens at a topic and finds by words', async () => {
  const screen = await show(Help, { topic: 'fate-unknown' });
  await expect.element(screen.getByRole('heading', { level: 2, name: 'Fate unknown' })).toBeVisible();
  await screen.getByRole('searchbox').fill('gap samples');
  await expect.element(screen.getByRole('heading', { level: 2, name: 'Rollouts' })).toBeVisible();
  await screen.getByRole('searchbox').fill('zzz');
  await expect.element(screen.getByText('Nothing about “zzz”')).toBeVisible();
  await expectAccessible(screen.container);
});
