/** How the hashes of an inclusion proof lie around the path from a leaf to the root (RFC 6962, section 2.1.1), for drawing. */
export type Step = { readonly hash: string; readonly side: 'left' | 'right' };

export function steps(index: number, size: number, proof: readonly string[]): Step[] {
  let node = index;
  let last = size - 1;
  return proof.map((hash) => {
    const left = node % 2 === 1 || node === last;
    // A node without a sibling is carried up unchanged.
    while (left && node % 2 === 0 && node !== 0) {
      node = Math.floor(node / 2);
      last = Math.floor(last / 2);
    }
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
    return { hash, side: left ? 'left' : 'right' };
  });
}
