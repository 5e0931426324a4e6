/** The size that is loaded before the first screen: the entry, what it imports at once, and one language. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const folder = process.argv[2] ?? 'dist';
const limits = { js: 180_000, css: 30_000 };
const assets = readdirSync(join(folder, 'assets'));
/** @param {string} file */
const read = (file) => readFileSync(join(folder, file), 'utf8');
/** @param {string} file */
const packed = (file) => gzipSync(readFileSync(join(folder, file))).length;

let failed = false;
for (const page of ['index.html', 'sign.html']) {
  const first = [...read(page).matchAll(/(?:src|href)="\.?\/?(assets\/[^"]+\.(?:js|css))"/g)].map(
    (found) => found[1] ?? '',
  );
  const all = new Set(first);
  for (const file of all) {
    if (!file.endsWith('.js')) continue;
    for (const [, name] of read(file).matchAll(/(?:from|import)\s*["']\.\/([^"']+\.js)["']/g))
      all.add(`assets/${name}`);
  }
  const language = assets.filter((name) => /^en-.*\.js$/.test(name)).map((name) => `assets/${name}`);
  const js = [...all, ...language].filter((file) => file.endsWith('.js')).reduce((sum, file) => sum + packed(file), 0);
  const css = [...all].filter((file) => file.endsWith('.css')).reduce((sum, file) => sum + packed(file), 0);
  if (page === 'sign.html') {
    const foreign = [...all].filter(
      (file) => file.endsWith('.js') && /data-(dialog|popover|menu|select|combobox|calendar)-|bits-/.test(read(file)),
    );
    if (foreign.length) {
      console.error(`code of others in the signing window: ${foreign.join(', ')}`);
      failed = true;
    }
  }
  const line = `${page}: ${(js / 1000).toFixed(1)} kB of JS, ${(css / 1000).toFixed(1)} kB of CSS before the first screen (gzip)`;
  console.log(line);
  if (js > limits.js || css > limits.css) {
    console.error(`over the budget of ${limits.js / 1000} kB and ${limits.css / 1000} kB`);
    failed = true;
  }
}
const inside = assets
  .filter((name) => name.endsWith('.js'))
  .filter((name) => read(`assets/${name}`).includes('copper-otter-12'));
if (inside.length && !folder.includes('fake')) {
  console.error(`the in-memory backend is in the build: ${inside.join(', ')}`);
  failed = true;
}
process.exitCode = failed ? 1 : 0;
