/** What stands behind the window: Rust, or in development and tests the in-memory one. Same shape, from the bindings. */
import type { commands, events } from './bindings';

export type Commands = typeof commands;
export type CommandName = keyof Commands;

type Payload<E> = E extends { listen: (callback: (event: { payload: infer P }) => void) => unknown } ? P : never;
type Heard<E> = Payload<{ listen: E extends { listen: infer L } ? L : never }>;
export type EventName = keyof typeof events;
export type EventPayload<N extends EventName> = Heard<(typeof events)[N]>;

export type Backend = {
  readonly commands: Commands;
  listen<N extends EventName>(name: N, heard: (payload: EventPayload<N>) => void): Promise<() => void>;
};
