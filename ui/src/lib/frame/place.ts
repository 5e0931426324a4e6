/** A place as Rust names it, as a hash of this window. */
import type { Place } from '../ipc';
import { href } from '../router.svelte';

export function hashOf(to: Place): string {
  switch (to.kind) {
    case 'release':
      return href('release', { id: to.release, tab: to.tab });
    case 'sign':
      return href('release', { id: to.release, tab: 'decision' }, { sign: '1' });
    case 'carriedRequest':
      return href('start', { step: 'request' }, { file: to.file.token });
    case 'entry':
      return href('audit', { index: String(to.index) });
    case 'help':
      return href('help', to.topic ? { topic: to.topic } : {});
    default:
      return href(to.kind);
  }
}
