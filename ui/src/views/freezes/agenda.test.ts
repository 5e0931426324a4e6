import { CalendarDate } from '@internationalized/date';
import { expect, test } from 'vitest';
import type { FreezeRow } from '$lib/ipc';
import { byDay, items, touching, weeks, type Item } from './agenda';

const freeze = (from: string, until: string, status: FreezeRow['status'] = 'toCome'): FreezeRow => ({
  entry: 1,
  product: null,
  environment: null,
  span: { from, until },
  by: { principal: 'a@x', name: 'A' },
  reason: 'r',
  status,
  lifted: null,
});
const item = (at: string, until = at): Item => ({ kind: 'freeze', at, until, row: freeze(at, until) });

test('every day of every month of two years stands in it once, weeks begin on Monday', () => {
  for (let year = 2026; year < 2028; year += 1)
    for (let month = 1; month <= 12; month += 1) {
      const rows = weeks(year, month);
      const own = rows.flat().filter((day) => day.month === month && day.year === year);
      expect(own.map((day) => day.day)).toEqual(
        Array.from({ length: new Date(year, month, 0).getDate() }, (_, at) => at + 1),
      );
      for (const row of rows)
        expect(new Date(Date.UTC(row[0]!.year, row[0]!.month - 1, row[0]!.day)).getUTCDay()).toBe(1);
      expect(rows.every((row) => row.some((day) => day.month === month))).toBe(true);
    }
});

test('a span touches the days it covers where the reader is, not the one that begins at its end', () => {
  const days = (list: Item[], zone: string) =>
    [22, 23, 24, 25].filter((day) => touching(list, new CalendarDate(2026, 12, day), zone).length > 0);
  const one = [item('2026-12-22T23:00:00Z', '2026-12-24T23:00:00Z')];
  expect(days(one, 'UTC')).toEqual([22, 23, 24]);
  expect(days(one, 'Europe/Zurich')).toEqual([23, 24]);
  expect(days([item('2026-12-23T12:00:00Z')], 'UTC')).toEqual([23]);
});

test('what is over or lifted is no date of the calendar, and dates come in order', () => {
  const data = {
    at: '2026-11-22T13:05:00Z',
    freezes: [
      freeze('2026-12-20T00:00:00Z', '2027-01-04T00:00:00Z'),
      freeze('2026-10-01T00:00:00Z', '2026-10-02T00:00:00Z', 'over'),
      freeze('2026-12-01T00:00:00Z', '2026-12-02T00:00:00Z', 'lifted'),
    ],
    upcoming: [{ kind: 'due' as const, release: 'shop-1', product: 'shop', version: '1', at: '2026-11-22T17:00:00Z' }],
  };
  expect(items(data).map((one) => one.at)).toEqual(['2026-11-22T17:00:00Z', '2026-12-20T00:00:00Z']);
  expect(byDay(items(data), (at) => at.slice(0, 7)).map(([month, rows]) => [month, rows.length])).toEqual([
    ['2026-11', 1],
    ['2026-12', 1],
  ]);
});
