/** What a catalogue is made of, and the types that hold every use of it to the messages that exist. */
import type en from './messages/en';

export type Plural = { readonly zero?: string; readonly one?: string; readonly other: string };
export type Message = string | Plural;
export type Area = Readonly<Record<string, Message>>;
export type Catalogue = Readonly<Record<string, Area>>;

type English = typeof en;

/** `area.key` of every message. English is the measure; the other languages are typed against it. */
export type MessageKey = { [A in keyof English & string]: `${A}.${keyof English[A] & string}` }[keyof English & string];

/** The same keys with text of any wording. */
export type Translation<Source extends Area> = {
  readonly [K in keyof Source]: Source[K] extends string ? string : Plural;
};

type Text<M> = M extends string ? M : M extends { readonly other: infer Other } ? Other : never;
type Slots<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Slots<Rest> : never;
type At<K> = K extends `${infer A}.${infer Rest}`
  ? A extends keyof English
    ? Rest extends keyof English[A]
      ? English[A][Rest]
      : never
    : never
  : never;
export type SlotsOf<K extends MessageKey> = Slots<Text<At<K>>> | (At<K> extends string ? never : 'count');
export type Values<K extends MessageKey> = [SlotsOf<K>] extends [never]
  ? []
  : [values: { readonly [P in SlotsOf<K>]: string | number }];

/** A piece of a sentence; `strong` where the catalogue wrote it between double asterisks. */
export type Piece = { readonly text: string; readonly strong: boolean };

/** The messages that need no value. */
export type PlainKey = { [K in MessageKey]: [SlotsOf<K>] extends [never] ? K : never }[MessageKey];
