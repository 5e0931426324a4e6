import { expect, test } from 'vitest';
import { folded, lineDiff } from './diff';
import { grouped } from './digest';
import { LogRing, spans } from './log.svelte';
import { explain } from './problem';
import { appError } from '../ipc/fake/world';
import { stateOf, states } from '../design/states';
import { useLanguage } from '../i18n/index.svelte';
import en from '../i18n/messages/en/states';

test('a difference can be applied: what is kept and added is the later text', () => {
  const texts = ['', 'a', 'a\nb\nc', 'b\nc', 'a\nx\nc\nd', 'x\ny\nz', 'a\nb\nc\n'];
  for (const before of texts)
    for (const after of texts) {
      const lines = lineDiff(before, after);
      const join = (kinds: string[]) =>
        lines
          .filter((line) => kinds.includes(line.kind))
          .map((line) => line.text)
          .join('\n');
      expect(join(['same', 'added'])).toBe(after);
      expect(join(['same', 'removed'])).toBe(before);
    }
});

test('only long unchanged runs are folded, and nothing is lost by it', () => {
  const before = Array.from({ length: 40 }, (_, at) => `line ${at}`).join('\n');
  const parts = folded(lineDiff(before, before.replace('line 20', 'LINE 20')), 3);
  const count = parts.reduce((sum, part) => sum + (part.kind === 'fold' ? part.lines.length : 1), 0);
  expect(count).toBe(41);
  expect(parts.filter((part) => part.kind === 'fold')).toHaveLength(2);
});

test('a digest is grouped, anything else is left as it is', () => {
  expect(grouped('a71e09d4c495574647133b6e5f2d8a90b1c2d3e4f50617283940a5b6c7d852f0')).toBe('a71e 09d4 … 52f0');
  expect(grouped('sha256:a71e09d4c4955746', true)).toBe('a71e 09d4 c495 5746');
  expect(grouped('not a hash')).toBe('not a hash');
});

test('a log keeps its last lines and counts the others', () => {
  const log = new LogRing(100);
  for (let at = 0; at < 25; at += 1) log.append('first half, '.repeat(1) + `${at}\n`.repeat(10));
  expect(log.lines).toHaveLength(100);
  expect(log.total).toBe(250);
  expect(log.dropped).toBe(150);
  log.append('no end yet');
  expect(log.total).toBe(250);
  log.append('\n');
  expect(log.lines.at(-1)).toBe('no end yet');
});

test('terminal colors become tones; what else controls a terminal is left out', () => {
  expect(spans('\u001b[31mred\u001b[0m plain')).toEqual([
    { text: 'red', tone: 'red' },
    { text: ' plain', tone: '' },
  ]);
  expect(
    spans('\u001b[2Jcleared\u0007')
      .map((span) => span.text)
      .join(''),
  ).toBe('cleared');
});

test('every error says what is safe', () => {
  for (const safe of ['nothingHappened', 'ledgerUnchanged', 'recorded', 'unknown', 'readOnly'] as const) {
    const problem = explain(appError('x', 'the disk is full', { safe, hint: 'make room' }));
    expect(problem.happened).toBe('The disk is full.');
    expect(problem.todo).toBe('Make room.');
    expect(problem.safe).not.toContain('safe.');
    expect(problem.safe!.length).toBeGreaterThan(10);
  }
  expect(explain(new Error('boom')).happened).toBe('That did not work.');
});

test('in German an error has a German sentence, and the English one as its detail', async () => {
  await useLanguage('de');
  const problem = explain(appError('frozen', 'payments-api is frozen until Monday', { hint: 'wait for its end' }));
  expect(problem.happened).toBe('Eine Sperre gilt.');
  expect(problem.detail).toBe('payments-api is frozen until Monday – wait for its end');
  expect(explain(appError('no_such_code', 'the tape is full')).happened).toBe('The tape is full.');
});

test('a state is known by any spelling, and an unknown one is never good', () => {
  expect(stateOf('no_go')).toBe('noGo');
  expect(stateOf('NO-GO')).toBe('noGo');
  expect(stateOf('NoGo')).toBe('noGo');
  expect(stateOf('rolling_out')).toBe('rollingOut');
  expect(stateOf('fateUnknown')).toBe('fateUnknown');
  for (const odd of ['', null, undefined, 'approved', 'OK', 'constructor', '__proto__'])
    expect(stateOf(odd)).toBe('unknown');
  expect(states.unknown.tone).not.toBe('go');
});

test('every state has its word', () => {
  expect(Object.keys(states).filter((state) => !Object.hasOwn(en, state))).toEqual([]);
});
