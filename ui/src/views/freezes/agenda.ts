/** The calendar as rows of days: what is frozen, what is planned, what ends. */
import { CalendarDate, parseAbsolute, toCalendarDate } from '@internationalized/date';
import type { AgendaRow, FreezeRow, Freezes } from '$lib/ipc';

export type Item =
  | { readonly kind: 'freeze'; readonly at: string; readonly until: string; readonly row: FreezeRow }
  | { readonly kind: 'date'; readonly at: string; readonly until: string; readonly row: AgendaRow };

export const startOf = (row: AgendaRow): string => (row.kind === 'window' ? row.span.from : row.at);
export const endOf = (row: AgendaRow): string => (row.kind === 'window' ? row.span.until : row.at);

/** Freezes in force and to come with everything else that has a date, in the order it happens. */
export function items(data: Freezes): Item[] {
  return [
    ...data.freezes
      .filter((row) => row.status === 'inForce' || row.status === 'toCome')
      .map((row): Item => ({ kind: 'freeze', at: row.span.from, until: row.span.until, row })),
    ...data.upcoming.map((row): Item => ({ kind: 'date', at: startOf(row), until: endOf(row), row })),
  ].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

export function byDay<T extends { readonly at: string }>(
  list: readonly T[],
  day: (at: string) => string,
): [string, T[]][] {
  const days = new Map<string, T[]>();
  for (const item of list) {
    const key = day(item.at);
    days.set(key, [...(days.get(key) ?? []), item]);
  }
  return [...days];
}

/** The weeks of a month, Monday first, with the days of its neighbours that fill them. */
export function weeks(year: number, month: number): CalendarDate[][] {
  const first = new CalendarDate(year, month, 1);
  const weekday = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7;
  let day = first.subtract({ days: weekday });
  const rows: CalendarDate[][] = [];
  do {
    rows.push(Array.from({ length: 7 }, (_, at) => day.add({ days: at })));
    day = day.add({ weeks: 1 });
  } while (day.month === month && day.year === year);
  return rows;
}

/** What touches a day of the zone: a span that ends at midnight does not touch the day that begins there. */
export function touching(list: readonly Item[], day: CalendarDate, zone: string): Item[] {
  return list.filter((item) => {
    const from = toCalendarDate(parseAbsolute(item.at, zone));
    const last = Math.max(Date.parse(item.at), Date.parse(item.until) - 1);
    const until = toCalendarDate(parseAbsolute(new Date(last).toISOString(), zone));
    return from.compare(day) <= 0 && until.compare(day) >= 0;
  });
}
