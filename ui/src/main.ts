import './lib/design/fonts.css';
import './lib/design/tokens.css';
import './lib/design/base.css';
import './lib/components/controls.css';
import { flushSync, mount } from 'svelte';
import App from './lib/frame/App.svelte';
import { useClipboard } from './lib/components/clipboard';
import { useLanguage } from './lib/i18n/index.svelte';
import { calls } from './lib/ipc';
import { desk } from './lib/session.svelte';

useClipboard((text) => calls.copyText({ text }).then(() => undefined));
document.addEventListener('contextmenu', (event) => {
  if (!(event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement))
    event.preventDefault();
});

async function open(): Promise<void> {
  const session = desk.refresh();
  try {
    await desk.apply(await calls.settings());
  } catch (thrown) {
    // Without settings the window still has to be able to say what is wrong.
    await useLanguage('en');
    desk.failure = thrown;
  }
  await session;
  mount(App, { target: document.getElementById('app')! });
  // The window is hidden until now, and a hidden one draws no frames to wait for.
  flushSync();
  setTimeout(() => void calls.pageReady().catch(() => undefined), 0);
}
void open();
