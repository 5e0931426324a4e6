/** Short words at the edge of the window, spoken politely. One with an undo stays ten seconds, and while pointed at. */
export type Toast = {
  readonly id: number;
  readonly text: string;
  readonly tone: 'plain' | 'go' | 'nogo';
  readonly undo: (() => void | Promise<void>) | undefined;
};

class Toasts {
  shown = $state.raw<readonly Toast[]>([]);
  #next = 1;
  #timers = new Map<number, ReturnType<typeof setTimeout>>();

  add(text: string, options: { tone?: Toast['tone']; undo?: Toast['undo'] } = {}): number {
    const toast: Toast = { id: this.#next++, text, tone: options.tone ?? 'plain', undo: options.undo };
    this.shown = [...this.shown.slice(-3), toast];
    this.resume(toast.id);
    return toast.id;
  }
  dismiss(id: number): void {
    this.hold(id);
    this.shown = this.shown.filter((toast) => toast.id !== id);
  }
  hold(id: number): void {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }
  resume(id: number): void {
    const toast = this.shown.find((one) => one.id === id);
    if (!toast) return;
    this.hold(id);
    this.#timers.set(
      id,
      setTimeout(() => this.dismiss(id), toast.undo || toast.tone === 'nogo' ? 10_000 : 4_000),
    );
  }
  /** Takes back the newest act that can be taken back; false where there is none. */
  undoLast(): boolean {
    const toast = this.shown.findLast((one) => one.undo);
    if (!toast) return false;
    void toast.undo!();
    this.dismiss(toast.id);
    return true;
  }
}
export const toasts = new Toasts();

export const say = (text: string, options?: Parameters<Toasts['add']>[1]): number => toasts.add(text, options);

/** Words for a screen reader alone: what changed on the page without anything taking the focus. */
class Announcer {
  text = $state('');
  say(text: string): void {
    this.text = '';
    queueMicrotask(() => (this.text = text));
  }
}
export const announcer = new Announcer();
