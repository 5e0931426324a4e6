/** The words of something that waits, and where its button leads. */
import type { IconName } from '$lib/components/icons';
import type { Tone } from '$lib/design/states';
import { list } from '$lib/i18n/format.svelte';
import { t, word } from '$lib/i18n/index.svelte';
import type { InboxItem, InboxKind, Intent } from '$lib/ipc';
import { consequence, factLabel } from '$lib/record/decision';
import { roleName } from '$lib/record/sentence';
import { href } from '$lib/router.svelte';

export const looks: Readonly<Record<InboxKind, { icon: IconName; tone: Tone }>> = {
  sign: { icon: 'clock', tone: 'wait' },
  signAgain: { icon: 'refresh', tone: 'stale' },
  answer: { icon: 'pause', tone: 'hold' },
  condition: { icon: 'check-list', tone: 'hold' },
  request: { icon: 'snow', tone: 'accent' },
  dispatch: { icon: 'send', tone: 'accent' },
  stage: { icon: 'layers', tone: 'accent' },
  rollout: { icon: 'cross', tone: 'nogo' },
  waveVerdict: { icon: 'pause', tone: 'hold' },
  fateUnknown: { icon: 'question', tone: 'hold' },
  gate: { icon: 'dashed', tone: 'wait' },
  confirmEvidence: { icon: 'eye', tone: 'wait' },
  policy: { icon: 'book', tone: 'wait' },
  authorization: { icon: 'seal', tone: 'wait' },
  device: { icon: 'lock', tone: 'wait' },
  confirmPeople: { icon: 'people', tone: 'wait' },
  review: { icon: 'eye', tone: 'hold' },
  accept: { icon: 'mark', tone: 'wait' },
  key: { icon: 'key', tone: 'hold' },
  freeze: { icon: 'snow', tone: 'hold' },
  close: { icon: 'flag', tone: 'go' },
};

export function title(item: InboxItem): string {
  const product = item.product ?? '';
  // A review is of one emergency change, or of its kind as a whole.
  if (item.kind === 'review' && !item.release) return word('people', `scope.${item.quote}`);
  switch (item.kind) {
    case 'policy':
      return t('inbox.policyOf', { product });
    case 'authorization':
      return t('inbox.authorizationOf', { product });
    case 'device':
      return t('inbox.deviceTitle');
    case 'confirmPeople':
      return t('inbox.confirmPeopleTitle', { person: item.quote ?? '' });
    case 'accept':
      return t('inbox.acceptTitle');
    case 'key':
      return t('inbox.keyTitle');
    case 'freeze':
      return item.product ? t('inbox.freezeOf', { product }) : t('inbox.freezeTitle');
    default:
      return item.environment
        ? t('inbox.releaseTo', { product, version: item.version ?? '', environment: item.environment })
        : t('inbox.releaseOnly', { product, version: item.version ?? '' });
  }
}

/** What it is about and what follows, each a whole sentence. */
export function sentences(item: InboxItem): string[] {
  const quote = item.quote ?? '';
  const who = item.then?.name ?? item.askedBy?.name ?? '';
  const about = (): string => {
    switch (item.kind) {
      case 'sign':
        return item.lastSignature ? '' : t('inbox.text.sign', { role: roleName(item.role ?? '') });
      case 'signAgain':
        return item.changed.length
          ? t('inbox.text.signAgain', { moved: list([...new Set(item.changed.map(({ name }) => factLabel(name)))]) })
          : t('inbox.text.signAgainPlain');
      case 'answer':
        return t('inbox.text.answer', { who: item.askedBy?.name ?? '', quote });
      case 'condition':
        return t('inbox.text.condition', { quote });
      case 'rollout':
        return quote ? t('inbox.text.rollout', { quote }) : t('inbox.text.rolloutPlain');
      case 'waveVerdict':
        return quote ? t('inbox.text.waveVerdict', { quote }) : t('inbox.text.waveVerdictPlain');
      case 'gate':
        return who ? t('inbox.text.gate', { who }) : t('inbox.text.gatePlain');
      case 'review':
        return item.release ? t('inbox.text.review') : t('inbox.text.reviewAgain');
      case 'confirmPeople':
        return item.role ? t('inbox.text.confirmRole', { role: roleName(item.role) }) : t('inbox.text.confirmPeople');
      case 'policy':
        return quote ? t('inbox.text.policy', { quote }) : t('inbox.text.policyPlain');
      default:
        return t(`inbox.text.${item.kind}`);
    }
  };
  const follows = consequence(item.consequence, item.then);
  return [about(), follows].filter(Boolean);
}

/** Where the thing itself is. */
export function place(item: InboxItem): string {
  switch (item.kind) {
    case 'policy':
      return href('products', item.product ? { id: item.product, tab: 'policy' } : {});
    case 'authorization':
      return href('authorizations', item.entry === null ? {} : { id: String(item.entry) });
    case 'confirmPeople':
      return href('people', {}, { tab: 'waiting' });
    case 'review':
      return item.release ? href('release', { id: item.release }) : href('people', {}, { tab: 'reviews' });
    case 'device':
    case 'accept':
    case 'key':
      return href('people');
    case 'freeze':
      return href('freezes');
    case 'rollout':
    case 'waveVerdict':
    case 'fateUnknown':
      return item.release ? href('rollout', { id: item.release }) : href('rollouts');
    case 'request':
      return item.release ? href('request', { id: item.release }) : href('releases');
    case 'gate':
    case 'confirmEvidence':
      return item.release ? href('release', { id: item.release, tab: 'evidence' }) : href('releases');
    default:
      return item.release ? href('release', { id: item.release }) : href('releases');
  }
}

/** The act that can be opened for signing at once, without a form in between. */
export function directly(item: InboxItem, me: string | undefined): Intent | undefined {
  if (item.kind === 'sign' && item.release) return { kind: 'answer', release: item.release, role: item.role };
  if (item.kind === 'accept' && me) return { kind: 'accept', principal: me };
  return undefined;
}
