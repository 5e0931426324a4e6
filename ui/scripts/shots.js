/**
 * A picture of every screen over the in-memory backend: light and dark, 1280×800 and 1920×1080, into `shots/`.
 * `node scripts/shots.js board release` makes only those whose name contains a word. Ends with an error where a page said one.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { serve } from './serve.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}/shots`;
mkdirSync(out, { recursive: true });

/** @type {[name: string, hash: string, fake?: string, page?: string][]} */
const screens = [
  ['inbox', '#/inbox'],
  ['inbox-empty', '#/inbox', 'empty'],
  ['inbox-error', '#/inbox', 'fail:inbox'],
  ['inbox-damaged', '#/inbox', 'mode:damaged'],
  ['locked', '#/inbox', 'locked'],
  ['board', '#/board'],
  ['board-german', '#/board', 'language:german,locale:de-CH'],
  ['board-contrast', '#/board', 'theme:highContrast'],
  ['board-compact', '#/board', 'density:compact'],
  ['releases', '#/releases'],
  ['release', '#/releases/infusion-pump-fw-4.2.0'],
  ['release-forty', '#/releases/infusion-pump-fw-4.2.0', 'manyApprovers'],
  ['release-evidence', '#/releases/infusion-pump-fw-4.2.0/evidence'],
  ['release-changes', '#/releases/infusion-pump-fw-4.2.0/changes'],
  ['release-rollout', '#/releases/patient-portal-9.0.4/rollout'],
  ['release-timeline', '#/releases/infusion-pump-fw-4.2.0/timeline'],
  ['release-report', '#/releases/infusion-pump-fw-4.2.0/report'],
  ['release-stale', '#/releases/payments-api-2.31.1'],
  ['release-halted', '#/releases/payments-api-2.31.2'],
  ['propose', '#/propose/draft-1'],
  ['request', '#/request/payments-api-2.31.1'],
  ['rollouts', '#/rollouts'],
  ['rollout', '#/rollouts/patient-portal-9.0.4'],
  ['calendar', '#/calendar'],
  ['audit', '#/audit'],
  ['audit-entry', '#/audit/4764'],
  ['audit-damaged', '#/audit', 'mode:damaged'],
  ['people', '#/people'],
  ['person', '#/people/alice'],
  ['products', '#/products'],
  ['product', '#/products/infusion-pump-fw'],
  ['authorizations', '#/authorizations'],
  ['connectors', '#/connectors'],
  ['settings', '#/settings'],
  ['help', '#/help'],
  ['help-german', '#/help', 'language:german,locale:de-CH'],
  ['gallery', '#/gallery'],
  ['start', '#/start', 'mode:start'],
  ['start-first', '#/start', 'mode:start,empty'],
  ['start-create', '#/start/create', 'mode:start'],
  ['sign', '', '', 'sign.html'],
];
const sizes = /** @type {const} */ ([
  [1280, 800],
  [1920, 1080],
]);

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const quick = process.argv.includes('--quick');
const wanted = screens.filter(([name]) => !words.length || words.some((word) => name.includes(word)));
const executablePath = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);

const given = process.env['SHOTS_URL'];
const { url, stop } = given ? { url: given, stop: () => undefined } : await serve(`${root}/dist-fake`);
const browser = await chromium.launch({
  ...(executablePath ? { executablePath } : {}),
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
/** @type {string[]} */
const said = [];
for (const [width, height] of quick ? sizes.slice(0, 1) : sizes) {
  for (const theme of quick && !process.argv.includes('--dark') ? ['light'] : ['light', 'dark']) {
    const context = await browser.newContext({
      viewport: { width, height },
      reducedMotion: 'reduce',
      colorScheme: theme === 'dark' ? 'dark' : 'light',
    });
    // As in the shell.
    await context.addInitScript(() => Object.freeze(Object.prototype));
    for (const [name, hash, fake = '', page = ''] of wanted) {
      const tab = await context.newPage();
      if (page === 'sign.html') await tab.setViewportSize({ width: 520, height: 680 });
      tab.on('console', (message) => message.type() === 'error' && said.push(`${name} ${theme}: ${message.text()}`));
      tab.on('pageerror', (error) => said.push(`${name} ${theme}: ${error.message}`));
      const switches = /theme:/.test(fake) ? fake : [fake, `theme:${theme}`].filter(Boolean).join(',');
      await tab.goto(`${url}/${page}?fake=${switches}${hash}`);
      await tab.waitForSelector('h1', { timeout: 5_000 }).catch(() => said.push(`${name} ${theme}: no heading`));
      await tab.evaluate(() => document.fonts.ready);
      await tab.waitForTimeout(250);
      await tab.screenshot({ path: `${out}/${name}-${theme}-${width}.png`, animations: 'disabled' });
      await tab.close();
    }
    await context.close();
  }
}
await browser.close();
stop();
console.log(`${wanted.length} screens in ${out}`);
if (said.length) {
  console.error([...new Set(said)].join('\n'));
  process.exitCode = 1;
}
