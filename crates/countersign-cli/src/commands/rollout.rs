//! `stage`, `dispatch`, `cancel`, `rollback`, `worker`.

use std::io::Write;
use std::sync::Mutex;
use std::task::Poll;
use std::time::Duration;

use clap::Args;
use countersign_app::connectors;
use countersign_app::error::{Error, ErrorKind};
use countersign_app::ledger::Ledger;
use countersign_app::rollout::{self, Event, Pace, Rolled};
use countersign_app::{clock, releases, status, worker};
use countersign_core::act::{Hold, HoldChange};
use countersign_core::decide::Command;
use countersign_core::words::{Line, Principal, ReleaseId, Slug};
use serde_json::json;

use super::wait;
use crate::output::{Answer, Io, count};
use crate::presence;
use crate::session::Session;

/// Deliver a candidate to the environment before the go/no-go, and record what is seen running there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger stage pump-4.2.0
  countersign --ledger ./ledger stage pump-4.2.0 --resend 0197b2c4-0000-7000-8000-000000000001")]
pub(crate) struct Stage {
    /// The release
    release: ReleaseId,
    /// Send again for the request of unknown fate, once you have looked in the CI system
    #[arg(long, value_name = "REQUEST_ID")]
    resend: Option<Line>,
    #[command(flatten)]
    patience: Patience,
}

/// Send the next wave of a signed release out and watch it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger dispatch pump-4.2.0 --as rita@acme.example
  countersign --ledger ./ledger dispatch pump-4.2.0 --all-waves
  countersign --ledger ./ledger dispatch pump-4.2.0 --resend 0197b2c4-0000-7000-8000-000000000001")]
pub(crate) struct Dispatch {
    /// The release
    release: ReleaseId,
    /// Go on with the waves after it as long as each passes
    #[arg(long)]
    all_waves: bool,
    /// Send again for the request of unknown fate, once you have looked in the CI system
    #[arg(long, value_name = "REQUEST_ID")]
    resend: Option<Line>,
    #[command(flatten)]
    patience: Patience,
}

/// Have a run that is under way stopped.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger cancel pump-4.2.0 --reason 'wrong window'
  countersign --ledger ./ledger cancel pump-4.2.0 \\
      --request 0197b2c4-0000-7000-8000-000000000001 --reason 'wrong window'")]
pub(crate) struct Cancel {
    /// The release
    release: ReleaseId,
    /// Its request id; the only one under way when not said
    #[arg(long, value_name = "REQUEST_ID")]
    request: Option<Line>,
}

/// Take a rollout back to what was live before, by the slot approved with the sheet.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger rollback pump-4.2.0 --as rita@acme.example")]
pub(crate) struct Rollback {
    /// The release
    release: ReleaseId,
    /// Send again for the request of unknown fate, once you have looked in the CI system
    #[arg(long, value_name = "REQUEST_ID")]
    resend: Option<Line>,
    #[command(flatten)]
    patience: Patience,
}

/// Do all that is due and nobody has to start: waves, bakes, automatic GOs, what a crash left behind.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  countersign --ledger ./ledger worker
  countersign --ledger ./ledger worker --once --json")]
pub(crate) struct Worker {
    /// Do what is due now and end
    #[arg(long)]
    once: bool,
    /// How many seconds to wait between two looks at the ledger
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    every: u64,
    #[command(flatten)]
    patience: Patience,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Patience {
    /// The longest time between two looks at a run
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    poll_max: u64,
    /// How long a run may take
    #[arg(long, value_name = "MINUTES", default_value_t = 360, value_parser = clap::value_parser!(u64).range(1..=10_080))]
    run_max: u64,
    /// How long a request of unknown fate is looked for
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    settle: u64,
}

impl Patience {
    fn pace(self) -> Pace {
        Pace {
            settle: Duration::from_secs(self.settle),
            poll_max: Duration::from_secs(self.poll_max),
            run_max: Duration::from_secs(self.run_max * 60),
        }
    }
}

/// Returns what goes on as lines for a person; scripts get the answer at the end.
fn teller<'a>(stream: &'a mut (dyn Write + Send), quiet: bool) -> impl FnMut(Event) + Send + 'a {
    move |event| {
        if !quiet {
            tell_event(stream, event);
        }
    }
}

fn tell_event(stream: &mut (dyn Write + Send), event: Event) {
    let text = match event {
        Event::Step { request_id, state, detail } => {
            let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
            format!("{} {request_id} {state}{detail}", clock::now())
        }
        Event::Log { step, text } => {
            text.lines().map(|line| format!("  {step} | {line}")).collect::<Vec<_>>().join("\n")
        }
        Event::Sampled { wave, baked_seconds, of_seconds, sample } => {
            let what = if sample.well() { "well".to_owned() } else { sample.wrong.join("; ") };
            format!("  wave {wave}: {baked_seconds} s of {of_seconds} s: {what}")
        }
        Event::Wave { wave, verdict, detail } => format!("wave {wave}: {verdict}: {detail}"),
        Event::Note(note) => note,
    };
    let text = countersign_app::evidence::visible_lines(&text).into_owned();
    // What cannot be shown here is in the ledger all the same.
    let _ = writeln!(stream, "{}", text.trim_end());
    let _ = stream.flush();
}

