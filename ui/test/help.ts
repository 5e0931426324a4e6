/** What the tests of screens share. */
import axe from 'axe-core';
import type { Component } from 'svelte';
import { expect } from 'vitest';
import { render } from 'vitest-browser-svelte';

// A screen that needs neither has no props at all, which is another type of component.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type View = Component<any>;

/** A screen as the frame would show it. */
export function show(view: View, params: Record<string, string> = {}, query: Record<string, string> = {}) {
  return render(view, { params, query });
}

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** No finding of axe in the light theme, nor in the dark. `region` needs the whole frame and is left out of a part. */
export async function expectAccessible(container: Element = document.body): Promise<void> {
  const root = document.documentElement;
  const before = root.dataset['theme'];
  for (const theme of ['light', 'dark']) {
    root.dataset['theme'] = theme;
    // One frame, so that what is measured is the theme's own color and not one on its way.
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 160)));
    const { violations } = await axe.run(container, {
      runOnly: { type: 'tag', values: tags },
      rules: { region: { enabled: false }, 'page-has-heading-one': { enabled: false } },
    });
    const found = violations.map(
      (one) =>
        `${theme}: ${one.id} (${one.impact}): ${one.nodes.map((node) => `${node.html} — ${node.failureSummary}`).join('\n')}`,
    );
    expect(found, found.join('\n\n')).toEqual([]);
  }
  if (before) root.dataset['theme'] = before;
}
