/** The log of a run as it grows: read from the line after the last one, once a second while it lives and is looked at. */
import { LogRing } from '$lib/components/log.svelte';
import { calls } from '$lib/ipc';

const atOnce = 1_000;

export class Tail {
  readonly ring = new LogRing(10_000);
  live = $state(false);
  error = $state.raw<unknown>(undefined);
  #next = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(
    private readonly release: string,
    private readonly requestId: string,
  ) {}

  async read(): Promise<void> {
    clearTimeout(this.#timer);
    try {
      for (;;) {
        const page = await calls.rolloutLog({
          release: this.release,
          requestId: this.requestId,
          fromLine: this.#next,
          limit: atOnce,
        });
        if (this.#stopped) return;
        // Lines that Rust no longer keeps are counted, never passed over in silence.
        if (page.fromLine > this.#next) this.ring.dropped += page.fromLine - this.#next;
        this.ring.push(page.lines.map((line) => line.text));
        this.#next = page.fromLine + page.lines.length;
        this.live = page.live;
        this.error = undefined;
        if (!page.lines.length || this.#next >= page.total) break;
      }
    } catch (thrown) {
      this.error = thrown;
    }
    if (this.#stopped) return;
    if (this.live || this.error) this.#timer = setTimeout(() => void this.#again(), this.error ? 5_000 : 1_000);
  }

  #again(): Promise<void> {
    if (!document.hidden) return this.read();
    this.#timer = setTimeout(() => void this.#again(), 1_000);
    return Promise.resolve();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
