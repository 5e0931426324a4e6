//! The service that the sample deploys: a script that notes what each segment runs, and a listener on this machine that
//! answers for all instances, as long as the sample is open.
//!
//! ```text
//! <desk>/sample/deploy.sh                              what the targets name by its digest
//! <desk>/sample/state/PRODUCT/ENVIRONMENT/SEGMENT      one line: version and artifact
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_core::act::{DispatchKind, Segment};
use countersign_core::hash::Digest;
use countersign_core::state::{DispatchRecord, Release, State};
use countersign_core::words::{Line, Slug};
use serde_json::json;
use url::Url;
use zeroize::Zeroizing;

use super::goods::{self, Goods};
use super::maker::word;
use crate::connector::local_command::{AllowList, AllowedCommand};
use crate::connectors;
use crate::desk::DeskDir;
use crate::durable;
use crate::error::{Error, ErrorKind};
use crate::ledger::Ledger;

const SCRIPT: &[u8] = include_bytes!("deploy.sh");
/// Where the instances of a sample answer, on this machine alone: one port of these, chosen when it is made.
const PORTS: std::ops::Range<u16> = 47_100..47_900;
/// How many instances the last segment has.
const INSTANCES: usize = 3;
/// A caller that says nothing for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Returns the digest by which targets name the script.
pub(super) fn script() -> Digest {
    Digest::of(SCRIPT)
}

/// Returns the command that deploys a product.
pub(super) fn command(goods: &Goods) -> String {
    format!("deploy-{}", goods.slug)
}

/// Finds a port that nobody has, so that two samples on one machine do not answer for each other.
pub(super) fn free_port() -> Result<u16, Error> {
    let mut from = [0; 2];
    getrandom::fill(&mut from)?;
    let from = usize::from(u16::from_le_bytes(from)) % PORTS.len();
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let found = PORTS.skip(from).chain(PORTS.take(from)).find(free);
    found.ok_or_else(|| {
        Error::new(ErrorKind::Cannot, "no_port", format!("all ports from {} on are taken", PORTS.start))
            .hint("close what listens there and try again")
    })
}

/// Returns a segment with its instances.
pub(super) fn segment(goods: &Goods, environment: &str, name: &str, port: u16) -> Segment {
    let instances = if name == "everyone" { INSTANCES } else { 1 };
    let urls = |what: &str| -> Vec<Line> {
        let base = format!("http://127.0.0.1:{port}/{}/{environment}/{name}", goods.slug);
        (1..=instances).map(|number| word(&format!("{base}/{number}/{what}"))).collect()
    };
    Segment { health: urls("health"), name: word(name), version: urls("version") }
}

fn state_dir(desk: &DeskDir) -> PathBuf {
    desk.path().join("sample").join("state")
}

/// Puts the script on the desk, allows it, and notes what runs where by the ledger.
pub(super) fn install(desk: &DeskDir, state: &State) -> Result<(), Error> {
    let script = desk.path().join("sample").join("deploy.sh");
    durable::create_private_dir(&desk.path().join("sample"))?;
    durable::write_new(&script, SCRIPT)?;
    let mut list = AllowList::default();
    for goods in goods::ALL {
        let variables = BTreeMap::from([("SAMPLE_STATE".to_owned(), state_dir(desk).display().to_string())]);
        let allowed = AllowedCommand {
            script: script.clone(),
            sha256: self::script(),
            arguments: vec![goods.slug.to_owned()],
            interpreter: vec!["/bin/sh".to_owned()],
            environment: variables,
        };
        list.command.insert(command(goods), allowed);
    }
    list.write(&desk.commands()).map_err(|error| Error::usage(error.to_string()))?;
    let password = Zeroizing::new("sample".to_owned());
    connectors::add_buildbot(desk, &word("ci"), "https://ci.northbay.example/", "countersign", &password, None)?;

    let mut done: Vec<(&Release, &DispatchRecord)> = state
        .releases
        .values()
        .flat_map(|release| release.dispatches.iter().map(move |dispatch| (release, dispatch)))
        .filter(|(_, dispatch)| dispatch.succeeded())
        .collect();
    done.sort_by_key(|(_, dispatch)| dispatch.last.index);
    for (release, dispatch) in done {
        note(&state_dir(desk), state, release, dispatch)?;
    }
    Ok(())
}

/// Notes what a dispatch has brought to its segments.
fn note(dir: &Path, state: &State, release: &Release, dispatch: &DispatchRecord) -> Result<(), Error> {
    let body = &dispatch.body;
    let product = &release.candidate.product;
    let place = dir.join(product.as_str()).join(body.environment.as_str());
    durable::create_private_dir(&place)?;
    let sheet = release.sheet_at(body.sheet);
    let slot = sheet.and_then(|sheet| sheet.body.rollback.as_ref()).filter(|_| body.kind == DispatchKind::Rollback);
    let version = slot.map_or(&release.candidate.version, |slot| &slot.version);
    let wave = usize::try_from(body.wave).unwrap_or(usize::MAX);
    let segments: Vec<&Slug> = match (sheet, state.targets.get(&(product.clone(), body.environment.clone()))) {
        (Some(sheet), _) => {
            let first = if body.kind == DispatchKind::Rollback { 0 } else { wave - 1 };
            sheet.body.rollout.iter().take(wave).skip(first).map(|wave| &wave.segment).collect()
        }
        (None, Some((_, target))) => target.segments.iter().map(|segment| &segment.name).collect(),
        (None, None) => Vec::new(),
    };
    for segment in segments {
        let path = place.join(segment.as_str());
        let line = format!("{version} {}\n", body.artifact);
        fs::write(&path, line).map_err(durable::FileError::io("write", &path))?;
    }
    Ok(())
}

