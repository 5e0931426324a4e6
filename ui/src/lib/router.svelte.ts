/**
 * Typed hash router. One table says every place there is; the same table parses a deep link, makes the links of the rail
 * and feeds the palette. A place that cannot be parsed is the inbox, never an error.
 */
import type { PlainKey } from './i18n/catalogue';

type Params<P extends string> = P extends `${infer Head}/${infer Rest}`
  ? Params<Head> & Params<Rest>
  : P extends `:${infer Name}?`
    ? { [K in Name]?: string }
    : P extends `:${infer Name}`
      ? { [K in Name]: string }
      : unknown;

type Route = { readonly path: string; readonly title: PlainKey; readonly view: string; readonly frame: boolean };
const route = <P extends string>(path: P, title: PlainKey, view: string, frame = true) =>
  ({ path, title, view, frame }) as const satisfies Route & { path: P };

export const routes = {
  inbox: route('/inbox', 'frame.inbox', 'inbox/Inbox'),
  board: route('/board', 'frame.board', 'board/Board'),
  releases: route('/releases', 'frame.releases', 'releases/Releases'),
  release: route('/releases/:id/:tab?', 'frame.release', 'release/Release'),
  request: route('/request/:id', 'frame.request', 'request/Request'),
  propose: route('/propose/:draft?', 'frame.propose', 'propose/Propose'),
  rollouts: route('/rollouts', 'frame.rollouts', 'rollout/Rollouts'),
  rollout: route('/rollouts/:id', 'frame.rollout', 'rollout/Rollout'),
  freezes: route('/calendar', 'frame.calendar', 'freezes/Freezes'),
  audit: route('/audit/:index?', 'frame.audit', 'audit/Audit'),
  people: route('/people/:id?', 'frame.people', 'people/People'),
  products: route('/products/:id?/:tab?', 'frame.products', 'products/Products'),
  authorizations: route('/authorizations/:id?', 'frame.authorizations', 'authorizations/Authorizations'),
  connectors: route('/connectors/:id?', 'frame.connectors', 'connectors/Connectors'),
  settings: route('/settings', 'frame.settings', 'settings/Settings'),
  help: route('/help/:topic?', 'frame.help', 'help/Help'),
  gallery: route('/gallery', 'frame.gallery', 'gallery/Gallery'),
  wallboard: route('/wallboard', 'frame.wallboard', 'board/Wallboard', false),
  start: route('/start/:step?', 'frame.start', 'start/Start', false),
} as const;

export type RouteName = keyof typeof routes;
export type ParamsOf<N extends RouteName> = Params<(typeof routes)[N]['path']>;
export type Query = Readonly<Record<string, string>>;
export type Place<N extends RouteName = RouteName> = {
  readonly name: N;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Query;
};

type Needs<N extends RouteName> = [keyof ParamsOf<N>] extends [never]
  ? [params?: Record<string, never>, query?: Query]
  : Partial<ParamsOf<N>> extends ParamsOf<N>
    ? [params?: ParamsOf<N>, query?: Query]
    : [params: ParamsOf<N>, query?: Query];

export function href<N extends RouteName>(name: N, ...[params, query]: Needs<N>): string {
  const given = (params ?? {}) as Record<string, string | undefined>;
  const path = routes[name].path
    .split('/')
    .map((part) => (part.startsWith(':') ? given[part.replace(/[:?]/g, '')] : part))
    .filter((part): part is string => part !== undefined)
    .map((part, at) => (at === 0 ? part : encodeURIComponent(part)))
    .join('/');
  const rest = new URLSearchParams(query ?? {}).toString();
  return `#${path}${rest ? `?${rest}` : ''}`;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

/** The place a hash names. */
export function parse(hash: string): Place {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?', 2);
  const parts = path.split('/').filter(Boolean);
  for (const name of Object.keys(routes) as RouteName[]) {
    const pattern = routes[name].path.split('/').filter(Boolean);
    if (parts.length > pattern.length) continue;
    const params: Record<string, string> = {};
    const fits = pattern.every((want, at) => {
      const have = parts[at];
      if (!want.startsWith(':')) return have === want;
      if (have === undefined) return want.endsWith('?');
      const value = decoded(have);
      if (value === undefined) return false;
      params[want.replace(/[:?]/g, '')] = value;
      return true;
    });
    if (fits) return { name, params, query: Object.fromEntries(new URLSearchParams(search)) };
  }
  return { name: 'inbox', params: {}, query: {} };
}

class Router {
  place = $state.raw<Place>(parse(typeof location === 'undefined' ? '' : location.hash));
  /** Asked before the place changes; a view with unsaved work may answer no. */
  guard: (() => boolean) | undefined;

  constructor() {
    window.addEventListener('hashchange', () => (this.place = parse(location.hash)));
  }
  go<N extends RouteName>(name: N, ...rest: Needs<N>): void {
    if (this.guard && !this.guard()) return;
    location.hash = href(name, ...rest);
  }
  /** The same place with another query or parameter, without a step in the history. */
  replace<N extends RouteName>(name: N, ...rest: Needs<N>): void {
    history.replaceState(history.state, '', href(name, ...rest));
    this.place = parse(location.hash);
  }
  back(): void {
    history.back();
  }
}
export const router = new Router();
