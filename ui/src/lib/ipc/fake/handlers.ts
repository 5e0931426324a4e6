/** Every command of the bindings, put together from the parts of the fake. A command without a part is a type error. */
import type { CommandName, Commands } from '../backend';
import { admin } from './admin';
import { audit } from './audit';
import { desk } from './desk';
import { forms } from './forms';
import { overview } from './overview';
import { release } from './release';
import { rollout } from './rollout';
import { signing } from './signing';

type Data<R> = R extends { status: 'ok'; data: infer D } ? D : never;
type Answer<C> = C extends (...args: infer A) => Promise<infer R> ? (...args: A) => Data<R> | Promise<Data<R>> : never;
export type Handlers = { readonly [K in CommandName]: Answer<Commands[K]> };

export const handlers: Handlers = {
  ...desk,
  ...overview,
  ...release,
  ...rollout,
  ...forms,
  ...signing,
  ...audit,
  ...admin,
};
