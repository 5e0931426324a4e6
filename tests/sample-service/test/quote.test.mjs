import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quote, share } from "../quote.mjs";

describe("share", () => {
  it("rounds half to even", () => {
    assert.deepEqual([1, 3, 5, -1, -3].map((half) => share(half, 1, 2)), [0, 2, 2, 0, -2].map((n) => n || 0));
  });
  it("is exact beyond the range of a float", () => {
    assert.equal(share(9_007_199_254_740_991, 3, 3), 9_007_199_254_740_991);
  });
  it("refuses fractions", () => {
    assert.throws(() => share(0.5, 1, 2), RangeError);
  });
});

describe("quote", () => {
  it("adds the tax to the net amount", () => {
    assert.deepEqual(quote({ net: 1999, rate: 1900, quantity: 3 }), { net: 5997, tax: 1139, gross: 7136 });
  });
  it("has no tax at rate zero", () => {
    assert.deepEqual(quote({ net: 100, rate: 0 }), { net: 100, tax: 0, gross: 100 });
  });
  for (const bad of [{ net: -1, rate: 0 }, { net: 1, rate: NaN }, { net: 1, rate: 0, quantity: 0 }]) {
    it(`refuses ${JSON.stringify(bad)}`, () => assert.throws(() => quote(bad), RangeError));
  }
});
