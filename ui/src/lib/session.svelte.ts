/** Who is here, what is open, how it shall look: asked of Rust at the start and whenever it says something moved. */
import { calls, listen, type Session, type Settings } from './ipc';
import { clock, zone } from './i18n/format.svelte';
import { languageOf, useLanguage, words } from './i18n/index.svelte';
import { registry } from './keys/registry.svelte';
import { forgetAll, invalidate } from './query.svelte';

/** What was read is about one ledger and for one person: which act is theirs, what they signed, what waits for them. */
const whose = (session: Session | undefined): string =>
  JSON.stringify([session?.ledger?.fingerprint, session?.me?.principal]);

/** How old what is on screen may become while the ledger stands still. */
const READ_AGAIN_MS = 15_000;

class Desk {
  session = $state.raw<Session | undefined>(undefined);
  settings = $state.raw<Settings | undefined>(undefined);
  failure = $state.raw<unknown>(undefined);

  get ledger() {
    return this.session?.ledger ?? undefined;
  }
  get me() {
    return this.session?.me ?? undefined;
  }
  get sample(): boolean {
    return this.ledger?.sample ?? false;
  }
  /** Nothing can be signed, proposed or sent from here now. */
  get readOnly(): boolean {
    return this.session?.mode !== 'open';
  }

  take(session: Session): void {
    const before = whose(this.session);
    this.session = session;
    clock.follow(session.now);
    this.#zone();
    if (before !== whose(session)) forgetAll();
  }

  #zone(): void {
    const chosen = this.settings?.zone;
    zone.name = (chosen === 'named' && this.settings?.zoneName) || this.session?.zone || 'UTC';
    zone.mode = chosen === 'utc' ? 'utc' : 'local';
  }

  async refresh(): Promise<void> {
    try {
      this.take(await calls.session());
      this.failure = undefined;
    } catch (thrown) {
      this.failure = thrown;
    }
  }

  /** Makes the window look and speak as the settings say. */
  async apply(settings: Settings): Promise<void> {
    this.settings = settings;
    const root = document.documentElement;
    const dark = matchMedia('(prefers-color-scheme: dark)').matches;
    const contrast =
      settings.theme === 'highContrast' ||
      (settings.theme === 'system' && matchMedia('(prefers-contrast: more)').matches);
    root.dataset['theme'] = settings.theme === 'dark' || (settings.theme !== 'light' && dark) ? 'dark' : 'light';
    if (contrast) root.dataset['contrast'] = 'more';
    else delete root.dataset['contrast'];
    root.dataset['density'] = settings.density;
    if (settings.reducedMotion) root.dataset['motion'] = 'less';
    else delete root.dataset['motion'];
    registry.singleKeys = settings.singleKeys;
    this.#zone();
    const language =
      settings.language === 'english' ? 'en' : settings.language === 'german' ? 'de' : languageOf(settings.locale);
    words.region = settings.locale;
    if (language !== words.language || !Object.keys(words.catalogue).length) await useLanguage(language);
  }

  async change(some: Partial<Settings>): Promise<void> {
    if (!this.settings) return;
    await this.apply(await calls.saveSettings({ ...this.settings, ...some }));
  }

  /** Begins to hear Rust; the answer stops it. */
  start(): () => void {
    clock.start();
    const media = matchMedia('(prefers-color-scheme: dark)');
    const again = () => this.settings && void this.apply(this.settings);
    media.addEventListener('change', again);
    // A soak ends, a sheet runs out, a freeze begins, and no entry says so: what is on screen is read again as time passes.
    const passing = setInterval(() => document.visibilityState === 'visible' && invalidate(), READ_AGAIN_MS);
    const stops = [
      () => clearInterval(passing),
      listen('ledgerChanged', () => {
        void this.refresh();
        invalidate();
      }),
      listen('locked', () => void this.refresh()),
      listen('settingsChanged', ({ settings }) => void this.apply(settings)),
      listen('jobProgress', ({ job }) => this.#job(job)),
    ];
    return () => {
      clock.stop();
      media.removeEventListener('change', again);
      for (const stop of stops) stop();
    };
  }

  #job(job: Session['jobs'][number]): void {
    if (!this.session) return;
    const others = this.session.jobs.filter((one) => one.jobId !== job.jobId);
    this.session = { ...this.session, jobs: [...others, job] };
    if (job.phase === 'done' || job.phase === 'failed' || job.phase === 'cancelled') void this.refresh();
  }
}

export const desk = new Desk();
