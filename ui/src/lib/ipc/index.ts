/**
 * The way to Rust: the bindings, with every refusal thrown as a `Failure`. Nothing else in the window talks to the shell.
 */
import { backend } from '$backend-in-use';
import type { Backend, CommandName, Commands, EventName, EventPayload } from './backend';
import type { AppError } from './bindings';

export type * from './bindings';
export type { CommandName, EventName, EventPayload } from './backend';

/** What a command refused or could not do, as Rust said it. */
export class Failure extends Error {
  override readonly name = 'Failure';
  constructor(readonly error: AppError) {
    super(error.message);
  }
  get code(): string {
    return this.error.code;
  }
}

type Answered<C> = C extends (...args: infer A) => Promise<infer R>
  ? (...args: A) => Promise<R extends { status: 'ok'; data: infer D } ? D : never>
  : never;
export type Calls = { readonly [K in CommandName]: Answered<Commands[K]> };

async function ask(through: Backend, name: CommandName, args: unknown[]): Promise<unknown> {
  const command = through.commands[name] as (
    ...args: unknown[]
  ) => Promise<{ status: 'ok'; data: unknown } | { status: 'error'; error: AppError }>;
  const result = await command(...args);
  if (result.status === 'error') throw new Failure(result.error);
  return result.data;
}

export const calls: Calls = Object.fromEntries(
  (Object.keys(backend.commands) as CommandName[]).map((name) => [
    name,
    (...args: unknown[]) => ask(backend, name, args),
  ]),
) as Calls;

/** Hears an event of Rust; the answer stops it. */
export function listen<N extends EventName>(name: N, heard: (payload: EventPayload<N>) => void): () => void {
  let stopped = false;
  let stop: (() => void) | undefined;
  void backend
    .listen(name, (payload) => !stopped && heard(payload))
    .then((end) => {
      if (stopped) end();
      else stop = end;
    });
  return () => {
    stopped = true;
    stop?.();
  };
}
