/** A bounded number of requests in flight; a request without a slot is turned away. */
export class Slots {
  #free;
  #leaks;

  constructor(capacity, { leaks = false } = {}) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError("slots need a capacity of at least 1");
    }
    this.#free = capacity;
    this.#leaks = leaks;
  }

  get free() {
    return this.#free;
  }

  /** Takes a slot, or returns null when none is free. */
  take() {
    if (this.#free === 0) return null;
    this.#free -= 1;
    let held = true;
    return {
      release: () => {
        // A release with the leak forgets to give the slot back.
        if (held && !this.#leaks) this.#free += 1;
        held = false;
      },
    };
  }
}
