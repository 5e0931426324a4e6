/**
 * Each card of the component page against the picture it had. A picture that is meant to differ is made anew with
 * `npm run goldens`, looked at, and committed. The pictures are of one platform; glyphs are drawn otherwise on another.
 */
import { expect, test } from 'vitest';
import { page, server } from 'vitest/browser';
import '../../lib/design/fonts.css';
import { show } from '../../../test/help';
import Gallery from './Gallery.svelte';

/** In the order of the page. */
const cards = ['buttons', 'states', 'fields', 'choices', 'overlays', 'feedback', 'data', 'rollout', 'icons'] as const;
const looks: readonly [name: string, theme: string, cards: readonly (typeof cards)[number][]][] = [
  ['light', 'light', cards],
  ['dark', 'dark', cards],
  ['contrast', 'light', ['buttons', 'states', 'fields', 'choices']],
];
const here = server.platform === 'linux';

async function gallery(theme: string, contrast: boolean) {
  await page.viewport(1000, 740);
  const root = document.documentElement;
  root.dataset['theme'] = theme;
  if (contrast) root.dataset['contrast'] = 'more';
  else delete root.dataset['contrast'];
  const screen = await show(Gallery);
  await document.fonts.ready;
  // What waits says so after two seconds; until then a picture would depend on how fast it is taken.
  await expect.element(screen.getByText(/^Still working/)).toBeInTheDocument();
  return screen;
}
async function tidy() {
  delete document.documentElement.dataset['contrast'];
  await page.viewport(1280, 800);
}

test.runIf(here).for(looks)('every component looks as it did, %s', async ([name, theme, wanted]) => {
  const screen = await gallery(theme, name === 'contrast');
  const found = [...screen.container.querySelectorAll('.gallery > section')];
  expect(found).toHaveLength(cards.length);
  for (const card of wanted) {
    const element = found[cards.indexOf(card)]!;
    element.scrollIntoView({ block: 'start' });
    await expect.element(page.elementLocator(element)).toMatchScreenshot(`${card}-${name}`);
  }
  await tidy();
});

test.runIf(here).for(['light', 'dark'])('what opens over the page looks as it did, %s', async (theme) => {
  const screen = await gallery(theme, false);
  await screen.getByRole('button', { name: 'Open a dialog' }).click();
  await expect.element(screen.getByRole('dialog')).toMatchScreenshot(`dialog-${theme}`);
  await screen.getByRole('button', { name: 'Cancel' }).click();
  await page.elementLocator(screen.container.querySelector('button.trigger')!).click();
  await expect.element(page.getByRole('listbox')).toMatchScreenshot(`list-${theme}`);
  await tidy();
});
