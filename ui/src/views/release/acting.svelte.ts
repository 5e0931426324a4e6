/**
 * What can be started on a release, and how each begins: some acts open the signing window at once, some first ask for what
 * they need. Which are allowed Rust has said; here they only get their words and their form.
 */
import { explain } from '$lib/components/problem';
import { t } from '$lib/i18n/index.svelte';
import { told } from '$lib/i18n/told';
import type { MessageKey } from '$lib/i18n/catalogue';
import type { IconName } from '$lib/components/icons';
import type { Blocker, ClearingAct, HoldRow, ReleaseAct, ReleaseActName } from '$lib/ipc';
import { roleName } from '$lib/record/sentence';
import { router } from '$lib/router.svelte';
import { Doing } from '$lib/signing.svelte';

export type Form =
  | { kind: 'hold' }
  | { kind: 'halt' }
  | { kind: 'resume'; hold: number; question: string | null; by: string | null }
  | { kind: 'waive'; gate: string | null }
  | { kind: 'withdraw' }
  | { kind: 'close' }
  | { kind: 'waveVerdict'; wave: number }
  | { kind: 'attach'; replaces: number | null; name: string | null }
  | { kind: 'observe'; replaces: number | null; name: string | null }
  | { kind: 'confirm'; entry: number; name: string }
  | { kind: 'condition'; approval: number; number: number; condition: string }
  | { kind: 'review'; release: string };

export type About = { readonly release: string; readonly holds: readonly HoldRow[]; readonly gates: readonly string[] };

export const actIcons: Partial<Record<ReleaseActName, IconName>> = {
  sign: 'mark',
  request: 'snow',
  dispatch: 'send',
  stage: 'layers',
  rollback: 'undo',
  resume: 'play',
  hold: 'pause',
  halt: 'stop',
  amend: 'pen',
  withdraw: 'minus',
  waive: 'ticket',
  attachEvidence: 'upload',
  observeEvidence: 'download',
  close: 'book',
  waveVerdict: 'check-list',
  reconcile: 'search',
  resendUnknown: 'send',
};

export function actLabel(act: ReleaseActName, role?: string | null, wave?: number | null): string {
  if (act === 'sign' && role) return t('release.act.signAs', { role: roleName(role) });
  if (act === 'dispatch' && wave) return t('release.act.dispatchWave', { wave });
  if (act === 'waveVerdict' && wave) return t('release.act.waveVerdictOf', { wave });
  return t(`release.act.${act}` satisfies MessageKey);
}

/** Why an act is refused now, in words; nothing where it is allowed. */
export function whyNot(act: ReleaseAct | undefined): string | undefined {
  if (!act || act.allowed) return undefined;
  return told(act.refused, act.message).text || t('release.onlyRole');
}

export class Acting {
  readonly doing = new Doing();
  form = $state.raw<Form | undefined>(undefined);
  constructor(readonly about: () => About) {}

  /** A wave is judged, a role is signed in: what the act needs to know beyond its name. */
  start(
    act: ReleaseActName,
    with_: {
      role?: string | null;
      wave?: number | null;
      resend?: string | null;
      replaces?: number | null;
      name?: string | null;
    } = {},
  ): void {
    const { release, holds, gates } = this.about();
    const resend = with_.resend ?? null;
    switch (act) {
      case 'sign':
        return void this.doing.sign({ kind: 'answer', release, role: with_.role ?? null });
      case 'stage':
        return void this.doing.sign({ kind: 'stage', release, resend });
      case 'dispatch':
      case 'resendUnknown':
        return void this.doing.sign({ kind: 'dispatch', release, resend });
      case 'rollback':
        return void this.doing.sign({ kind: 'rollback', release, resend });
      case 'request':
        return router.go('request', { id: release });
      case 'amend':
        return router.go('propose', {}, { amends: release });
      case 'resume': {
        const open = holds.find((hold) => hold.resumed === null && hold.kind !== 'cancel');
        if (open) this.form = { kind: 'resume', hold: open.entry, question: open.question, by: open.by.name };
        return;
      }
      case 'waive':
        this.form = { kind: 'waive', gate: gates.length === 1 ? gates[0]! : null };
        return;
      case 'waveVerdict':
        this.form = { kind: 'waveVerdict', wave: with_.wave ?? 1 };
        return;
      case 'attachEvidence':
        this.form = { kind: 'attach', replaces: with_.replaces ?? null, name: with_.name ?? null };
        return;
      case 'observeEvidence':
        this.form = { kind: 'observe', replaces: with_.replaces ?? null, name: with_.name ?? null };
        return;
      case 'reconcile':
        return router.go('release', { id: release, tab: 'rollout' });
      case 'hold':
      case 'halt':
      case 'withdraw':
      case 'close':
        this.form = { kind: act };
    }
  }

  /** The act that clears a blocker. */
  clear(act: ClearingAct, blocker: Blocker): void {
    const { release } = this.about();
    switch (act.kind) {
      case 'sign':
        return this.start('sign', { role: act.role });
      case 'resume': {
        const cause = blocker.cause;
        this.form = {
          kind: 'resume',
          hold: act.hold,
          question: cause.kind === 'hold' ? cause.question : null,
          by: 'by' in cause ? cause.by.name : null,
        };
        return;
      }
      case 'request':
      case 'amend':
      case 'stage':
      case 'rollback':
        return this.start(act.kind);
      case 'attach':
        return this.start('attachEvidence');
      case 'observe':
        return this.start('observeEvidence');
      case 'confirm':
        this.form = {
          kind: 'confirm',
          entry: act.entry,
          name: blocker.cause.kind === 'gate' ? blocker.cause.gate : '',
        };
        return;
      case 'waive':
        this.form = { kind: 'waive', gate: act.gate };
        return;
      case 'answerHold': {
        const cause = blocker.cause;
        if (cause.kind !== 'asksToWait') return;
        this.form = { kind: 'resume', hold: act.approval, question: cause.quote, by: cause.by.name };
        return;
      }
      case 'meetCondition':
        this.form = {
          kind: 'condition',
          approval: act.approval,
          number: act.number,
          condition: blocker.cause.kind === 'condition' ? blocker.cause.text : '',
        };
        return;
      case 'review':
        this.form = { kind: 'review', release: act.release };
        return;
      case 'setPolicy':
        return router.go('products');
      case 'wait':
        return router.go('release', { id: release, tab: 'timeline' });
    }
  }

  /** What is said about the last act that was refused. */
  get refusal(): string | undefined {
    return this.doing.error === undefined ? undefined : explain(this.doing.error).happened;
  }
}
