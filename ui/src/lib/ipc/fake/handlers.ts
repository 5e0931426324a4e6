/** Every command of the bindings, put together from the parts of the fake. */
import type { CommandName, Commands } from '../backend';
import { desk } from './desk';

type Answer<C> = C extends (...args: infer A) => Promise<infer R>
  ? (...args: A) => (R extends { status: 'ok'; data: infer D } ? D : never) | Promise<R extends { status: 'ok'; data: infer D } ? D : never>
  : never;
export type Handlers = { readonly [K in CommandName]: Answer<Commands[K]> };

export const handlers = { ...desk } as Handlers;
