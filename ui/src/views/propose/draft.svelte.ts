/**
 * A proposal while it is written: what is typed is kept by Rust a moment later, and nothing of it is recorded in the ledger
 * before it is signed.
 */
import { calls, type ExternalRecord, type ProposalDraft, type ProposalForm, type ProposalPreview } from '$lib/ipc';
import { invalidate } from '$lib/query.svelte';

export const blankExternal = (): ExternalRecord => ({ system: '', id: '', state: '', url: '' });

const wait = 1_200;

export class Draft {
  form = $state() as ProposalForm;
  saved = $state('');
  /** Typed and not yet kept. */
  dirty = $state(false);
  saving = $state(false);
  error = $state.raw<unknown>(undefined);
  preview = $state.raw<ProposalPreview | undefined>(undefined);
  /** Whether the preview is about what stands in the form now. */
  checked = $state(false);
  readonly id: string;
  readonly amends: string | null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;
  #gone = false;

  constructor(draft: ProposalDraft) {
    this.id = draft.id;
    this.amends = draft.amends;
    this.saved = draft.saved;
    this.form = structuredClone(draft.form);
  }

  changed(): void {
    if (this.#gone) return;
    this.dirty = true;
    this.checked = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.keep(), wait);
  }

  /** Everything typed is kept when this ends, or `error` says why not. */
  async keep(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#running;
    if (!this.dirty || this.#gone) return;
    this.#running = this.#write();
    await this.#running;
  }

  async #write(): Promise<void> {
    this.saving = true;
    this.dirty = false;
    try {
      const kept = await calls.saveDraft({ id: this.id, amends: this.amends, form: $state.snapshot(this.form) });
      this.saved = kept.saved;
      this.error = undefined;
    } catch (thrown) {
      this.dirty = true;
      this.error = thrown;
    } finally {
      this.saving = false;
    }
  }

  async check(): Promise<void> {
    await this.keep();
    if (this.error) throw this.error;
    this.preview = await calls.checkDraft({ id: this.id });
    this.checked = !this.dirty;
  }

  /** Gone; the answer brings it back under another id. */
  async discard(): Promise<() => Promise<string>> {
    this.#gone = true;
    clearTimeout(this.#timer);
    await this.#running;
    const { amends } = this;
    const form = $state.snapshot(this.form);
    await calls.deleteDraft({ id: this.id });
    invalidate(['drafts']);
    return async () => {
      const again = await calls.saveDraft({ id: null, amends, form });
      invalidate(['drafts']);
      return again.id;
    };
  }
}

/** One spelling for a field, however the policy or the form writes it. */
const plain = (field: string): string => field.replace(/[^a-z0-9]/gi, '').toLowerCase();

export const sameField = (one: string, other: string): boolean => plain(one) === plain(other);
