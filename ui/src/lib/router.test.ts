import { expect, test } from 'vitest';
import { hashOf } from './frame/place';
import { viewNames } from './frame/views';
import { href, parse, router, routes, type RouteName } from './router.svelte';

test('every place of the table has its view', () => {
  const missing = Object.values(routes).filter((route) => !viewNames.includes(route.view));
  expect(missing.map((route) => route.view)).toEqual([]);
});

test('what is written is what is read', () => {
  const odd = ['a', '4.2.0', 'ä/ö?#%', ' ', '..', '%', 'x'.repeat(300)];
  for (const id of odd) {
    for (const tab of [undefined, 'evidence']) {
      const place = parse(href('release', { id, tab }, { text: id }));
      expect(place).toEqual({ name: 'release', params: tab ? { id, tab } : { id }, query: { text: id } });
    }
  }
});

test('each place without parameters leads to itself', () => {
  for (const name of Object.keys(routes) as RouteName[]) {
    if (routes[name].path.match(/:\w+(?!\?)(\/|$)/)) continue;
    expect(parse(`#${routes[name].path.replace(/\/:\w+\?/g, '')}`).name).toBe(name);
  }
});

test('nonsense leads to the inbox', () => {
  for (const hash of ['', '#', '#/', '#/nowhere', '#/releases/a/b/c/d', '#/releases/%E0%A4%A', 'javascript:alert(1)'])
    expect(parse(hash).name).toBe('inbox');
});

test('a place of Rust is a place here', () => {
  expect(parse(hashOf({ kind: 'release', release: 'pump-4.2.0', tab: 'evidence' }))).toEqual({
    name: 'release',
    params: { id: 'pump-4.2.0', tab: 'evidence' },
    query: {},
  });
  expect(parse(hashOf({ kind: 'sign', release: 'r' })).query).toEqual({ sign: '1' });
  expect(parse(hashOf({ kind: 'entry', index: 4711 }))).toEqual({
    name: 'audit',
    params: { index: '4711' },
    query: {},
  });
  expect(parse(hashOf({ kind: 'help', topic: 'first-release' })).params).toEqual({ topic: 'first-release' });
});

test('unsaved work keeps the place', () => {
  location.hash = '#/board';
  router.guard = () => false;
  router.go('releases');
  expect(location.hash).toBe('#/board');
  router.guard = undefined;
});
