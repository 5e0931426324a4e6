export default {
  title: 'Help',
  lead: 'It is all here; nothing is fetched.',
  search: 'Search in help',
  topics: 'Topics',
  noneTitle: 'Nothing about “{text}”',
  noneText: 'Try a single word, such as “stale”, “key” or “wave”.',
  found: { zero: 'nothing found', one: '{count} topic', other: '{count} topics' },
} as const;
