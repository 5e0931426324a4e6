/** `a71e 09d4 … 52f0`; the whole in groups of four where `full`. A value that is no hash is left as it is. */
export function grouped(value: string, full = false): string {
  const body = value.replace(/^sha256:/i, '');
  if (!/^[0-9a-f]{12,}$/i.test(body)) {
    return full || body.length <= 20 ? value : `${body.slice(0, 12)}…${body.slice(-5)}`;
  }
  const groups = body.match(/.{1,4}/g) ?? [];
  return full ? groups.join(' ') : `${groups[0]} ${groups[1]} … ${groups.at(-1)}`;
}
