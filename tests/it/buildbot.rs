//! The Buildbot connector against a real master, and against answers no master should give.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign_app::attestation::{Attestation, Header, Trust, TrustedKey};
use countersign_app::connector::buildbot::{Buildbot as Client, Config};
use countersign_app::connector::{
    Connector, Failure, FailureKind, Fate, Handle, RequestId, Resolved, RunConclusion, RunRef, RunStatus, Secret,
    StopAck, TriggerRequest,
};
use countersign_core::act::DispatchKind;
use countersign_core::hash::Digest;
use countersign_core::sshsig::PublicKey;
use countersign_core::words::Timestamp;
use ed25519_dalek::SigningKey;

use crate::harness::{Authority, Buildbot, Options, SampleService, begun, free_port, over, request};

async fn step_running(client: &Client, run: &RunRef, step: &str) {
    loop {
        let seen = client.observe(run).await.unwrap();
        if seen.steps.iter().any(|one| one.name == step && one.status == RunStatus::InProgress) {
            return;
        }
        assert_eq!(seen.status, RunStatus::InProgress);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_build_is_triggered_followed_and_read() {
    let Some(buildbot) = Buildbot::shared() else { return };
    let client = buildbot.connector();
    let info = client.probe().await.unwrap();
    assert_eq!((info.product.as_str(), info.version.as_deref()), ("Buildbot", Some("4.3.0")));
    assert_eq!(info.user.as_deref(), Some(&*buildbot.user));
    assert!((info.server_time.unwrap() - chrono::Utc::now()).num_seconds().abs() < 300);
    let inputs = client.preflight("build").await.unwrap().inputs.unwrap();
    assert!(["commit_wanted", "request_id", "reason"].iter().all(|input| inputs.iter().any(|one| one == input)));

    let release = buildbot.repository.get("1.1.0");
    let asked = request("build", &[("commit_wanted", &release.commit)]);
    let run = begun(&client, &asked).await;
    assert_eq!(run.attempt, 1);
    let seen = over(&client, &run).await;
    let log = client.log(&run, "test", 0).await.map(|chunk| chunk.text).unwrap_or_default();
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Success), "{seen:?}\n{log}");
    assert_eq!(seen.replaced_by, None);
    assert!(seen.started.unwrap() <= seen.completed.unwrap());
    assert!(seen.url.starts_with(&buildbot.url));
    let names: Vec<&str> = seen.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names[1..], ["clean", "checkout", "switch", "commit", "test", "artifact"]);
    assert!(seen.steps.iter().all(|step| step.status == RunStatus::Completed(RunConclusion::Success)));

    let property = |name: &str| seen.properties[name].value.clone();
    assert_eq!(property("commit"), release.commit);
    assert_eq!(property("request_id"), asked.request_id.as_str());
    assert_eq!(seen.properties["request_id"].source, "Force Build Form");
    let artifact = std::fs::read(buildbot.service.store.join(property("artifact_sha256"))).unwrap();
    assert_eq!(Digest::of(&artifact).to_string(), property("artifact_sha256"));
    let again = buildbot.service.build(&buildbot.repository.work, &"0".repeat(40));
    assert_ne!(again, property("artifact_sha256"), "another commit, another artifact");

    let report = client.file(&run, "test", "junit").await.unwrap();
    let text = String::from_utf8(report.bytes.clone()).unwrap();
    assert!(text.starts_with("<?xml ") && text.contains("<testcase name=\"rounds half to even\""), "{text}");
    assert_eq!(report.digest, Digest::of(&report.bytes));
    assert_eq!(report.raw_reply, report.digest, "a text log comes as it is");
    assert!(report.server_time.is_some());

    // A log of a step is read from any line, and the same way in one piece.
    let log = client.file(&run, "artifact", "stdio").await.unwrap();
    assert_eq!(String::from_utf8(log.bytes).unwrap().trim(), property("artifact_sha256"));
    assert_ne!(log.digest, log.raw_reply);
    for (step, name) in [("test", "nothing"), ("nothing", "stdio")] {
        assert_eq!(client.file(&run, step, name).await.unwrap_err().kind, FailureKind::HiddenOrMissing);
    }
    assert_eq!(client.stop(&Handle::Run(run.clone()), "late").await.unwrap(), StopAck::AlreadyOver);

    let found = client.find(&asked.request_id, seen.server_time.map(|now| now - chrono::Duration::hours(1))).await;
    let found = found.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].resolved, Resolved::Run(run));
    let after = found[0].submitted.map(|time| time + chrono::Duration::seconds(1));
    assert_eq!(client.find(&asked.request_id, after).await.unwrap(), []);
    assert_eq!(client.find(&RequestId::generate(), None).await.unwrap(), []);
}

