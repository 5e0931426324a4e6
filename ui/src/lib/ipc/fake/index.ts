/**
 * A backend without Rust, in memory, for work on a screen, component tests and pictures. It follows the bindings, keeps
 * what it is told, and decides nothing: what a rule would say is written in the sample.
 */
import type { Backend, CommandName, Commands, EventName, EventPayload } from '../backend';
import type { AppError } from '../bindings';
import { handlers } from './handlers';
import { appError, Refused, world } from './world';

type Heard = (payload: never) => void;
const ears = new Map<EventName, Set<Heard>>();

export function emit<N extends EventName>(name: N, payload: EventPayload<N>): void {
  for (const heard of ears.get(name) ?? []) heard(payload as never);
}

async function answer(
  name: CommandName,
  args: unknown[],
): Promise<{ status: 'ok'; data: unknown } | { status: 'error'; error: AppError }> {
  const { wait, failing } = world.trouble;
  if (wait) await new Promise((done) => setTimeout(done, wait));
  world.asked.push({ name, request: args[0] });
  try {
    const failure = failing[name];
    if (failure) throw new Refused(failure);
    const handler = handlers[name] as (request: unknown) => unknown;
    return { status: 'ok', data: structuredClone(await handler(args[0])) };
  } catch (thrown) {
    if (thrown instanceof Refused) return { status: 'error', error: thrown.error };
    throw thrown;
  }
}

const names = Object.keys(handlers) as CommandName[];

export const backend: Backend = {
  commands: Object.fromEntries(
    names.map((name) => [name, (...args: unknown[]) => answer(name, args)]),
  ) as unknown as Commands,
  listen: async (name, heard) => {
    const set = ears.get(name) ?? new Set();
    ears.set(name, set);
    set.add(heard as Heard);
    return () => set.delete(heard as Heard);
  },
};

world.emit = emit;
export { world };

// `?fake=empty,locked,mode:damaged,me:jonas,theme:dark` puts it into a state, for a look by hand and for the pictures.
for (const part of (new URLSearchParams(globalThis.location?.search ?? '').get('fake') ?? '')
  .split(',')
  .filter(Boolean)) {
  const [name, value] = part.split(':') as [string, string | undefined];
  if (Object.hasOwn(world.settings, name)) Object.assign(world.settings, { [name]: value ?? true });
  else if (Object.hasOwn(world, name)) Object.assign(world, { [name]: value ?? true });
  else if (name === 'fail')
    world.trouble.failing[value as CommandName] = appError('busy', 'another program is writing to this ledger', {
      kind: 'cannot',
      hint: 'try again in a moment',
      retryable: true,
    });
}
