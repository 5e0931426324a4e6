/** A long act of Rust: how it stands, from its first moment to its end, and the wish to stop it. */
import { onDestroy } from 'svelte';
import { calls, listen, type JobRef, type JobState } from './ipc';

export class Job {
  state = $state.raw<JobState | undefined>(undefined);
  /** Why it could not even begin. */
  refused = $state.raw<unknown>(undefined);
  #id: string | undefined;
  readonly #stop: () => void;

  constructor(private readonly ended?: (state: JobState) => void) {
    this.#stop = listen('jobProgress', ({ job }) => job.jobId === this.#id && this.#take(job));
  }

  get running(): boolean {
    return this.state?.phase === 'running' || this.state?.phase === 'cancelling';
  }
  get error(): unknown {
    return this.refused ?? this.state?.error ?? undefined;
  }

  async begin(what: () => Promise<JobRef>): Promise<boolean> {
    this.refused = undefined;
    this.state = undefined;
    try {
      await this.follow((await what()).jobId);
      return true;
    } catch (thrown) {
      this.refused = thrown;
      return false;
    }
  }

  /** Follows an act that is under way, begun here or elsewhere. */
  async follow(jobId: string): Promise<void> {
    this.#id = jobId;
    const state = await calls.job({ jobId });
    // An event may have been faster than the answer.
    if (this.#id === jobId && (!this.state || this.state.jobId !== jobId || this.running)) this.#take(state);
  }

  async cancel(): Promise<void> {
    if (this.#id) this.#take(await calls.cancelJob({ jobId: this.#id }));
  }

  clear(): void {
    this.#id = undefined;
    this.state = undefined;
    this.refused = undefined;
  }

  close(): void {
    this.#stop();
  }

  #take(state: JobState): void {
    const over = this.running || this.state?.jobId !== state.jobId;
    this.state = state;
    if (over && !this.running) this.ended?.(state);
  }
}

/** In a component's script. */
export function job(ended?: (state: JobState) => void): Job {
  const made = new Job(ended);
  onDestroy(() => made.close());
  return made;
}