#[tokio::test]
async fn a_failure_says_where_it_failed() {
    let Some(buildbot) = Buildbot::shared() else { return };
    let client = buildbot.connector();
    let run = begun(&client, &request("build", &[("commit_wanted", &"0".repeat(40))])).await;
    let seen = over(&client, &run).await;
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Failure));
    let last = seen.steps.last().unwrap();
    assert_eq!((last.name.as_str(), &last.status), ("switch", &RunStatus::Completed(RunConclusion::Failure)));
    assert!(client.log(&run, "switch", 0).await.unwrap().text.contains("fatal:"));
    assert!(!seen.properties.contains_key("artifact_sha256"));
}

#[tokio::test]
async fn what_runs_is_stopped_and_what_waits_is_withdrawn() {
    let Some(buildbot) = Buildbot::shared() else { return };
    let client = buildbot.connector();
    let run = begun(&client, &request("wait", &[])).await;
    step_running(&client, &run, "count").await;

    // One worker, one run at a time: this one waits.
    let waiting = request("wait", &[]);
    let Handle::Ticket(ticket) = client.trigger(&waiting).await.unwrap().handle else { panic!("Buildbot queues") };
    assert_eq!(client.resolve(&ticket).await.unwrap(), Resolved::Queued);
    let found = client.find(&waiting.request_id, None).await.unwrap();
    assert_eq!((found.len(), &found[0].resolved), (1, &Resolved::Queued), "what waits is found too");
    assert_eq!(client.stop(&Handle::Ticket(ticket.clone()), "withdrawn").await.unwrap(), StopAck::Requested);
    let dropped = loop {
        match client.resolve(&ticket).await.unwrap() {
            Resolved::Queued => tokio::time::sleep(Duration::from_millis(100)).await,
            other => break other,
        }
    };
    assert!(matches!(dropped, Resolved::Dropped { conclusion: RunConclusion::Cancelled, .. }), "{dropped:?}");
    assert_eq!(client.stop(&Handle::Ticket(ticket), "again").await.unwrap(), StopAck::AlreadyOver);

    // The log is read while it is written, each line once.
    let (mut text, mut next) = (String::new(), 0);
    while text.lines().count() < 5 {
        let chunk = client.log(&run, "count", next).await.unwrap();
        assert!(!chunk.complete);
        text.push_str(&chunk.text);
        next = chunk.next;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(client.file(&run, "count", "stdio").await.unwrap_err().kind, FailureKind::Conflict);
    assert_eq!(client.stop(&Handle::Run(run.clone()), "enough").await.unwrap(), StopAck::Requested);
    let seen = over(&client, &run).await;
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Cancelled), "{}", seen.raw);
    loop {
        let chunk = client.log(&run, "count", next).await.unwrap();
        text.push_str(&chunk.text);
        next = chunk.next;
        if chunk.complete {
            break;
        }
    }
    let counted: Vec<&str> = text.lines().filter(|line| line.starts_with("line ")).collect();
    let expected: Vec<String> = (1..=counted.len()).map(|number| format!("line {number}")).collect();
    assert_eq!(counted, expected);
}

