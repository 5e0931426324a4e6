// Prices are whole cents and rates are hundredths of a percent, so that no figure is ever a float.

/** Returns `amount * numerator / denominator`, rounded half to even. */
export function share(amount, numerator, denominator) {
  if (![amount, numerator, denominator].every(Number.isSafeInteger) || denominator <= 0) {
    throw new RangeError("share needs whole numbers and a positive denominator");
  }
  const product = BigInt(amount) * BigInt(numerator);
  const divisor = BigInt(denominator);
  const negative = product < 0n;
  const magnitude = negative ? -product : product;
  const whole = magnitude / divisor;
  const twice = (magnitude % divisor) * 2n;
  const up = twice > divisor || (twice === divisor && whole % 2n === 1n);
  const rounded = up ? whole + 1n : whole;
  return Number(negative ? -rounded : rounded);
}

/** Returns the net, tax and gross cents of `quantity` pieces at `net` cents each. */
export function quote({ net, rate, quantity = 1 }) {
  if (![net, rate, quantity].every(Number.isSafeInteger) || net < 0 || rate < 0 || quantity < 1) {
    throw new RangeError("net, rate and quantity are whole numbers, and a quantity is at least 1");
  }
  const total = net * quantity;
  const tax = share(total, rate, 10_000);
  return { net: total, tax, gross: total + tax };
}