/// The service of an open sample; it stops answering when this is dropped.
#[derive(Debug)]
pub struct Service {
    stopped: Arc<AtomicBool>,
    port: u16,
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // The listener waits for a caller; it is given one. Where that fails it has ended already.
        let _ = TcpStream::connect_timeout(&(Ipv4Addr::LOCALHOST, self.port).into(), PATIENCE);
    }
}

/// Answers for the instances of a sample until the service is dropped.
///
/// None where the ledger has no such service, or where another process answers already, or somebody else has the port: a
/// rollout then sees what it would see of any instance that does not answer.
#[must_use]
pub fn serve(ledger: &Ledger) -> Option<Service> {
    if !ledger.state().sample() {
        return None;
    }
    let dir = state_dir(ledger.desk());
    if !dir.is_dir() {
        return None;
    }
    answer_at(port_of(ledger.state())?, dir)
}

/// Returns the port that the targets name.
fn port_of(state: &State) -> Option<u16> {
    let (_, target) = state.targets.values().next()?;
    Url::parse(target.segments.first()?.health.first()?.as_str()).ok()?.port()
}

fn answer_at(port: u16, dir: PathBuf) -> Option<Service> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .inspect_err(|error| tracing::info!(%error, "the service of the sample does not answer here"))
        .ok()?;
    let port = listener.local_addr().ok()?.port();
    let stopped = Arc::new(AtomicBool::new(false));
    let stop = Arc::clone(&stopped);
    std::thread::Builder::new()
        .name("sample-service".to_owned())
        .spawn(move || {
            for caller in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // A caller that breaks off is none of the service's troubles.
                let _ = caller.and_then(|caller| answer(caller, &dir));
            }
        })
        .ok()?;
    Some(Service { stopped, port })
}

fn answer(mut caller: TcpStream, dir: &Path) -> std::io::Result<()> {
    caller.set_read_timeout(Some(PATIENCE))?;
    caller.set_write_timeout(Some(PATIENCE))?;
    let mut asked = Vec::new();
    let mut part = [0; 1024];
    while !asked.windows(4).any(|end| end == b"\r\n\r\n") && asked.len() < 8192 {
        match caller.read(&mut part)? {
            0 => break,
            length => asked.extend_from_slice(&part[..length]),
        }
    }
    let text = String::from_utf8_lossy(&asked);
    let path = text.strip_prefix("GET /").and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let (status, body) = match said(path, dir) {
        Some(body) => ("200 OK", body),
        None => ("503 Service Unavailable", "{}".to_owned()),
    };
    let length = body.len();
    write!(
        caller,
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
}

/// Returns what an instance says of itself; nothing where nothing runs.
fn said(path: &str, dir: &Path) -> Option<String> {
    let words: Vec<&str> = path.split('/').collect();
    let [product, environment, segment, _, what] = words[..] else { return None };
    let place = [product, environment, segment].into_iter().try_fold(dir.to_owned(), |place, name| {
        // Only lawful names: nothing of a path gets out of the directory.
        let name: Slug = name.parse().ok()?;
        Some(place.join(name.as_str()))
    })?;
    let line = fs::read_to_string(place).ok()?;
    let (version, artifact) = line.trim_end().split_once(' ')?;
    match what {
        "health" => Some(json!({ "well": true }).to_string()),
        "version" => Some(json!({ "version": version, "artifact": artifact }).to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(port: u16, path: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn an_instance_answers_with_what_was_noted_and_nothing_else_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        let place = state.join("shop").join("production");
        fs::create_dir_all(&place).unwrap();
        fs::write(place.join("everyone"), "1.2.0 abcd\n").unwrap();
        fs::write(dir.path().join("secret"), "1 2\n").unwrap();
        let service = answer_at(0, state).unwrap();
        let port = service.port;
        let version = ask(port, "/shop/production/everyone/2/version");
        assert!(
            version.starts_with("HTTP/1.1 200") && version.contains("1.2.0") && version.contains("abcd"),
            "{version}"
        );
        assert!(ask(port, "/shop/production/everyone/1/health").starts_with("HTTP/1.1 200"));
        for path in ["/shop/production/canary/1/version", "/../../secret/1/version", "/", "/shop/../secret/1/version"] {
            assert!(ask(port, path).starts_with("HTTP/1.1 503"), "{path}");
        }
        drop(service);
        std::thread::sleep(Duration::from_millis(200));
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err(), "it goes on answering");
    }
}