#[tokio::test]
async fn what_the_job_does_not_take_is_not_sent() {
    let Some(buildbot) = Buildbot::shared() else { return };
    let client = buildbot.connector();
    let commit = "0".repeat(40);
    let cases: [(&str, TriggerRequest, Fate, FailureKind); 6] = [
        ("no such builder", request("nothing", &[]), Fate::NotSent, FailureKind::HiddenOrMissing),
        ("no such scheduler", request("build:nothing", &[]), Fate::NotSent, FailureKind::HiddenOrMissing),
        (
            "an input that is not declared",
            request("build", &[("commit_wanted", &commit), ("atestation", "x")]),
            Fate::NotSent,
            FailureKind::Invalid,
        ),
        ("an input of ours", request("build", &[("builderid", "3")]), Fate::NotSent, FailureKind::Invalid),
        (
            "an input that is refused",
            request("build", &[("commit_wanted", "main")]),
            Fate::Refused,
            FailureKind::Invalid,
        ),
        ("an input that is missing", request("build", &[]), Fate::Refused, FailureKind::Invalid),
    ];
    for (what, request, fate, kind) in cases {
        let failure = client.trigger(&request).await.unwrap_err();
        assert_eq!((failure.fate, failure.kind), (fate, kind), "{what}: {failure}");
        assert_eq!(client.find(&request.request_id, None).await.unwrap(), [], "{what}");
    }
    assert_eq!(client.preflight("build:build").await.unwrap().job, "build:build");
}

#[tokio::test]
async fn nobody_is_talked_to_but_the_right_server_as_the_right_user() {
    let Some(buildbot) = Buildbot::shared() else { return };
    let elsewhere = tempfile::tempdir().unwrap();
    let other = Authority::create(elsewhere.path());
    let with = |change: &dyn Fn(&mut Config)| {
        let mut config = buildbot.config();
        change(&mut config);
        Client::new(config).unwrap()
    };
    let password = Secret::new("another good password");
    let cases: [(&str, Client, FailureKind); 4] = [
        (
            "another authority",
            with(&|config| config.ca_pem = Some(std::fs::read(&other.ca_file).unwrap())),
            FailureKind::Tls,
        ),
        ("the system's authorities", with(&|config| config.ca_pem = None), FailureKind::Tls),
        ("a wrong password", with(&|config| config.password = password.clone()), FailureKind::Auth),
        ("a wrong user", with(&|config| config.user = "somebody".into()), FailureKind::Auth),
    ];
    for (what, client, kind) in cases {
        let asked = request("wait", &[]);
        let failure = client.trigger(&asked).await.unwrap_err();
        assert_eq!(failure.fate, Fate::NotSent, "{what}: {failure}");
        assert_eq!(failure.kind, kind, "{what}: {failure}");
        assert!(!failure.message.contains("password") || failure.message.contains("a wrong password"), "{failure}");
        assert_eq!(client.probe().await.unwrap_err().kind, kind, "{what}");
        assert_eq!(buildbot.connector().find(&asked.request_id, None).await.unwrap(), [], "{what}");
    }
}

/// Forwards bytes to a server; from the moment it is told to, a client that sends much hears nothing any more.
struct Proxy {
    port: u16,
    mute: Arc<AtomicBool>,
    clients: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    /// More than a log-in and a few questions need, less than the request whose answer is to be lost.
    const MUCH: usize = 16 << 10;

    fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Self { port, mute: Arc::default(), clients: Arc::default() };
        let (mute, clients) = (Arc::clone(&proxy.mute), Arc::clone(&proxy.clients));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(("127.0.0.1", server))) else { return };
                clients.lock().unwrap().push(client.try_clone().unwrap());
                let mute = Arc::clone(&mute);
                std::thread::spawn(move || Self::forward(client, server, &mute));
            }
        });
        proxy
    }

    fn forward(mut client: TcpStream, mut server: TcpStream, mute: &Arc<AtomicBool>) {
        let sent = Arc::new(AtomicUsize::new(0));
        let (mut back, mut answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        let mut buffer = [0; 4096];
        let (counted, mute) = (Arc::clone(&sent), Arc::clone(mute));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(bytes @ 1..) = answers.read(&mut buffer) {
                let lost = mute.load(Ordering::SeqCst) && counted.load(Ordering::SeqCst) > Self::MUCH;
                if !lost && back.write_all(&buffer[..bytes]).is_err() {
                    return;
                }
            }
            let _ = back.shutdown(Shutdown::Both);
        });
        while let Ok(bytes @ 1..) = client.read(&mut buffer) {
            sent.fetch_add(bytes, Ordering::SeqCst);
            if server.write_all(&buffer[..bytes]).is_err() {
                break;
            }
        }
    }

    /// Ends every connection from the client's side.
    fn hang_up(&self) {
        for client in self.clients.lock().unwrap().drain(..) {
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}

#[tokio::test]
async fn a_lost_answer_is_an_unknown_fate_and_the_run_is_found_by_its_request() {
    let Some(buildbot) = Buildbot::shared() else { return };
    let proxy = Proxy::start(buildbot.port);
    let mut config = buildbot.config();
    config.base_url = format!("https://127.0.0.1:{}/", proxy.port).parse().unwrap();
    let client = Client::new(config).unwrap();
    client.probe().await.unwrap();

    proxy.mute.store(true, Ordering::SeqCst);
    let commit = buildbot.repository.get("1.0.0").commit.clone();
    let mut asked = request("build", &[("commit_wanted", &commit)]);
    asked.reason = "a long story ".repeat(2_000);
    let direct = buildbot.connector();
    // The connection ends once the server has the request, and not before: its first bytes may be session tickets.
    let arrives = async {
        for _ in 0..500 {
            let found = direct.find(&asked.request_id, None).await.unwrap();
            if !found.is_empty() {
                proxy.hang_up();
                return found;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        proxy.hang_up();
        Vec::new()
    };
    let (lost, found) = tokio::join!(client.trigger(&asked), arrives);
    let lost = lost.unwrap_err();
    assert_eq!((lost.fate, lost.kind), (Fate::Unknown, FailureKind::Interrupted), "{lost}");
    assert_eq!(found.len(), 1, "it was sent once and only once");
    let run = loop {
        match direct.resolve(&found[0].ticket).await.unwrap() {
            Resolved::Run(run) => break run,
            Resolved::Queued => tokio::time::sleep(Duration::from_millis(100)).await,
            dropped => panic!("{dropped:?}"),
        }
    };
    let seen = over(&direct, &run).await;
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Success));
    assert_eq!(seen.properties["request_id"].value, asked.request_id.as_str());
    assert_eq!(direct.find(&asked.request_id, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_that_ran_out_is_renewed() {
    let Some(buildbot) = Buildbot::start(Options { session_seconds: Some(3) }) else { return };
    // Long enough for a busy machine to use a session before it ends.
    let client = buildbot.connector();
    client.probe().await.unwrap();
    tokio::time::sleep(Duration::from_millis(3_600)).await;
    client.preflight("wait").await.unwrap();
    tokio::time::sleep(Duration::from_millis(3_600)).await;
    let run = begun(&client, &request("wait", &[])).await;
    tokio::time::sleep(Duration::from_millis(3_600)).await;
    client.observe(&run).await.unwrap();
    client.stop(&Handle::Run(run), "enough").await.unwrap();
}

#[tokio::test]
async fn a_master_that_died_runs_it_again_as_another_attempt() {
    let Some(mut buildbot) = Buildbot::start(Options::default()) else { return };
    let client = buildbot.connector();
    let asked = request("wait", &[]);
    let first = begun(&client, &asked).await;
    step_running(&client, &first, "count").await;
    buildbot.kill();
    let gone = client.observe(&first).await.unwrap_err();
    assert!(matches!(gone.kind, FailureKind::Connect | FailureKind::Interrupted), "{gone}");
    let refused = client.trigger(&request("wait", &[])).await.unwrap_err();
    assert_eq!(refused.fate, Fate::NotSent);

    buildbot.restart();
    // What was cut short is over, is no success, and names the attempt that took its place.
    let (seen, second) = loop {
        let seen = client.observe(&first).await.unwrap();
        if let Some(second) = seen.replaced_by.clone() {
            break (seen, second);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Retried), "{}", seen.raw);
    assert_eq!(second.attempt, 2);
    assert_ne!(second.id, first.id);
    let found = client.find(&asked.request_id, None).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].resolved, Resolved::Run(second.clone()));
    client.stop(&Handle::Run(second.clone()), "enough").await.unwrap();
    assert_eq!(over(&client, &second).await.status, RunStatus::Completed(RunConclusion::Cancelled));
}

/// Without people for the sake of brevity: the gate's own tests are elsewhere.
#[tokio::test]
async fn a_delivery_passes_the_gate_inside_the_pipeline() {
    let Some(buildbot) = Buildbot::shared() else { return };
    let client = buildbot.connector();
    let device = SigningKey::from_bytes(&[5; 32]);
    let trust = Trust {
        environment: "staging".parse().unwrap(),
        product: None,
        ledger: None,
        dispatchers: vec![TrustedKey {
            principal: "desk@acme.example".parse().unwrap(),
            key: PublicKey::of(&device),
            valid_before: None,
        }],
        quorum: None,
    };
    trust.write(&buildbot.trust.join("staging")).unwrap();
    let release = buildbot.repository.get("1.0.0");
    let built = begun(&client, &request("build", &[("commit_wanted", &release.commit)])).await;
    let artifact = over(&client, &built).await.properties["artifact_sha256"].value.clone();

    let mut asked = request("deploy", &[]);
    let header = Header {
        artifact: artifact.parse().unwrap(),
        commit: release.commit.parse().unwrap(),
        environment: "staging".parse().unwrap(),
        kind: DispatchKind::Deploy,
        ledger: "acme.example/ledger".parse().unwrap(),
        not_after: Timestamp::from_epoch_seconds(chrono::Utc::now().timestamp() + 600).unwrap(),
        release: "shop-1.0.0".parse().unwrap(),
        request_id: asked.request_id.clone(),
        sheet: Digest::of(b"the candidate"),
        version: "1.0.0".parse().unwrap(),
        wave: "staging".parse().unwrap(),
    };
    let whole = Attestation {
        header,
        request: None,
        approvals: vec![],
        conditions: vec![],
        authorization: None,
        adoptions: vec![],
    };
    asked.inputs = BTreeMap::from(
        [
            ("attestation", whole.encode(&device).unwrap()),
            ("version", "1.0.0".to_owned()),
            ("artifact", artifact.clone()),
            ("environment", "staging".to_owned()),
            ("wave", "staging".to_owned()),
            ("kind", "deploy".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value)),
    );
    let run = begun(&client, &asked).await;
    let seen = over(&client, &run).await;
    let said = client.log(&run, "gate", 0).await.unwrap().text;
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Success), "{said}\n{seen:?}");
    assert!(said.contains("gate: accepted: deploy of 1.0.0"), "{said}");
    assert_eq!(seen.properties["artifact_sha256"].value, artifact);
    let instance = &buildbot.service.instances("staging", "staging")[0];
    assert_eq!(SampleService::version(instance).await.as_deref(), Some("1.0.0"));
    let deployed = buildbot.service.deployments().len();

    // The same attestation again: "Rebuild" in Buildbot would do that.
    let mut replay = asked.clone();
    replay.reason = "again".into();
    let again = begun(&client, &replay).await;
    let seen = over(&client, &again).await;
    assert_eq!(seen.status, RunStatus::Completed(RunConclusion::Failure));
    assert!(client.log(&again, "gate", 0).await.unwrap().text.contains("gate: refused: already_claimed: "));
    assert_eq!(buildbot.service.deployments().len(), deployed, "nothing was deployed");
    assert_eq!(client.find(&asked.request_id, None).await.unwrap().len(), 2, "two runs carry the request");
}

