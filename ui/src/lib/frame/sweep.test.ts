/** Every screen there is: no finding of axe in both themes, and nothing that needs sideways scrolling at 200 %. */
import { page } from 'vitest/browser';
import { afterEach, expect, test } from 'vitest';
import { render } from 'vitest-browser-svelte';
import { world } from '../ipc/fake/world';
import { href, routes, type RouteName } from '../router.svelte';
import { desk } from '../session.svelte';
import { expectAccessible } from '../../../test/help';
import App from './App.svelte';

const pump = 'infusion-pump-fw-4.2.0';
const places: [name: string, hash: string, set?: () => void][] = [
  ...(Object.keys(routes) as RouteName[])
    .filter((name) => !/:\w+(\/|$)/.test(routes[name].path) && name !== 'start')
    .map((name): [string, string] => [name, `#${routes[name].path.replace(/\/:\w+\?/g, '')}`]),
  ...(['decision', 'evidence', 'changes', 'rollout', 'timeline', 'report'] as const).map((tab): [string, string] => [
    `release ${tab}`,
    href('release', { id: tab === 'rollout' ? 'patient-portal-9.0.4' : pump, tab }),
  ]),
  ['release stale', href('release', { id: 'payments-api-2.31.1' })],
  ['forty approvers', href('release', { id: pump }), () => (world.manyApprovers = true)],
  ['five hundred files', href('release', { id: pump, tab: 'evidence' }), () => (world.manyFiles = true)],
  ['request', href('request', { id: 'payments-api-2.31.1' })],
  ['a draft', href('propose', { draft: 'draft-1' })],
  ['rollout', href('rollout', { id: 'patient-portal-9.0.4' })],
  ['an entry', href('audit', { index: '4764' })],
  ['a person', href('people', { id: 'alice' })],
  ['a product', href('products', { id: 'infusion-pump-fw' })],
  ['a policy', href('products', { id: 'infusion-pump-fw', tab: 'policy' })],
  ['a help topic', href('help', { topic: 'signing' })],
  ['first screen', '#/start', () => (world.mode = 'start')],
  ['create', '#/start/create', () => (world.mode = 'start')],
  ['damaged audit', '#/audit', () => (world.mode = 'damaged')],
  ...(['inbox', 'board', 'releases', 'rollouts', 'audit', 'products', 'authorizations', 'connectors'] as const).map(
    (name): [string, string, () => void] => [`${name}, empty`, href(name), () => (world.empty = true)],
  ),
];

afterEach(() => page.viewport(1280, 800));

for (const [name, hash, set] of places) {
  test(name, { timeout: 30_000 }, async () => {
    set?.();
    location.hash = hash;
    await desk.refresh();
    const screen = await render(App);
    await expect.element(screen.getByRole('heading', { level: 1 }).first()).toBeVisible();
    if (name !== 'gallery') await expect.poll(() => document.querySelector('main .skeleton')).toBeNull();
    await expectAccessible(screen.container);
    await page.viewport(640, 400);
    await new Promise((done) => setTimeout(done, 60));
    const main = document.querySelector('main')!;
    expect(main.scrollWidth, `${name} is wider than the window at 200 %`).toBeLessThanOrEqual(main.clientWidth + 1);
    expect(document.documentElement.scrollWidth).toBeLessThanOrEqual(641);
  });
}