fn split<'a>(io: &'a mut Io<'_>) -> &'a mut (dyn Write + Send) {
    &mut *io.stderr
}

/// Has the person who starts something prove to be there: the record names them.
fn starter(session: &mut Session<'_, '_>, ledger: &mut Ledger, about: &str) -> Result<Principal, Error> {
    let by = session.signer(ledger)?;
    let file = session.passphrase_file()?;
    let io = &mut *session.io;
    ledger.prove_presence(&by, &mut || presence::ask(io, file.as_ref(), &by, about))?;
    Ok(by)
}

fn sheet_environment(ledger: &Ledger, id: &ReleaseId) -> Result<Slug, Error> {
    Ok(releases::current_sheet(releases::find(ledger.state(), id)?)?.body.environment.clone())
}

impl Stage {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let id = self.release;
        let product = releases::find(ledger.state(), &id)?.candidate.product.clone();
        let environment = ledger.state().staging_environment(&product).cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::No,
                "no_staging",
                format!("the promotion path of {product} has no environment before the go/no-go"),
            )
        })?;
        let by = match session.globals.signer.clone() {
            Some(_) => Some(starter(session, &mut ledger, &format!("deliver {id} to {environment}"))?),
            None => None,
        };
        let connector = connectors::connect(&ledger, &id, &environment)?;
        let quiet = session.globals.json;
        let mut tell = teller(split(session.io), quiet);
        let entry = wait(rollout::stage(
            &mut ledger,
            connector.as_ref(),
            &id,
            by,
            self.resend,
            self.patience.pace(),
            &mut tell,
        ))?;
        let text = format!("{id} runs in {environment}, with the version and the digest of the candidate");
        Ok(Answer::recorded(entry, text, json!({"release": id, "environment": environment})))
    }
}

impl Dispatch {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let id = self.release;
        let environment = sheet_environment(&ledger, &id)?;
        let by = starter(session, &mut ledger, &format!("dispatch the next wave of {id} to {environment}"))?;
        let connector = connectors::connect(&ledger, &id, &environment)?;
        let quiet = session.globals.json;
        let mut tell = teller(split(session.io), quiet);
        let pace = self.patience.pace();
        let rolled = wait(async {
            let mut resend = self.resend;
            loop {
                let by = Some(by.clone());
                let rolled =
                    rollout::next_wave(&mut ledger, connector.as_ref(), &id, by, resend.take(), pace, &mut tell)
                        .await?;
                if rolled != Rolled::Passed || !self.all_waves {
                    return Ok(rolled);
                }
            }
        })?;
        drop(tell);
        let (word, text, code) = match rolled {
            Rolled::Live => ("live", format!("{id} is live"), 0),
            Rolled::Passed => {
                ("passed", format!("the wave passed; the next one: countersign dispatch {id}, or a worker"), 0)
            }
            Rolled::Halted => ("halted", format!("the rollout of {id} halted; see countersign status {id}"), 1),
            Rolled::RolledBack => ("rolled-back", format!("{id} failed its checks and was taken back"), 1),
        };
        let view = status::release(ledger.state(), &id, clock::now())?;
        let json = json!({"release": id, "result": word, "state": view.state, "rollout": view.rollout, "dispatches": view.dispatches});
        Ok(Answer::new(json, text).code(code))
    }
}

impl Cancel {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let id = self.release;
        let reason = session.reason()?;
        let open: Vec<Line> = releases::find(ledger.state(), &id)?
            .dispatches
            .iter()
            .filter(|dispatch| dispatch.open())
            .map(|dispatch| dispatch.body.request_id.clone())
            .collect();
        let request_id = match (self.request, open.as_slice()) {
            (Some(request), _) => request,
            (None, [only]) => only.clone(),
            (None, []) => return Err(Error::not_found(format!("nothing of {id} is under way"))),
            (None, several) => {
                let names: Vec<&str> = several.iter().map(Line::as_str).collect();
                return Err(Error::usage("several are under way")
                    .hint(format!("say which with --request: {}", names.join(", "))));
            }
        };
        let act = Hold { change: HoldChange::Cancel { request_id: request_id.clone() }, release: id.clone() };
        // Stopping takes no passphrase: without a person this desk signs.
        let entry = if session.globals.signer.is_none() {
            ledger.as_desk(&Command::Record(act.into()), Some(reason))?
        } else {
            session.sign(&mut ledger, "", |ledger, signing| signing.record(ledger, act))?
        };
        let text = format!(
            "whoever follows {request_id} has it stopped\nThat it stopped is known once `countersign status {id}` says so; if nobody follows it: countersign worker --once"
        );
        Ok(Answer::recorded(entry, text, json!({"release": id, "request_id": request_id})))
    }
}

