/** Which columns of a table a person sees, in which order and how wide; remembered for them on this machine. */
import { recall, remember } from '../remembered';

type Arranged = {
  readonly order: readonly string[];
  /** What was chosen by hand; a column that is not here shows where the table is wide enough for it. */
  readonly shown: Readonly<Record<string, boolean>>;
  readonly widths: Readonly<Record<string, number>>;
};
type Sized = { readonly id: string; readonly width: string; readonly fixed?: boolean; readonly from?: number };

const untouched: Arranged = { order: [], shown: {}, widths: {} };
const narrowest = 56;
const widest = 900;

const isRecord = (value: unknown, of: string): value is Record<string, never> =>
  typeof value === 'object' && value !== null && Object.values(value).every((one) => typeof one === of);
const isArranged = (value: unknown): value is Arranged =>
  typeof value === 'object' &&
  value !== null &&
  'order' in value &&
  Array.isArray(value.order) &&
  'shown' in value &&
  isRecord(value.shown, 'boolean') &&
  'widths' in value &&
  isRecord(value.widths, 'number');

export class Arrangement {
  #turn = $state(0);
  #now = $derived.by<Arranged>(() => {
    void this.#turn;
    return recall(`columns.${this.what}`, isArranged) ?? untouched;
  });
  /** While a border is dragged; kept when it is let go. */
  #pulled = $state<{ id: string; width: number } | undefined>();

  constructor(private readonly what: string) {}

  get touched(): boolean {
    return this.#now !== untouched;
  }
  #keep(next: Arranged | undefined): void {
    remember(`columns.${this.what}`, next);
    this.#turn += 1;
  }

  /** All of them, in the person's order; a column that is new since then stands where the table has it. */
  ordered<C extends Sized>(columns: readonly C[]): C[] {
    const at = (column: C, declared: number): number => {
      const own = this.#now.order.indexOf(column.id);
      return own < 0 ? declared : own;
    };
    return columns
      .map((column, declared) => ({ column, at: column.fixed ? -1 : at(column, declared), declared }))
      .sort((a, b) => a.at - b.at || a.declared - b.declared)
      .map(({ column }) => column);
  }
  /** Those that show in a table of this width. */
  seen<C extends Sized>(columns: readonly C[], wide: number): C[] {
    return this.ordered(columns).filter((one) => this.shows(one, wide));
  }
  shows(column: Sized, wide: number): boolean {
    if (column.fixed) return true;
    return this.#now.shown[column.id] ?? (!column.from || !wide || wide >= column.from);
  }
  track(column: Sized): string {
    const own = this.#pulled?.id === column.id ? this.#pulled.width : this.#now.widths[column.id];
    return own === undefined ? column.width : `${own}px`;
  }

  show(id: string, shown: boolean): void {
    this.#keep({ ...this.#now, shown: { ...this.#now.shown, [id]: shown } });
  }
  move(columns: readonly Sized[], id: string, by: -1 | 1): void {
    const order = this.ordered(columns).map((one) => one.id);
    const from = order.indexOf(id);
    const to = from + by;
    if (from < 0 || to < 0 || to >= order.length || columns.find((one) => one.id === order[to])?.fixed) return;
    [order[from], order[to]] = [order[to]!, order[from]!];
    this.#keep({ ...this.#now, order });
  }
  pull(id: string, width: number): void {
    this.#pulled = { id, width: Math.round(Math.max(narrowest, Math.min(widest, width))) };
  }
  letGo(): void {
    if (!this.#pulled) return;
    const { id, width } = this.#pulled;
    this.#pulled = undefined;
    this.#keep({ ...this.#now, widths: { ...this.#now.widths, [id]: width } });
  }
  ownWidth(id: string): void {
    this.#keep({
      ...this.#now,
      widths: Object.fromEntries(Object.entries(this.#now.widths).filter(([one]) => one !== id)),
    });
  }
  reset(): void {
    this.#keep(undefined);
  }
}

export const limits = { narrowest, widest };
