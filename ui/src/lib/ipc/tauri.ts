/** Rust, through the generated bindings. */
import type { Backend } from './backend';
import { commands, events } from './bindings';

export const backend: Backend = {
  commands,
  listen: (name, heard) => events[name].listen((event) => heard(event.payload as never)),
};
