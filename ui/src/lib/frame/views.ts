/** The screens, each loaded when it is first gone to. The router's table names them by their path under `views/`. */
import type { Component } from 'svelte';
import type { Place } from '../router.svelte';

export type View = Component<{ params: Place['params']; query: Place['query'] }>;

const found = import.meta.glob<{ default: View }>(
  '../../views/*/{Inbox,Board,Wallboard,Releases,Release,Request,Propose,Rollouts,Rollout,Freezes,Audit,People,Products,Authorizations,Connectors,Settings,Help,Gallery,Start}.svelte',
);

export const viewNames = Object.keys(found).map((path) => path.replace('../../views/', '').replace('.svelte', ''));

export async function loadView(name: string): Promise<View> {
  const load = found[`../../views/${name}.svelte`];
  if (!load) throw new Error(`no view ${name}`);
  return (await load()).default;
}
