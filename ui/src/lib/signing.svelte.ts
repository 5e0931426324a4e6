/**
 * How a signed act begins. Rust composes it and asks every rule; a refusal is shown where it was asked for, and only what
 * would be admitted is opened in the signing window. Nothing is signed from this window.
 */
import { calls, Failure, type Intent } from './ipc';

/** Something asked of Rust from a button or a form: under way, refused, or done. */
export class Doing {
  busy = $state(false);
  error = $state.raw<unknown>(undefined);

  /** True where it came to its end without a refusal. */
  async run(what: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = undefined;
    try {
      await what();
      return true;
    } catch (thrown) {
      this.error = thrown;
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** Opens the signing window on the act. */
  sign(intent: Intent): Promise<boolean> {
    return this.run(async () => {
      const { draftId } = await calls.prepare(intent);
      await calls.openSigning({ draftId });
    });
  }

  /** What the refusal says about this field of the form, and nothing where it is about another. */
  about(field: string): string | undefined {
    return this.error instanceof Failure && this.error.error.field === field ? this.error.error.message : undefined;
  }

  forget(): void {
    this.error = undefined;
  }
}
