import { expect, test } from 'vitest';
import { onInvalidate } from './query.svelte';
import { desk } from './session.svelte';

test('what was read for one person is read anew for the next', async () => {
  await desk.refresh();
  let asked = 0;
  const stop = onInvalidate(() => void (asked += 1));
  const here = desk.session!;
  desk.take({ ...here });
  expect(asked).toBe(0);
  desk.take({ ...here, me: { ...here.me!, principal: 'next@acme.example' } });
  expect(asked).toBe(1);
  desk.take(here);
  stop();
});
