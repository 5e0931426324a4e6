/** Reads the token table and measures pairs of it: OKLCH to linear sRGB to relative luminance, as WCAG defines the ratio. */
export type Table = Readonly<Record<string, string>>;

/** The custom properties of each rule of the file, by selector; rules of one selector are joined. */
export function layers(css: string): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  const bare = css.replace(/\/\*[\s\S]*?\*\//g, '');
  for (const [, selector, body] of bare.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    const name = selector!.trim();
    const into = (found[name] ??= {});
    for (const [, property, value] of body!.matchAll(/--([\w-]+):\s*([^;]+);/g)) into[property!] = value!.trim();
  }
  return found;
}

function luminance(color: string): number {
  const parts =
    color.match(/^oklch\(([\d.]+)%\s+([\d.]+)\s+([\d.]+)\)$/) ?? color.match(/^oklch\(([\d.]+)%\s+([\d.]+)\s+0\)$/);
  if (!parts) throw new Error(`not an opaque oklch color: ${color}`);
  const lightness = Number(parts[1]) / 100;
  const chroma = Number(parts[2]);
  const hue = (Number(parts[3] ?? 0) * Math.PI) / 180;
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clamp = (value: number) => Math.min(1, Math.max(0, value));
  const red = clamp(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s);
  const green = clamp(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s);
  const blue = clamp(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

export function contrast(table: Table, one: string, other: string): number {
  const [a, b] = [one, other].map((name) => {
    const color = table[name];
    if (!color) throw new Error(`no token ${name}`);
    return luminance(color);
  });
  return (Math.max(a!, b!) + 0.05) / (Math.min(a!, b!) + 0.05);
}
