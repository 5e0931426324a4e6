/** The help of the window: plain paragraphs and lists, in each language the same topics. */
import type { Language } from '$lib/i18n/index.svelte';

export const topicIds = [
  'first-release',
  'signing',
  'poll',
  'states',
  'independence',
  'evidence',
  'policy',
  'modes',
  'rollout',
  'fate-unknown',
  'freezes',
  'audit',
  'bundle',
  'keys',
  'lost-key',
  'backup',
  'damaged',
  'sample',
  'keyboard',
  'words',
] as const;
export type TopicId = (typeof topicIds)[number];

/** `**strong**` within a text. */
export type Block = string | { readonly list: readonly string[] } | { readonly steps: readonly string[] };
export type Topic = { readonly title: string; readonly body: readonly Block[] };
export type Topics = Readonly<Record<TopicId, Topic>>;

const load: Record<Language, () => Promise<{ default: Topics }>> = {
  en: () => import('./en'),
  de: () => import('./de'),
};

export const topicsOf = async (language: Language): Promise<Topics> => (await load[language]()).default;

export function plain(topic: Topic): string {
  const text = (block: Block): string =>
    typeof block === 'string' ? block : ('list' in block ? block.list : block.steps).join(' ');
  return [topic.title, ...topic.body.map(text)].join(' ').replaceAll('**', '');
}
