/**
 * A picture of every screen over the in-memory backend: light and dark, 1280×800 and 1920×1080, into `shots/`. With `--modes`
 * the main screens as they are at 200 % and 80 %, in high contrast, in compact density, with less motion and in German.
 * `node scripts/shots.js board release` makes only those whose name contains a word. Ends with an error where a page said one.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { serve } from './serve.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = `${root}/shots`;
mkdirSync(out, { recursive: true });

/** @typedef {import('playwright-core').Page} Tab */
/** @type {(name: string | RegExp) => (tab: Tab) => Promise<void>} */
const press = (name) => (tab) => tab.getByRole('button', { name }).first().click();
/** @type {[name: string, hash: string, fake?: string, page?: string, act?: (tab: Tab) => Promise<void>][]} */
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
  ['release-hold', '#/releases/infusion-pump-fw-4.2.0', '', '', (tab) => tab.keyboard.press('h')],
  ['release-sign-off', '#/releases/infusion-pump-fw-4.2.0', '', '', press('Dr. Ewa Lind')],
  ['release-evidence-red', '#/releases/payments-api-2.31.2/evidence?file=4801'],
  ['release-evidence-many', '#/releases/infusion-pump-fw-4.2.0/evidence', 'manyFiles'],
  ['release-elsewhere', '#/releases/infusion-pump-fw-4.2.0', '', '', press('Bring an answer in')],
  ['release-unknown', '#/releases/nothing-1.0.0'],
  ['releases-columns', '#/releases', '', '', press('Columns')],
  ['releases-empty', '#/releases', 'empty'],
  ['drafts', '#/propose'],
  ['palette', '#/board', '', '', (tab) => tab.keyboard.press('Control+k')],
  ['keys', '#/board', '', '', (tab) => tab.keyboard.press('?')],
  ['wallboard', '#/wallboard'],
  ['rollouts', '#/rollouts'],
  ['rollout', '#/rollouts/patient-portal-9.0.4'],
  ['rollout-log', '#/rollouts/patient-portal-9.0.4', 'longLog', '', press('Show the log')],
  ['rollout-baking', '#/rollouts/patient-portal-9.0.4', 'baking'],
  ['calendar', '#/calendar'],
  ['calendar-month', '#/calendar?as=month'],
  ['calendar-freeze', '#/calendar', '', '', press('Declare a freeze')],
  ['audit', '#/audit'],
  ['audit-entry', '#/audit/4764'],
  ['audit-damaged', '#/audit', 'mode:damaged'],
  ['people', '#/people'],
  ['person', '#/people/alice'],
  ['people-waiting', '#/people?tab=waiting'],
  ['people-devices', '#/people?tab=devices'],
  ['people-roles', '#/people?tab=roles'],
  ['people-reviews', '#/people?tab=reviews'],
  ['people-enrol', '#/people', '', '', press('Enrol a person')],
  ['products', '#/products'],
  ['product', '#/products/infusion-pump-fw'],
  ['product-targets', '#/products/infusion-pump-fw/targets'],
  ['product-policy', '#/products/infusion-pump-fw/policy'],
  ['product-edit', '#/products/infusion-pump-fw/edit'],
  ['authorizations', '#/authorizations'],
  ['connectors', '#/connectors'],
  ['settings', '#/settings'],
  ['help', '#/help'],
  ['help-german', '#/help', 'language:german,locale:de-CH'],
  ['gallery', '#/gallery'],
  ['start', '#/start', 'mode:start'],
  ['start-first', '#/start', 'mode:start,empty'],
  ['start-create', '#/start/create', 'mode:start'],
  ['start-restore', '#/start/restore', 'mode:start'],
  ['start-bundle', '#/start/bundle', 'mode:start'],
  ['start-request', '#/start/request', 'mode:start', '', press('Choose a request')],
  ['sign', '', '', 'sign.html'],
  ['sign-answer', '', '', 'sign.html', press('GO')],
  ['sign-no-go', '', '', 'sign.html', press('NO-GO')],
  ['sign-changed', '', 'changedSince', 'sign.html'],
];
const sizes = /** @type {const} */ ([
  [1280, 800],
  [1920, 1080],
]);

