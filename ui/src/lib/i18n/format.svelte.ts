/** Times, spans, amounts. Everything is kept in UTC and shown in the zone the settings name. */
import { t, words } from './index.svelte';

export type ZoneMode = 'local' | 'utc';

class Zone {
  /** The IANA name Rust found for this machine, or the one chosen in the settings. */
  name = $state('UTC');
  mode = $state<ZoneMode>('local');
  shown = $derived(this.mode === 'utc' ? 'UTC' : this.name);
}
export const zone = new Zone();

/** The one clock of the window: it moves every `tick` ms, and stands still where a test has set it. */
class Clock {
  now = $state(Date.now());
  #offset = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  start(tick = 15_000): void {
    this.#timer ??= setInterval(() => (this.now = Date.now() + this.#offset), tick);
  }
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
  /** This very moment, for whoever counts seconds. */
  read(): number {
    return Date.now() + this.#offset;
  }
  /** Follows the clock of Rust, so that a window never tells another time than the ledger's desk. */
  follow(iso: string): void {
    this.#offset = Date.parse(iso) - Date.now();
    this.now = Date.parse(iso);
  }
}
export const clock = new Clock();

const made = new Map<string, Intl.DateTimeFormat>();
function dates(options: Intl.DateTimeFormatOptions, at = zone.shown): Intl.DateTimeFormat {
  const key = words.locale + at + JSON.stringify(options);
  let format = made.get(key);
  if (!format) made.set(key, (format = new Intl.DateTimeFormat(words.locale, { ...options, timeZone: at })));
  return format;
}

const instant = (iso: string): Date | undefined => {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? undefined : new Date(ms);
};

/** `14:05` */
export function timeOfDay(iso: string): string {
  const at = instant(iso);
  return at ? dates({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(at) : iso;
}

/** `22 Nov` or, in another year than the clock's, `22 Nov 2025` */
export function day(iso: string): string {
  const at = instant(iso);
  if (!at) return iso;
  const year = dates({ year: 'numeric' });
  const same = year.format(at) === year.format(clock.now);
  return dates({ day: 'numeric', month: 'short', ...(same ? {} : { year: 'numeric' }) }).format(at);
}

/** `Sun 22 Nov` */
export function weekday(iso: string): string {
  const at = instant(iso);
  return at ? dates({ weekday: 'short', day: 'numeric', month: 'short' }).format(at) : iso;
}

/** `22 Nov 2026, 14:05 CET`; with seconds where a record is shown. */
export function dateTime(iso: string, options: { seconds?: boolean; utc?: boolean } = {}): string {
  const at = instant(iso);
  if (!at) return iso;
  return dates(
    {
      day: 'numeric',
      month: 'short',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      ...(options.seconds ? { second: '2-digit' } : {}),
      hourCycle: 'h23',
      timeZoneName: 'short',
    },
    options.utc ? 'UTC' : zone.shown,
  ).format(at);
}

/** `22 Nov 2026, 18:00 – 22:00 CET`; what both ends share is said once. */
export function range(from: string, until: string): string {
  const [a, b] = [instant(from), instant(until)];
  if (!a || !b || a > b) return `${from} – ${until}`;
  return dates({
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).formatRange(a, b);
}

/** `13:05:31 UTC` */
export function utcTime(iso: string): string {
  const at = instant(iso);
  return at
    ? dates(
        { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', timeZoneName: 'short' },
        'UTC',
      ).format(at)
    : iso;
}

/** `Sun 22 Nov, 14:05 CET`: the clock of the top bar. */
export function wallClock(ms: number): string {
  return dates({
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
  }).format(ms);
}

export function hourOfDay(ms: number): number {
  return Number(
    dates({ hour: 'numeric', hourCycle: 'h23' })
      .formatToParts(ms)
      .find((part) => part.type === 'hour')?.value,
  );
}

/** The day an instant belongs to in the shown zone, as `2026-11-22`: for grouping, not for reading. */
export function dayKey(iso: string): string {
  const at = instant(iso);
  if (!at) return iso;
  const parts = dates({ year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(at);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
}

const spans: readonly ['year' | 'month' | 'day', number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['day', 86_400],
];
const relatives = new Map<string, Intl.RelativeTimeFormat>();

/** `12 min ago`, `in 3 h`, `now` */
export function relative(iso: string, from = clock.now): string {
  const at = instant(iso);
  if (!at) return iso;
  const seconds = (at.getTime() - from) / 1000;
  const ago = Math.abs(seconds);
  // Hours and minutes as in a span, "3 h": the short forms of `Intl` differ from those of its spans, and between engines.
  if (ago >= 60 && ago < 86_400) {
    const span = ago >= 3_600 ? hours(ago) : minutes(ago);
    return seconds < 0 ? t('common.ago', { span }) : t('common.ahead', { span });
  }
  let format = relatives.get(words.locale);
  if (!format)
    relatives.set(
      words.locale,
      (format = new Intl.RelativeTimeFormat(words.locale, { numeric: 'always', style: 'long' })),
    );
  for (const [unit, size] of spans) {
    if (ago >= size) return format.format(Math.trunc(seconds / size), unit);
  }
  return t('common.now');
}

const hours = (seconds: number): string => t('common.hours', { hours: Math.floor(seconds / 3_600) });
const minutes = (seconds: number): string => t('common.minutes', { minutes: Math.floor(seconds / 60) });

/** The two largest units of a span: `26 h`, `1 h 20 min`, `41 days`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s >= 2 * 86_400) return t('common.days', { count: Math.floor(s / 86_400) });
  if (s >= 3_600) return s % 3_600 >= 60 && s < 10 * 3_600 ? `${hours(s)} ${minutes(s % 3_600)}` : hours(s);
  return s >= 60 ? minutes(s) : t('common.seconds', { seconds: s });
}

const amounts = new Map<string, Intl.NumberFormat>();
function amount(key: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  let format = amounts.get(words.locale + key);
  if (!format) amounts.set(words.locale + key, (format = new Intl.NumberFormat(words.locale, options)));
  return format;
}
export const number = (value: number): string => amount('n', {}).format(value);
/** Of a share between 0 and 100. */
export const percent = (share: number): string =>
  amount('%', { style: 'percent', maximumFractionDigits: 1 }).format(share / 100);

export function bytes(count: number): string {
  const steps = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  let value = count;
  let step = 0;
  while (value >= 1000 && step < steps.length - 1) {
    value /= 1000;
    step += 1;
  }
  return amount(`b${step}`, {
    style: 'unit',
    unit: steps[step]!,
    unitDisplay: step ? 'short' : 'long',
    maximumFractionDigits: value < 10 && step ? 1 : 0,
  }).format(value);
}

export function list(items: readonly string[], type: 'conjunction' | 'disjunction' = 'conjunction'): string {
  return new Intl.ListFormat(words.locale, { type }).format(items);
}
