import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Slots } from "../slots.mjs";

describe("slots", () => {
  it("turns away what is over the capacity", () => {
    const slots = new Slots(2);
    assert.ok(slots.take());
    assert.ok(slots.take());
    assert.equal(slots.take(), null);
  });
  it("gives a slot back once", () => {
    const slots = new Slots(1);
    const slot = slots.take();
    slot.release();
    slot.release();
    assert.equal(slots.free, 1);
  });
  it("refuses a capacity of nothing", () => {
    assert.throws(() => new Slots(0), RangeError);
  });
});