/** The main screens, in every way a person may have set the window. */
const main =
  /^(inbox|board|releases|release|release-evidence|propose|request|rollout|calendar|audit-entry|people|product|settings|start|sign)$/;
/** @type {{ name: string, fake?: string, width?: number, height?: number, scale?: number, dark?: boolean }[]} */
const modes = [
  // What the web view's own zoom does to a window of 1280×800.
  { name: 'zoom200', width: 640, height: 400, scale: 2 },
  { name: 'zoom80', width: 1600, height: 1000, scale: 0.8 },
  { name: 'contrast', fake: 'theme:highContrast' },
  { name: 'contrastdark', fake: 'theme:highContrast', dark: true },
  { name: 'compact', fake: 'theme:light,density:compact' },
  { name: 'motion', fake: 'theme:light,reducedMotion' },
  { name: 'german', fake: 'theme:light,language:german,locale:de-DE' },
  { name: 'germandark', fake: 'theme:dark,language:german,locale:de-DE', dark: true },
];

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
/** @type {{ tag: string, fake: string, width: number, height: number, scale: number, dark: boolean, pick: RegExp }[]} */
const rounds = process.argv.includes('--modes')
  ? modes.map(({ name, fake = 'theme:light', width = 1280, height = 800, scale = 1, dark = false }) => ({
      tag: name,
      fake,
      width,
      height,
      scale,
      dark,
      pick: main,
    }))
  : (quick ? sizes.slice(0, 1) : sizes).flatMap(([width, height]) =>
      (quick && !process.argv.includes('--dark') ? ['light'] : ['light', 'dark']).map((theme) => ({
        tag: `${theme}-${width}`,
        fake: `theme:${theme}`,
        width,
        height,
        scale: 1,
        dark: theme === 'dark',
        pick: /./,
      })),
    );
let count = 0;
for (const round of rounds) {
  const context = await browser.newContext({
    viewport: { width: round.width, height: round.height },
    deviceScaleFactor: round.scale,
    reducedMotion: 'reduce',
    colorScheme: round.dark ? 'dark' : 'light',
  });
  await context.addInitScript(() => {
    // As in the shell.
    Object.freeze(Object.prototype);
    // The person was last here some entries ago, so that what changed since is marked.
    for (const who of ['alice', 'jonas'])
      localStorage.setItem(
        `countersign.looked.6f1b0e0d9a7c4d52b1c29f0e3a6f55d2e9b7c1a40d8e2f63b5a7914c0d3e8f21.${who}`,
        '{"from":4804,"at":{}}',
      );
  });
  for (const [name, hash, fake = '', page = '', act] of wanted.filter(([one]) => round.pick.test(one))) {
    const tab = await context.newPage();
    const sign = page === 'sign.html';
    if (sign) await tab.setViewportSize({ width: Math.min(520, round.width), height: Math.min(680, round.height) });
    const where = `${name} ${round.tag}`;
    tab.on('console', (message) => message.type() === 'error' && said.push(`${where}: ${message.text()}`));
    tab.on('pageerror', (error) => said.push(`${where}: ${error.message}`));
    const switches = /theme:/.test(fake) ? fake : [fake, round.fake].filter(Boolean).join(',');
    await tab.goto(`${url}/${page}?fake=${switches}${hash}`);
    await tab.waitForSelector('h1', { timeout: 5_000 }).catch(() => said.push(`${where}: no heading`));
    await tab.evaluate(() => document.fonts.ready);
    await tab.waitForTimeout(250);
    if (act) {
      await act(tab).catch((thrown) => said.push(`${where}: ${thrown}`));
      await tab.waitForTimeout(350);
    }
    await tab.screenshot({ path: `${out}/${name}-${round.tag}.png`, animations: 'disabled' });
    await tab.close();
    count += 1;
  }
  await context.close();
}
await browser.close();
stop();
console.log(`${count} pictures in ${out}`);
if (said.length) {
  console.error([...new Set(said)].join('\n'));
  process.exitCode = 1;
}