/// A server that logs in and knows one job, and answers the trigger as it is told.
struct Fake {
    port: u16,
    triggers: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
    /// How many answers to what only reads still stop half-way, with the connection held open.
    losing: Arc<AtomicUsize>,
}

/// What the fake does with the trigger: bytes to send, and then it closes or hangs.
struct Answer {
    bytes: Vec<u8>,
    hangs: bool,
}

impl Fake {
    fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (triggers, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let losing = Arc::new(AtomicUsize::new(0));
        let fake = Self { port, triggers: Arc::clone(&triggers), seen: Arc::clone(&seen), losing: Arc::clone(&losing) };
        let answer = Arc::new(answer);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (answer, triggers, seen) = (Arc::clone(&answer), Arc::clone(&triggers), Arc::clone(&seen));
                let losing = Arc::clone(&losing);
                std::thread::spawn(move || Self::serve(client, &answer, &triggers, &seen, &losing));
            }
        });
        fake
    }

    fn serve(
        mut client: TcpStream,
        answer: &Answer,
        triggers: &AtomicUsize,
        seen: &Mutex<Vec<String>>,
        losing: &AtomicUsize,
    ) {
        while let Some(head) = Self::read_request(&mut client) {
            let line = head.lines().next().unwrap_or_default().to_owned();
            seen.lock().unwrap().push(head);
            let page = match line.split(' ').nth(1).unwrap_or_default() {
                "/auth/login" => {
                    "HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: TWISTED_SESSION=abcdefgh\r\nContent-Length: 0\r\n\r\n"
                        .to_owned()
                }
                "/api/v2/builders" => Self::json(r#"{"builders":[{"builderid":4,"name":"deploy"}],"meta":{}}"#),
                "/api/v2/forceschedulers" => Self::json(
                    r#"{"forceschedulers":[{"name":"deploy","enabled":true,"builder_names":["deploy"],"all_fields":[{"fullName":"request_id"}]}],"meta":{}}"#,
                ),
                _ => {
                    triggers.fetch_add(1, Ordering::SeqCst);
                    let _ = client.write_all(&answer.bytes);
                    if answer.hangs {
                        std::thread::sleep(Duration::from_secs(20));
                    }
                    return;
                }
            };
            let loses = line.contains("/api/")
                && losing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            let sent = if loses { &page[..page.len() - 20] } else { &page };
            if client.write_all(sent.as_bytes()).is_err() {
                return;
            }
            if loses {
                std::thread::sleep(Duration::from_secs(20));
                return;
            }
        }
    }

    fn json(body: &str) -> String {
        format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    }

    /// The head of the next request, its body read and dropped.
    fn read_request(client: &mut TcpStream) -> Option<String> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            client.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap();
        let length = head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map_or(0, |(_, value)| value.parse().unwrap());
        client.read_exact(&mut vec![0; length]).ok()?;
        Some(head)
    }
}

