/**
 * Why a button cannot be pressed now, before Rust is asked. Only a courtesy: Rust asks its rules for every act again, and its
 * answer is what counts.
 */
import { t } from '../i18n/index.svelte';
import type { Ability } from '../ipc/bindings';
import { desk } from '../session.svelte';

export function blockedFor(ability: Ability | undefined): string | undefined {
  if (desk.readOnly) return t('frame.readOnlyLine');
  if (!desk.me) return t('record.nobodyHere');
  if (ability && !desk.me.may.includes(ability)) return needs[ability]();
  return undefined;
}

const needs: Record<Ability, () => string> = {
  propose: () => t('record.needs.propose'),
  request: () => t('record.needs.request'),
  dispatch: () => t('record.needs.dispatch'),
  sign: () => t('record.needs.sign'),
  hold: () => t('record.needs.hold'),
  administer: () => t('record.needs.administer'),
  configure: () => t('record.needs.configure'),
  freeze: () => t('record.needs.freeze'),
  review: () => t('record.needs.review'),
};
