import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist', 'dist-fake', 'shots', 'node_modules', 'src/lib/ipc/bindings.ts'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs['flat/recommended'],
  { languageOptions: { globals: { ...globals.browser } } },
  { files: ['scripts/**', '*.config.*'], languageOptions: { globals: { ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, extraFileExtensions: ['.svelte'], svelteConfig } },
  },
  {
    rules: {
      'no-undef': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      'svelte/no-navigation-without-resolve': 'off',
      // Caches and pending work are not shown, so nothing has to follow them.
      'svelte/prefer-svelte-reactivity': 'off',
      // `{' · '}` keeps a space that the compiler would trim.
      'svelte/no-useless-mustaches': 'off',
      'svelte/no-at-html-tags': 'error',
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['@tauri-apps/*'], message: 'Only src/lib/ipc talks to the shell.' }] },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "SvelteAttribute[key.name='style']",
          message: 'A style attribute is refused by the content security policy; `style:--x={value}` is not.',
        },
        { selector: "NewExpression[callee.name='Function']", message: 'Refused by the content security policy.' },
        {
          selector: "AssignmentExpression[left.property.name='innerHTML']",
          message: 'Refused by Trusted Types: build elements instead.',
        },
      ],
    },
  },
  { files: ['src/lib/ipc/**'], rules: { 'no-restricted-imports': 'off' } },
  {
    // The signing window carries no code of others beyond the framework.
    files: ['src/sign.ts', 'src/views/sign/**'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['@tauri-apps/*', 'bits-ui*', 'fuzzysort*', '@internationalized/*'],
              message: 'Not in the signing window.',
            },
          ],
        },
      ],
    },
  },
);