fn client_of(port: u16) -> Client {
    let url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    let mut config = Config::new(url, "user", Secret::new("the secret word"));
    config.timeout = Duration::from_secs(3);
    config.connect_timeout = Duration::from_secs(3);
    Client::new(config).unwrap()
}

#[tokio::test]
async fn each_fault_has_its_fate_and_is_met_with_one_attempt() {
    use Fate::{Refused, Unknown};
    let answer = |status: &str, headers: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .into_bytes()
    };
    const JSON: &str = "Content-Type: application/json\r\n";
    const HTML: &str = "Content-Type: text/html\r\n";
    let plain = |status: &str| answer(status, JSON, r#"{"error":{"message":"no"}}"#);
    let good = r#"{"jsonrpc":"2.0","id":1,"result":[7,{"4":9}]}"#;
    let short = {
        let mut bytes = answer("200 OK", JSON, good);
        bytes.truncate(bytes.len() - 10);
        bytes
    };
    let huge = answer("200 OK", JSON, &format!("{{\"result\":\"{}\"}}", "x".repeat(20 << 20)));
    let server = |status| FailureKind::Server { status };
    let limited = |retry_after_seconds| FailureKind::RateLimited { retry_after_seconds };
    let cases: Vec<(&str, Vec<u8>, Fate, FailureKind)> = vec![
        ("reset", vec![], Unknown, FailureKind::Interrupted),
        ("half a status line", b"HTTP/1.1 20".to_vec(), Unknown, FailureKind::Interrupted),
        ("not HTTP", b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), Unknown, FailureKind::Interrupted),
        ("400", plain("400 Bad Request"), Refused, FailureKind::Invalid),
        ("401", plain("401 Unauthorized"), Refused, FailureKind::Auth),
        ("403", plain("403 Forbidden"), Refused, FailureKind::Auth),
        ("404", plain("404 Not Found"), Refused, FailureKind::HiddenOrMissing),
        ("408", plain("408 Request Timeout"), Unknown, FailureKind::Timeout),
        ("409", plain("409 Conflict"), Refused, FailureKind::Conflict),
        ("418", plain("418 I'm a teapot"), Unknown, server(418)),
        ("422", plain("422 Unprocessable Content"), Refused, FailureKind::Invalid),
        ("429", plain("429 Too Many Requests"), Refused, limited(None)),
        ("429 with a time", answer("429 Too Many Requests", "Retry-After: 17\r\n", ""), Refused, limited(Some(17))),
        ("500 after acceptance", plain("500 Internal Server Error"), Unknown, server(500)),
        ("501", plain("501 Not Implemented"), Unknown, server(501)),
        ("502 of a proxy", answer("502 Bad Gateway", HTML, "<html>bad gateway</html>"), Unknown, server(502)),
        ("503", plain("503 Service Unavailable"), Unknown, server(503)),
        ("504", plain("504 Gateway Timeout"), Unknown, server(504)),
        ("a log-in page", answer("200 OK", HTML, "<html>log in</html>"), Unknown, FailureKind::Unreadable),
        ("JSON said to be HTML", answer("200 OK", HTML, good), Unknown, FailureKind::Unreadable),
        ("no type", answer("200 OK", "", good), Unknown, FailureKind::Unreadable),
        (
            "203",
            answer("203 Non-Authoritative Information", HTML, "<html>log in</html>"),
            Unknown,
            FailureKind::Unreadable,
        ),
        ("truncated JSON", short, Unknown, FailureKind::Interrupted),
        ("half of the JSON", answer("200 OK", JSON, &good[..20]), Unknown, FailureKind::Unreadable),
        (
            "compressed",
            answer("200 OK", &format!("{JSON}Content-Encoding: gzip\r\n"), "\x1f\u{8b}"),
            Unknown,
            FailureKind::Unreadable,
        ),
        (
            "an error inside a success",
            answer("200 OK", JSON, r#"{"id":1,"error":{"message":"no"}}"#),
            Unknown,
            FailureKind::Unreadable,
        ),
        (
            "a result and an error",
            answer("200 OK", JSON, r#"{"result":[7,{"4":9}],"error":1}"#),
            Unknown,
            FailureKind::Unreadable,
        ),
        (
            "a result of another builder",
            answer("200 OK", JSON, r#"{"result":[7,{"5":9}]}"#),
            Unknown,
            FailureKind::Unreadable,
        ),
        ("no result", answer("200 OK", JSON, r#"{"result":null}"#), Unknown, FailureKind::Unreadable),
        ("204", answer("204 No Content", "", ""), Unknown, FailureKind::Unreadable),
        ("huge", huge, Unknown, FailureKind::TooLarge),
        ("elsewhere", answer("302 Found", "Location: http://127.0.0.2/\r\n", ""), Unknown, FailureKind::Redirected),
        (
            "elsewhere, once more",
            answer("307 Temporary Redirect", "Location: /again\r\n", ""),
            Unknown,
            FailureKind::Redirected,
        ),
    ];
    for (what, bytes, fate, kind) in cases {
        let fake = Fake::start(Answer { bytes, hangs: false });
        let failure = client_of(fake.port).trigger(&request("deploy", &[])).await.unwrap_err();
        assert_eq!((failure.fate, failure.kind), (fate, kind), "{what}: {failure}");
        assert_eq!(fake.triggers.load(Ordering::SeqCst), 1, "{what}: one attempt");
    }

    let fake = Fake::start(Answer { bytes: vec![], hangs: true });
    let failure = client_of(fake.port).trigger(&request("deploy", &[])).await.unwrap_err();
    assert_eq!((failure.fate, failure.kind), (Unknown, FailureKind::Timeout), "a server that hangs");
    let mut half = answer("200 OK", JSON, good);
    half.truncate(half.len() - 5);
    let fake = Fake::start(Answer { bytes: half, hangs: true });
    let failure = client_of(fake.port).trigger(&request("deploy", &[])).await.unwrap_err();
    assert_eq!((failure.fate, failure.kind), (Unknown, FailureKind::Timeout), "a server that hangs in its answer");

    let fake = Fake::start(Answer { bytes: answer("200 OK", JSON, good), hangs: false });
    let accepted = client_of(fake.port).trigger(&request("deploy", &[])).await.unwrap();
    assert_eq!(accepted.handle, Handle::Ticket(countersign_app::connector::Ticket("9".into())));
}

#[tokio::test]
async fn an_answer_that_stops_half_way_is_asked_for_again_where_that_only_reads() {
    let good = Fake::json(r#"{"jsonrpc":"2.0","id":1,"result":[7,{"4":9}]}"#);
    let fake = Fake::start(Answer { bytes: good.into_bytes(), hangs: false });
    let mut config = Config::new(
        format!("http://127.0.0.1:{}/", fake.port).parse().unwrap(),
        "user",
        Secret::new("the secret word"),
    );
    config.timeout = Duration::from_secs(1);
    let client = Client::new(config).unwrap();

    fake.losing.store(2, Ordering::SeqCst);
    client.trigger(&request("deploy", &[])).await.unwrap();
    assert_eq!(fake.losing.load(Ordering::SeqCst), 0);
    assert_eq!(fake.triggers.load(Ordering::SeqCst), 1, "the trigger itself went out once");

    fake.losing.store(3, Ordering::SeqCst);
    let failure = client.preflight("deploy").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout, "three times is for good: {failure}");
    let failure = {
        fake.losing.store(3, Ordering::SeqCst);
        client.trigger(&request("deploy", &[])).await.unwrap_err()
    };
    assert_eq!(failure.fate, Fate::NotSent, "what fails before the trigger sends nothing: {failure}");
    assert_eq!(fake.triggers.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_cannot_be_reached_was_not_sent() {
    let failure = client_of(free_port()).trigger(&request("deploy", &[])).await.unwrap_err();
    assert_eq!((failure.fate, failure.kind), (Fate::NotSent, FailureKind::Connect), "nobody listens: {failure}");
    let mut config = Config::new("https://nowhere.invalid/".parse().unwrap(), "user", Secret::new("the secret word"));
    config.connect_timeout = Duration::from_secs(5);
    let failure = Client::new(config).unwrap().trigger(&request("deploy", &[])).await.unwrap_err();
    assert_eq!(failure.fate, Fate::NotSent, "no such name: {failure}");
    // Plain text where TLS was expected.
    let fake = Fake::start(Answer { bytes: vec![], hangs: false });
    let url = format!("https://127.0.0.1:{}/", fake.port).parse().unwrap();
    let failure =
        Client::new(Config::new(url, "user", Secret::new("the secret word"))).unwrap().probe().await.unwrap_err();
    assert_eq!(failure.fate, Fate::NotSent, "no TLS: {failure}");
}

#[tokio::test]
async fn a_credential_is_sent_and_never_told() {
    let echo = "the secret word, dXNlcjp0aGUgc2VjcmV0IHdvcmQ=, TWISTED_SESSION=abcdefgh";
    let body = format!(r#"{{"error":{{"message":"{echo}"}}}}"#);
    let bytes = format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    let fake = Fake::start(Answer { bytes: bytes.into_bytes(), hangs: false });
    let client = client_of(fake.port);
    let failure: Failure = client.trigger(&request("deploy", &[])).await.unwrap_err();
    assert!(failure.message.ends_with("403: [redacted], [redacted], [redacted]"), "{failure}");
    let told = format!("{client:?} {failure:?}");
    for secret in ["the secret word", "dXNlcjp0", "abcdefgh"] {
        assert!(!told.contains(secret), "{told}");
    }
    let heads = fake.seen.lock().unwrap().clone();
    let with = |text: &str| heads.iter().filter(|head| head.to_lowercase().contains(text)).count();
    assert_eq!(with("authorization: basic dxnlcjp0agugc2vjcmv0ihdvcmq="), 1, "the password goes to the log-in alone");
    assert_eq!(with("cookie: twisted_session=abcdefgh"), heads.len() - 1);
}
