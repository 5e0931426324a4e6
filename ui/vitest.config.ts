import { playwright } from '@vitest/browser-playwright';
import { existsSync } from 'node:fs';
import { defineConfig, mergeConfig } from 'vitest/config';
import { codes } from './scripts/codes.js';
import viteConfig from './vite.config';

const chromium = [process.env['CHROMIUM'], '/usr/bin/chromium', '/usr/bin/google-chrome'].find(
  (path) => path && existsSync(path),
);

export default mergeConfig(
  viteConfig({ mode: 'test', command: 'serve' }),
  defineConfig({
    define: { __CODES__: JSON.stringify(codes()) },
    // Named, so that none is met in the middle of a run: the page would be loaded anew, and the run would hang.
    optimizeDeps: {
      include: ['@internationalized/date', 'axe-core', 'bits-ui', 'fuzzysort'],
    },
    test: {
      teardownTimeout: 2000,
      // A machine that is busy with other work is slow, not wrong.
      testTimeout: 60_000,
      expect: { poll: { timeout: 10_000 } },
      setupFiles: ['./test/setup.ts'],
      include: ['src/**/*.test.ts'],
      browser: {
        // A port of this process's own, so that two checkouts may be tested side by side.
        api: { port: 42000 + (process.pid % 16000), strictPort: false },
        enabled: true,
        headless: true,
        screenshotFailures: false,
        expect: {
          toMatchScreenshot: {
            comparatorName: 'pixelmatch',
            // The edge of a glyph may fall otherwise; a color, a size or a place may not.
            comparatorOptions: { threshold: 0.2, allowedMismatchedPixelRatio: 0.004 },
            resolveScreenshotPath: ({ root, testFileDirectory, arg, ext }) =>
              `${root}/${testFileDirectory}/goldens/${arg}${ext}`,
          },
        },
        viewport: { width: 1280, height: 800 },
        provider: playwright({
          launchOptions: {
            ...(chromium ? { executablePath: chromium } : {}),
            args: [
              '--no-sandbox',
              '--disable-gpu',
              '--disable-quic',
              '--disable-background-networking',
              '--disable-component-update',
              '--disable-sync',
            ],
          },
          contextOptions: { reducedMotion: 'reduce' },
        }),
        instances: [{ browser: 'chromium' }],
      },
    },
  }),
);
