/**
 * Everything that can be started from the keyboard: the one table behind the rail's menu, the palette, the `?` sheet and
 * the tests. A view says what an entry does while it is open (`bind`); an entry nobody has bound is not offered.
 */
import type { PlainKey } from '../i18n/catalogue';
import type { RouteName } from '../router.svelte';
import type { IconName } from '../components/icons';

export type Group = 'go' | 'do' | 'release' | 'list' | 'window';

export type Entry = {
  readonly title: PlainKey;
  readonly keys: readonly string[];
  readonly group: Group;
  readonly icon?: IconName;
  /** Where it goes by itself, without anybody binding it. */
  readonly go?: RouteName;
  /** Not shown in the palette: it would do nothing useful from there. */
  readonly hidden?: boolean;
};

const entry = <const E extends Entry>(value: E): E => value;

export const table = {
  'go.inbox': entry({ title: 'frame.inbox', keys: ['g i'], group: 'go', icon: 'inbox', go: 'inbox' }),
  'go.board': entry({ title: 'frame.board', keys: ['g b'], group: 'go', icon: 'board', go: 'board' }),
  'go.releases': entry({ title: 'frame.releases', keys: ['g r'], group: 'go', icon: 'release', go: 'releases' }),
  'go.rollouts': entry({ title: 'frame.rollouts', keys: ['g o'], group: 'go', icon: 'wave', go: 'rollouts' }),
  'go.calendar': entry({ title: 'frame.calendar', keys: ['g c'], group: 'go', icon: 'calendar', go: 'freezes' }),
  'go.audit': entry({ title: 'frame.audit', keys: ['g a'], group: 'go', icon: 'book', go: 'audit' }),
  'go.people': entry({ title: 'frame.people', keys: ['g p'], group: 'go', icon: 'people', go: 'people' }),
  'go.products': entry({ title: 'frame.products', keys: ['g d'], group: 'go', icon: 'product', go: 'products' }),
  'go.authorizations': entry({
    title: 'frame.authorizations',
    keys: ['g s'],
    group: 'go',
    icon: 'seal',
    go: 'authorizations',
  }),
  'go.connectors': entry({ title: 'frame.connectors', keys: ['g n'], group: 'go', icon: 'plug', go: 'connectors' }),
  'go.settings': entry({ title: 'frame.settings', keys: ['mod+,'], group: 'go', icon: 'gear', go: 'settings' }),
  'go.help': entry({ title: 'frame.help', keys: ['f1'], group: 'go', icon: 'help', go: 'help' }),

  'window.palette': entry({ title: 'frame.findOrDo', keys: ['mod+k'], group: 'window', icon: 'search', hidden: true }),
  'window.keys': entry({ title: 'frame.keyboard', keys: ['?'], group: 'window', icon: 'command' }),
  'window.lock': entry({ title: 'frame.lock', keys: ['mod+l'], group: 'window', icon: 'lock' }),
  'window.undo': entry({ title: 'common.undo', keys: ['mod+z'], group: 'window', hidden: true }),
  'window.region': entry({ title: 'keys.region', keys: ['f6'], group: 'window', hidden: true }),
  'window.zoomIn': entry({ title: 'keys.zoomIn', keys: ['mod++', 'mod+='], group: 'window' }),
  'window.zoomOut': entry({ title: 'keys.zoomOut', keys: ['mod+-'], group: 'window' }),
  'window.zoomReset': entry({ title: 'keys.zoomReset', keys: ['mod+0'], group: 'window' }),
  'window.theme': entry({ title: 'keys.theme', keys: [], group: 'window', icon: 'moon' }),
  'window.wallboard': entry({ title: 'frame.wallboard', keys: [], group: 'window', icon: 'board' }),
  'window.openLedger': entry({ title: 'frame.openLedger', keys: ['mod+o'], group: 'window', icon: 'folder' }),

  'do.propose': entry({ title: 'frame.propose', keys: ['n'], group: 'do', icon: 'plus', go: 'propose' }),
  'do.signFirst': entry({ title: 'keys.signFirst', keys: ['s'], group: 'do', icon: 'mark' }),
  'do.freeze': entry({ title: 'keys.freeze', keys: [], group: 'do', icon: 'snow' }),
  'do.verify': entry({ title: 'keys.verify', keys: [], group: 'do', icon: 'seal' }),
  'do.export': entry({ title: 'keys.export', keys: ['mod+e'], group: 'do', icon: 'download' }),
  'do.backUp': entry({ title: 'keys.backUp', keys: [], group: 'do', icon: 'download' }),
  'do.enrol': entry({ title: 'keys.enrol', keys: [], group: 'do', icon: 'people' }),
  'do.save': entry({ title: 'common.save', keys: ['mod+s'], group: 'do', icon: 'check' }),

  'release.primary': entry({ title: 'keys.primary', keys: ['s'], group: 'release', icon: 'mark' }),
  'release.hold': entry({ title: 'keys.hold', keys: ['h'], group: 'release', icon: 'pause' }),
  'release.halt': entry({ title: 'keys.halt', keys: ['shift+h'], group: 'release', icon: 'stop' }),
  'release.request': entry({ title: 'frame.request', keys: ['r'], group: 'release', icon: 'snow' }),
  'release.decision': entry({ title: 'keys.tabDecision', keys: ['1'], group: 'release' }),
  'release.evidence': entry({ title: 'keys.tabEvidence', keys: ['2'], group: 'release' }),
  'release.changes': entry({ title: 'keys.tabChanges', keys: ['3'], group: 'release' }),
  'release.rollout': entry({ title: 'keys.tabRollout', keys: ['4'], group: 'release' }),
  'release.timeline': entry({ title: 'keys.tabTimeline', keys: ['5'], group: 'release' }),
  'release.report': entry({ title: 'keys.tabReport', keys: ['6'], group: 'release' }),

  'list.filter': entry({ title: 'common.filter', keys: ['/'], group: 'list', icon: 'filter' }),
  'list.next': entry({ title: 'common.next', keys: ['j'], group: 'list', hidden: true }),
  'list.previous': entry({ title: 'common.previous', keys: ['k'], group: 'list', hidden: true }),
  'list.back': entry({ title: 'common.back', keys: ['escape'], group: 'list', hidden: true }),
} as const;

export type CommandId = keyof typeof table;
