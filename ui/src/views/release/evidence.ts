/** How a piece of evidence reads: its figures in one line, and what it is worth beside them. */
import { bytes, number } from '$lib/i18n/format.svelte';
import { t } from '$lib/i18n/index.svelte';
import type { Counts, EvidenceFile } from '$lib/ipc';

export function countsText(counts: Counts): string {
  switch (counts.kind) {
    case 'tests':
      return [
        t('release.counts.passed', { count: counts.passed }),
        counts.failed + counts.errors ? t('release.counts.failed', { count: counts.failed + counts.errors }) : '',
        counts.skipped ? t('release.counts.skipped', { count: counts.skipped }) : '',
        counts.flaky ? t('release.counts.flaky', { count: counts.flaky }) : '',
      ]
        .filter(Boolean)
        .join(' · ');
    case 'findings': {
      const open = counts.error + counts.warning + counts.note + counts.none;
      return [
        t('release.counts.findings', { count: open }),
        counts.error ? t('release.counts.errors', { count: counts.error }) : '',
        counts.suppressed ? t('release.counts.suppressed', { count: counts.suppressed }) : '',
      ]
        .filter(Boolean)
        .join(' · ');
    }
    case 'components':
      return t('release.counts.components', {
        components: number(counts.components),
        vulnerabilities: number(counts.vulnerabilities),
      });
    case 'file':
      return bytes(Number(counts.bytes));
  }
}

/** Whether what came in could be replaced by a later file. */
export const current = (file: EvidenceFile): boolean => file.replacedBy === null;
