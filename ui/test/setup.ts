/** What every test stands on: the prototypes frozen as in the shell, English words, the sample's own clock. */
import '../src/lib/design/tokens.css';
import '../src/lib/design/base.css';
import '../src/lib/components/controls.css';
// Before the prototypes are frozen: axe names functions of its own after those of Object.
import 'axe-core';
import { beforeEach } from 'vitest';
import { clock, zone } from '../src/lib/i18n/format.svelte';
import { useLanguage, words } from '../src/lib/i18n/index.svelte';
import { useClipboard } from '../src/lib/components/clipboard';
import { calls } from '../src/lib/ipc';
import { world } from '../src/lib/ipc/fake';
import { now } from '../src/lib/ipc/fake/world';
import { news } from '../src/lib/news.svelte';
import { forgetAll } from '../src/lib/query.svelte';
import { cleanup } from 'vitest-browser-svelte/pure';
import { desk } from '../src/lib/session.svelte';

Object.freeze(Object.prototype);
useClipboard((text) => calls.copyText({ text }).then(() => undefined));

beforeEach(async () => {
  // The screen of the test before must not ask again in this one.
  await cleanup();
  world.reset();
  world.jobTick = 5;
  forgetAll();
  localStorage.clear();
  news.forget();
  words.region = 'en-GB';
  await useLanguage('en');
  zone.name = 'Europe/Zurich';
  zone.mode = 'local';
  await desk.apply(await calls.settings());
  await desk.refresh();
  clock.follow(now);
  document.documentElement.dataset['theme'] = 'light';
  location.hash = '#/inbox';
});
