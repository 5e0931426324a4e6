/**
 * One signing, from what Rust prepared to its receipt. Rust holds the bytes; here are only the challenge as it was shown,
 * what the person chose, and the secret until it is handed over. Each choice makes Rust prepare anew, and only what was
 * prepared for exactly these choices can be signed.
 */
import {
  calls,
  Failure,
  type Acknowledgement,
  type Challenge,
  type JobRef,
  type Meaning,
  type Receipt,
  type Verdict,
} from '$lib/ipc';

export type Step = 'review' | 'identify' | 'key' | 'receipt';

type Form = {
  verdict: Verdict | null;
  role: string | null;
  meaning: Meaning | null;
  reason: string;
  conditions: string;
};

const blank = (): Form => ({ verdict: null, role: null, meaning: null, reason: '', conditions: '' });

export const conditionLines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

export class Ceremony {
  challenge = $state.raw<Challenge | undefined>(undefined);
  step = $state<Step>('review');
  form = $state<Form>(blank());
  secret = $state('');
  ticked = $state<Acknowledgement[]>([]);
  receipt = $state.raw<Receipt | undefined>(undefined);
  started = $state.raw<JobRef | undefined>(undefined);
  /** Why there is nothing to show at all. */
  absent = $state.raw<unknown>(undefined);
  /** Why the last thing asked did not go well; what was typed stays. */
  error = $state.raw<unknown>(undefined);
  busy = $state<'' | 'preparing' | 'key' | 'signing'>('');
  /** Shown again because what would be signed is another thing than what was shown. */
  again = $state<'' | 'ledgerMoved' | 'timePassed'>('');
  /** The last signature of a series, while the next is shown. */
  before = $state.raw<Receipt | undefined>(undefined);
  #choosing: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  get answers(): boolean {
    return (this.challenge?.verdicts.length ?? 0) > 0;
  }
  get asksReason(): boolean {
    return this.answers || (this.challenge?.reasonAsked ?? false);
  }
  /** What the person chose is not what Rust has prepared. */
  get behind(): boolean {
    const { challenge, form } = this;
    if (!challenge) return false;
    if (this.answers) {
      const choice = challenge.choice;
      if (!choice) return form.verdict !== null;
      return (
        choice.verdict !== form.verdict ||
        choice.role !== (form.role ?? choice.role) ||
        choice.meaning !== (form.meaning ?? choice.meaning) ||
        choice.reason !== form.reason.trim() ||
        choice.conditions.join('\n') !== this.#conditions().join('\n')
      );
    }
    return challenge.reasonAsked && (challenge.reason ?? '') !== form.reason.trim();
  }
  /** Enough is chosen for Rust to prepare it: it takes no answer without a reason, and no condition unnamed. */
  get complete(): boolean {
    if (!this.asksReason) return true;
    if (this.answers && !this.form.verdict) return false;
    if (this.form.verdict === 'conditionalGo' && !this.#conditions().length) return false;
    return this.form.reason.trim() !== '';
  }
  get ready(): boolean {
    const { challenge } = this;
    if (!challenge || this.behind || this.busy) return false;
    // Where no entry is made there are no bytes to prepare: to unlock, to keep a secret, to start what is signed already.
    return challenge.kind !== 'entry' || challenge.payloadSha256 !== null;
  }
  get touched(): boolean {
    return !this.receipt && (this.form.verdict !== null || this.form.reason.trim() !== '' || this.secret !== '');
  }
  get unacknowledged(): boolean {
    return (this.challenge?.acknowledge ?? []).some((one) => !this.ticked.includes(one));
  }

  #conditions(): string[] {
    return this.form.verdict === 'conditionalGo' ? conditionLines(this.form.conditions) : [];
  }

  /** Takes what Rust prepared. Nothing a person typed is lost by it, except where the choice itself is gone. */
  #take(challenge: Challenge): void {
    const first = this.challenge === undefined;
    this.challenge = challenge;
    this.absent = undefined;
    this.ticked = this.ticked.filter((one) => challenge.acknowledge.includes(one));
    if (first || (challenge.choice && this.form.verdict === null)) {
      this.form.verdict = challenge.choice?.verdict ?? null;
      this.form.role = challenge.choice?.role ?? challenge.roles[0] ?? null;
      this.form.reason = challenge.choice?.reason ?? challenge.reason ?? '';
      this.form.conditions = challenge.choice?.conditions.join('\n') ?? '';
    } else if (challenge.choice) {
      this.form.role ??= challenge.choice.role;
      // Left alone, the meaning is the usual one of each answer.
      if (this.form.meaning && !challenge.meanings.includes(this.form.meaning)) this.form.meaning = null;
    }
    if (this.form.role && challenge.roles.length && !challenge.roles.includes(this.form.role)) {
      this.form.role = challenge.roles[0] ?? null;
    }
    if (challenge.renewed === 'ledgerMoved' || challenge.renewed === 'timePassed') this.#showAgain(challenge.renewed);
  }

  #showAgain(why: 'ledgerMoved' | 'timePassed'): void {
    if (this.step === 'receipt') return;
    this.again = why;
    this.step = 'review';
    this.ticked = [];
    this.secret = '';
  }

  async load(): Promise<void> {
    this.error = undefined;
    try {
      this.#take(await calls.signingChallenge());
    } catch (thrown) {
      if (this.challenge) this.error = thrown;
      else this.absent = thrown;
    }
  }

  /** Another act was put into this window. */
  async reopen(): Promise<void> {
    this.challenge = undefined;
    this.receipt = undefined;
    this.started = undefined;
    this.step = 'review';
    this.form = blank();
    this.secret = '';
    this.ticked = [];
    this.again = '';
    this.before = undefined;
    this.busy = '';
    await this.load();
  }

  /** Rust prepares what is chosen, soon: typing is not a choice for each letter. */
  soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.choose(), 350);
  }

  /** Rust prepares what is chosen, now. Ends when nothing is left to prepare. */
  async choose(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.#choosing) return this.#choosing;
    this.#choosing = this.#chooseAll();
    try {
      await this.#choosing;
    } finally {
      this.#choosing = undefined;
    }
  }

  async #chooseAll(): Promise<void> {
    while (this.behind && this.complete && this.challenge) {
      const asked = JSON.stringify(this.form);
      const { verdict, role, meaning, reason } = this.form;
      this.busy = 'preparing';
      try {
        const next = await calls.signingChoose({
          nonce: this.challenge.nonce,
          verdict,
          role,
          meaning,
          reason: reason.trim(),
          conditions: this.#conditions(),
        });
        this.error = undefined;
        this.#take(next);
      } catch (thrown) {
        this.error = thrown;
        // The nonce is used up by the refusal.
        await this.#again();
      } finally {
        this.busy = '';
      }
      // Refused, or taken otherwise than it was chosen: asking again would change nothing.
      if (this.error !== undefined || JSON.stringify(this.form) === asked) break;
    }
  }

  /** What Rust holds now, with a nonce that is good. */
  async #again(): Promise<void> {
    await calls
      .signingChallenge()
      .then((next) => this.#take(next))
      .catch(() => undefined);
  }

  async newKey(passphrase: string): Promise<boolean> {
    const { challenge } = this;
    if (!challenge) return false;
    // Who begins a ledger signs with the key that is made here: it has just been typed.
    const first = challenge.act === 'genesis';
    this.busy = 'key';
    this.error = undefined;
    try {
      this.#take(await calls.signingNewKey({ nonce: challenge.nonce, passphrase }));
      if (first) this.secret = passphrase;
      return true;
    } catch (thrown) {
      this.error = thrown;
      await this.#again();
      return false;
    } finally {
      this.busy = '';
    }
  }

  async sign(): Promise<void> {
    await this.choose();
    const { challenge } = this;
    if (!challenge || !this.ready || this.again || this.step !== 'identify') return;
    this.busy = 'signing';
    this.error = undefined;
    try {
      const result = await calls.signingCommit({
        nonce: challenge.nonce,
        secret: this.secret,
        acknowledged: [...this.ticked],
      });
      this.secret = '';
      if (result.kind === 'showAgain') {
        this.#take(result.challenge);
        this.#showAgain(result.challenge.renewed === 'timePassed' ? 'timePassed' : 'ledgerMoved');
        return;
      }
      if (result.kind === 'next') {
        // Each of a series is looked at and signed by itself: nothing chosen for one holds for the next.
        this.before = result.receipt;
        this.form = blank();
        this.ticked = [];
        this.again = '';
        this.challenge = undefined;
        this.#take(result.challenge);
        this.step = 'review';
        return;
      }
      this.receipt = result.receipt;
      this.started = result.kind === 'started' ? result.job : undefined;
      this.step = 'receipt';
    } catch (thrown) {
      this.secret = '';
      this.error = thrown;
      // A refused try has used up its nonce: what is prepared next is shown with what was typed.
      await this.#again();
      await this.choose();
      this.error ??= thrown;
    } finally {
      this.busy = '';
    }
  }

  get wrongPassphrase(): boolean {
    return this.error instanceof Failure && (this.error.code === 'wrong_passphrase' || this.error.code === 'locked');
  }

  async cancel(): Promise<void> {
    this.secret = '';
    clearTimeout(this.#timer);
    if (this.challenge && !this.receipt) {
      await calls.signingCancel({ nonce: this.challenge.nonce }).catch(() => undefined);
    }
    await calls.closeWindow().catch(() => undefined);
  }
}
