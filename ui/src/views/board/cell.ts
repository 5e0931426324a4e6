/** What a cell of the board says, from the codes and data of Rust. */
import type { State } from '$lib/design/states';
import { clock, duration, list, percent, relative } from '$lib/i18n/format.svelte';
import { t } from '$lib/i18n/index.svelte';
import type { BoardCell } from '$lib/ipc';

const seconds = (from: string, until: string | number): number =>
  ((typeof until === 'number' ? until : Date.parse(until)) - Date.parse(from)) / 1000;

export function note(cell: BoardCell): string {
  const said = cell.note;
  switch (said.kind) {
    case 'collecting':
      return cell.since
        ? t('board.note.collectingSince', { when: relative(cell.since, clock.now) })
        : t('board.note.collecting');
    case 'releasable':
      return cell.since
        ? t('board.note.releasableSince', { when: relative(cell.since, clock.now) })
        : t('board.note.releasable');
    case 'red':
      return t('board.note.red', { gates: list(said.gates) });
    case 'soaking':
      return t('board.note.soaking', {
        done: duration(seconds(said.since, clock.now)),
        needed: duration(seconds(said.since, said.until)),
      });
    case 'baking':
      return t('board.note.baking', {
        done: duration(seconds(said.since, clock.now)),
        needed: duration(seconds(said.since, said.until)),
      });
    case 'proven':
      return t('board.note.proven', { span: duration(seconds(said.since, clock.now)) });
    case 'waits':
      return said.needed - said.signed === 1
        ? t('board.note.waitsLast')
        : t('board.note.waits', { signed: said.signed, needed: said.needed });
    case 'held':
      return t('board.note.held', { who: said.by.name });
    case 'noGo':
      return t('board.note.noGo', { who: said.by.name });
    case 'dispatching':
      return t('board.note.dispatching', { wave: said.wave });
    case 'passed':
      return t('board.note.passed', { span: duration(said.tookSeconds) });
    case 'inconclusive':
      return cell.share === null
        ? t('board.note.inconclusive')
        : t('board.note.inconclusiveShare', { share: percent(cell.share) });
    case 'halted':
      return t('board.note.halted', { quote: said.quote });
    case 'live': {
      const span = duration(seconds(said.since, clock.now));
      if (said.authorization !== null) return t('board.note.liveUnder', { span, entry: said.authorization });
      return said.behind ? t('board.note.liveBehind', { span, behind: said.behind }) : t('board.note.live', { span });
    }
    default:
      return t(`board.note.${said.kind}`);
  }
}

/** The badge beside the version: only where something is wrong or waits. */
export function badge(cell: BoardCell): State | undefined {
  switch (cell.note.kind) {
    case 'red':
    case 'halted':
      return 'halted';
    case 'held':
    case 'inconclusive':
      return 'hold';
    case 'noGo':
      return 'noGo';
    case 'stale':
      return 'stale';
    case 'fateUnknown':
      return 'fateUnknown';
    case 'rolledBack':
      return 'rolledBack';
    default:
      return undefined;
  }
}

/** How far a span has come, 0 to 100; nothing where the cell shows none. */
export function progress(
  cell: BoardCell,
): { share: number; tone: 'accent' | 'hold' | 'go' | 'nogo'; what: 'soak' | 'share' } | undefined {
  const said = cell.note;
  if (said.kind === 'soaking' || said.kind === 'baking') {
    const whole = seconds(said.since, said.until);
    return {
      share: whole > 0 ? Math.max(0, Math.min(100, (seconds(said.since, clock.now) / whole) * 100)) : 100,
      tone: 'accent',
      what: 'soak',
    };
  }
  if (cell.share === null || cell.place.kind !== 'production') return undefined;
  return { share: cell.share, tone: cell.share >= 100 ? 'go' : 'accent', what: 'share' };
}
