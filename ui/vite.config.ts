import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** The content security policy refuses a `style` attribute; the headless library writes one in two of its templates. */
const withoutInlineStyle: Plugin = {
  name: 'without-inline-style',
  enforce: 'pre',
  transform(code, id) {
    if (!id.includes('/bits-ui/') || !id.endsWith('.svelte') || !code.includes('style="display: contents;"')) return;
    return { code: code.replaceAll('style="display: contents;"', 'data-contents=""'), map: null };
  },
};

// `fake` puts the in-memory backend in the place of Rust: for work on a screen, component tests and pictures. A build
// without that mode cannot contain it, because the only import of it is behind this alias.
export default defineConfig(({ mode }) => ({
  plugins: [withoutInlineStyle, svelte()],
  clearScreen: false,
  resolve: {
    alias: {
      $lib: at('./src/lib'),
      $views: at('./src/views'),
      '$backend-in-use': at(
        mode === 'fake' || mode === 'test' ? './src/lib/ipc/fake/index.ts' : './src/lib/ipc/tauri.ts',
      ),
    },
  },
  build: {
    target: ['safari16.4', 'chrome120'],
    modulePreload: { polyfill: false },
    cssCodeSplit: true,
    assetsInlineLimit: 0,
    rolldownOptions: { input: { main: at('./index.html'), sign: at('./sign.html') } },
  },
  server: { port: 5173, strictPort: true, ...(process.env['NO_WATCH'] ? { watch: null, hmr: false } : {}) },
}));
