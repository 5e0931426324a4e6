/**
 * The words of the window. The language comes from the settings, which Rust keeps: a machine with `LANG=C` gives the
 * web view a locale that `Intl` refuses, so it is never asked.
 */
import type { Area, Catalogue, Message, MessageKey, Piece, Values } from './catalogue';

export type { MessageKey, PlainKey } from './catalogue';

export const languages = ['en', 'de'] as const;
export type Language = (typeof languages)[number];

/** The regional habits a language is written with: day before month, 24 hours. */
const regions: Record<Language, string> = { en: 'en-GB', de: 'de-DE' };

const load: Record<Language, () => Promise<{ default: Catalogue }>> = {
  en: () => import('./messages/en'),
  de: () => import('./messages/de'),
};

function habits(region: string, language: Language): string {
  try {
    const [tag] = Intl.getCanonicalLocales(region);
    if (tag?.startsWith(`${language}-`) && Intl.DateTimeFormat.supportedLocalesOf(tag).length) return tag;
  } catch {
    // Not a tag `Intl` knows: the language's own habits.
  }
  return regions[language];
}

class Words {
  language = $state<Language>('en');
  catalogue = $state.raw<Catalogue>({});
  /** The tag of this machine, as Rust found it; used for formats where it is of the language shown. */
  region = $state('');
  locale = $derived(habits(this.region, this.language));
}

export const words = new Words();

/** The first of the languages we have that the tag begins with; English where there is none. */
export function languageOf(tag: string | null | undefined): Language {
  try {
    const canonical = Intl.getCanonicalLocales(tag ?? '')[0] ?? '';
    return languages.find((language) => canonical === language || canonical.startsWith(`${language}-`)) ?? 'en';
  } catch {
    return 'en';
  }
}

export async function useLanguage(language: Language): Promise<void> {
  const { default: catalogue } = await load[language]();
  words.catalogue = catalogue;
  words.language = language;
  document.documentElement.lang = language;
}

const numbers = new Map<string, Intl.NumberFormat>();
const plurals = new Map<string, Intl.PluralRules>();

function formatted(value: string | number): string {
  if (typeof value === 'string') return value;
  let format = numbers.get(words.locale);
  if (!format) numbers.set(words.locale, (format = new Intl.NumberFormat(words.locale)));
  return format.format(value);
}

function template(message: Message, values: Readonly<Record<string, string | number>>): string {
  if (typeof message === 'string') return message;
  const count = Number(values['count'] ?? 0);
  if (count === 0 && message.zero !== undefined) return message.zero;
  let rules = plurals.get(words.locale);
  if (!rules) plurals.set(words.locale, (rules = new Intl.PluralRules(words.locale)));
  return rules.select(count) === 'one' && message.one !== undefined ? message.one : message.other;
}

function find(key: string): Message | undefined {
  const dot = key.indexOf('.');
  const area: Area | undefined = words.catalogue[key.slice(0, dot)];
  return area && Object.hasOwn(area, key.slice(dot + 1)) ? area[key.slice(dot + 1)] : undefined;
}

const slot = /\{(\w+)\}/g;

/** The sentence of `key`. A value fills its slot as text, whatever it contains. */
export function t<K extends MessageKey>(key: K, ...[values]: Values<K>): string {
  const given = (values ?? {}) as Readonly<Record<string, string | number>>;
  const message = find(key);
  if (message === undefined) return key;
  return template(message, given).replace(slot, (whole, name: string) =>
    Object.hasOwn(given, name) ? formatted(given[name]!) : whole,
  );
}

/** As `t`, cut at the double asterisks of the catalogue (never at those of a value). */
export function pieces<K extends MessageKey>(key: K, ...[values]: Values<K>): Piece[] {
  const given = (values ?? {}) as Readonly<Record<string, string | number>>;
  const message = find(key);
  if (message === undefined) return [{ text: key, strong: false }];
  return template(message, given)
    .split('**')
    .map((text, at) => ({
      strong: at % 2 === 1,
      text: text.replace(slot, (whole, name: string) => (Object.hasOwn(given, name) ? formatted(given[name]!) : whole)),
    }))
    .filter((piece) => piece.text !== '');
}

/** The word for a code that came over the wire, or the code itself where the catalogue has none. */
export function word(area: string, code: string | null | undefined): string {
  if (!code) return '';
  const message = find(`${area}.${code}`);
  return message === undefined ? code : template(message, { count: 1 });
}