impl Rollback {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let id = self.release;
        let environment = sheet_environment(&ledger, &id)?;
        let by = starter(session, &mut ledger, &format!("take {id} back in {environment}"))?;
        let connector = connectors::connect(&ledger, &id, &environment)?;
        let quiet = session.globals.json;
        let mut tell = teller(split(session.io), quiet);
        let dispatched = wait(rollout::rollback(
            &mut ledger,
            connector.as_ref(),
            &id,
            Some(by),
            self.resend,
            self.patience.pace(),
            &mut tell,
        ))?;
        drop(tell);
        let product = releases::find(ledger.state(), &id)?.candidate.product.clone();
        let live = releases::live(ledger.state(), &product).map(|live| live.version.clone());
        let version = live.as_ref().map_or("what was there before".to_owned(), ToString::to_string);
        let text = format!("{id} was taken back; {version} is live");
        let more = json!({"release": id, "request_id": dispatched.request_id, "live": live});
        Ok(Answer::recorded(dispatched.entry, text, more))
    }
}

impl Worker {
    pub(crate) fn run(self, session: &mut Session<'_, '_>) -> Result<Answer, Error> {
        let mut ledger = session.open()?;
        let quiet = session.globals.json;
        let pace = self.patience.pace();
        let stream = Mutex::new(split(session.io));
        let tell = |event: Event| {
            if let (false, Ok(mut stream)) = (quiet, stream.lock()) {
                tell_event(&mut **stream, event);
            }
        };
        let connect =
            |ledger: &Ledger, id: &ReleaseId, environment: &Slug| connectors::connect(ledger, id, environment);
        let done = wait(async {
            let mut all = Vec::new();
            let mut stop = Stop::listen()?;
            loop {
                let mut told = &tell;
                let (worked, stopping) =
                    stop.or_finish(worker::work(&mut ledger, &connect, pace, &mut told), &tell).await?;
                let done = match worked {
                    Ok(done) => done,
                    // Another worker has the work, or the disk or the lock does not answer: that may pass.
                    Err(error) if !self.once && (error.kind == ErrorKind::Cannot || error.code == "already_done") => {
                        tell(Event::Note(format!("{} {error}", clock::now())));
                        Vec::new()
                    }
                    Err(error) => return Err(error),
                };
                for (release, task) in &done {
                    tell(Event::Note(format!("{} {release}: {task}", clock::now())));
                }
                all.extend(done);
                if self.once || stopping {
                    return Ok(all);
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(self.every)) => {}
                    // Between two looks nothing is half done: it may end here.
                    () = stop.asked() => return Ok(all),
                }
            }
        })?;
        let list: Vec<_> =
            done.iter().map(|(release, task)| json!({"release": release, "task": task.code()})).collect();
        let text = match done.len() {
            0 => "nothing was due".to_owned(),
            done => format!("{} done", count(done as u64, "task")),
        };
        Ok(Answer::new(json!({"done": list}), text))
    }
}

/// Whether somebody wants the worker to end: Ctrl-C, or what a service manager sends. Neither is lost while it works.
struct Stop {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
    #[cfg(windows)]
    signals: [tokio::signal::windows::CtrlC; 1],
}

impl Stop {
    fn listen() -> Result<Self, Error> {
        #[cfg(unix)]
        let signals = {
            use tokio::signal::unix::{SignalKind, signal};
            signal(SignalKind::interrupt()).and_then(|first| Ok([first, signal(SignalKind::terminate())?]))
        };
        #[cfg(windows)]
        let signals = tokio::signal::windows::ctrl_c().map(|only| [only]);
        let signals = signals.map_err(|error| Error::new(ErrorKind::Cannot, "signals", error.to_string()))?;
        Ok(Self { signals })
    }

    async fn asked(&mut self) {
        std::future::poll_fn(|context| {
            let asked = self.signals.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if asked { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// Lets work that is under way come to its end, and says whether somebody wanted it to be the last; whoever asks
    /// twice does not wait for it.
    async fn or_finish<T>(&mut self, work: impl Future<Output = T>, tell: &impl Fn(Event)) -> Result<(T, bool), Error> {
        let mut work = std::pin::pin!(work);
        let mut stopping = false;
        loop {
            tokio::select! {
                worked = &mut work => return Ok((worked, stopping)),
                () = self.asked() => {
                    if stopping {
                        return Err(Error::new(ErrorKind::Cannot, "interrupted", "the worker was ended at its work")
                            .hint("nothing is lost: the next `countersign worker` goes on from the journal"));
                    }
                    stopping = true;
                    tell(Event::Note("it ends when what is under way is done; ask once more to end it at once".into()));
                }
            }
        }
    }
}
