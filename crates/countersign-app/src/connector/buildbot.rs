//! Buildbot 4, by its REST API and its JSON-RPC control methods.
//!
//! Traps this module knows of:
//! - A build request that was merged into another ends as `skipped` without a build while its *build set* says
//!   success: builds are judged, build sets never.
//! - A master that dies leaves its builds `retry` and runs their requests again when it is back. Each such run is
//!   another attempt ([`Observation::replaced_by`]); that the wave is not deployed twice is the claim's business,
//!   inside the pipeline.
//! - "Rebuild" copies all properties, the request id too: [`Connector::find`] then finds more than one.
//! - An input that the force scheduler does not declare is dropped silently: undeclared ones are refused here.
//! - Buildbot 4.2 and newer write an answer of the data API from a thread that must not (`V2RootResource._write_json_data`
//!   by `deferToThread`). Over the master's own TLS a piece of a longer answer is lost at times; the rest of it then never
//!   comes, and after a minute the connection is closed. What only reads is therefore asked again, soon; see
//!   [`Buildbot::get`]. The answer to a trigger is not written that way.
//! - The raw form of a log of type `s` has lines in it that nobody logged; its content is taken instead. The
//!   worker breaks lines longer than 4096 bytes in such a log, so a report that is evidence is better added as a
//!   text log.
//!
//! A job is named `BUILDER`, or `BUILDER:SCHEDULER` where several force schedulers can start one builder.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use base64ct::{Base64, Encoding};
use chrono::{DateTime, Utc};
use countersign_core::hash::Digest;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, DATE, HeaderMap, RETRY_AFTER, SET_COOKIE, USER_AGENT};
use reqwest::{Certificate, Client, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::{
    Accepted, Connector, Failure, FailureKind, Fate, FetchedFile, Found, Handle, LogChunk, Observation, Preflight,
    Property, RequestId, Resolved, RunConclusion, RunRef, RunStatus, Secret, ServerInfo, Step, StopAck, Ticket,
    TriggerRequest, excerpt, poll_after,
};

/// The input that carries the request id.
pub const REQUEST_ID: &str = "request_id";
/// The parameters of the `force` method that are not inputs of the job.
const RESERVED: [&str; 6] = [REQUEST_ID, "builderid", "builderNames", "owner", "reason", "username"];

const JSON_BYTES_MAX: usize = 16 << 20;
const FILE_BYTES_MAX: usize = 64 << 20;
const PAGE: usize = 100;
const PAGES_MAX: usize = 50;
const LOG_LINES_MAX: u64 = 2_000;
/// How long the first attempts to read JSON may take, before one that may take as long as any request.
const PATIENCE: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(20)];
/// How long to wait before asking again what only reads.
const PAUSE: Duration = Duration::from_millis(300);

/// Where a Buildbot is and how to talk to it.
#[derive(Debug, Clone)]
pub struct Config {
    /// The base URL, with its path if it has one: `https://ci.example/buildbot/`. Plain http is for loopback only.
    pub base_url: Url,
    /// The only certificate authorities to trust, as PEM; without them the system's.
    pub ca_pem: Option<Vec<u8>>,
    /// The user to log in as.
    pub user: String,
    /// The password of that user.
    pub password: Secret,
    /// The longest time to connect, TLS included.
    pub connect_timeout: Duration,
    /// The longest time for one request, answer included.
    pub timeout: Duration,
}

impl Config {
    /// Takes the address and the credential, with the usual patience (10 seconds to connect, 60 for a request).
    #[must_use]
    pub fn new(base_url: Url, user: impl Into<String>, password: Secret) -> Self {
        Self {
            base_url,
            ca_pem: None,
            user: user.into(),
            password,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
        }
    }
}

/// A client of one Buildbot master.
pub struct Buildbot {
    base: String,
    origin: String,
    user: String,
    password: Secret,
    reads: Client,
    /// Keeps no connection: a request on a fresh one cannot be sent again behind our back.
    sends: Client,
    session: Mutex<Option<Secret>>,
    timeout: Duration,
}

impl fmt::Debug for Buildbot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buildbot").field("base", &self.base).field("user", &self.user).finish_non_exhaustive()
    }
}

/// An answer that was read whole.
struct Reply {
    body: Vec<u8>,
    server_time: Option<DateTime<Utc>>,
}

/// What kind of body an answer must have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Json,
    File,
}

impl Buildbot {
    /// Prepares a client; nothing is sent.
    ///
    /// # Errors
    /// [`FailureKind::Invalid`] for a URL that is neither https nor loopback, or that holds a credential or a query, and
    /// for certificates that cannot be read.
    pub fn new(config: Config) -> Result<Self, Failure> {
        let invalid = |message: &str| {
            Failure::new(Fate::NotSent, FailureKind::Invalid, message).hint("give the address as `https://HOST/PATH/`")
        };
        let url = &config.base_url;
        let loopback = url.host_str().is_some_and(|host| {
            host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        });
        if !(url.scheme() == "https" || url.scheme() == "http" && loopback) {
            return Err(invalid("the Buildbot address is not https; plain http is for this machine only"));
        }
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
            return Err(invalid("the Buildbot address holds a user, a password, a query or a fragment"));
        }
        let certificates = match &config.ca_pem {
            Some(pem) => {
                let found = Certificate::from_pem_bundle(pem).unwrap_or_default();
                if found.is_empty() {
                    return Err(Failure::new(
                        Fate::NotSent,
                        FailureKind::Invalid,
                        "the file of certificate authorities holds no certificate",
                    )
                    .hint("give a PEM file that begins with `-----BEGIN CERTIFICATE-----`"));
                }
                Some(found)
            }
            None => None,
        };
        let client = |idle| {
            let builder = Client::builder()
                .connect_timeout(config.connect_timeout)
                .timeout(config.timeout)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .pool_max_idle_per_host(idle)
                .no_proxy()
                .referer(false);
            match &certificates {
                Some(found) => builder.tls_certs_only(found.clone()),
                None => builder,
            }
            .build()
            .map_err(|error| {
                Failure::new(Fate::NotSent, FailureKind::Tls, format!("TLS cannot be set up: {}", error.without_url()))
            })
        };
        Ok(Self {
            base: url.as_str().trim_end_matches('/').to_owned(),
            origin: url.origin().ascii_serialization(),
            user: config.user,
            password: config.password,
            reads: client(2)?,
            sends: client(0)?,
            session: Mutex::new(None),
            timeout: config.timeout,
        })
    }

    fn api(&self, path: &str) -> String {
        format!("{}/api/v2/{path}", self.base)
    }

    /// Removes whatever of our credential the other end echoed.
    fn redact(&self, text: &str, session: Option<&Secret>) -> String {
        let pair = format!("{}:{}", self.user, self.password.expose());
        let mut clean = text.to_owned();
        for secret in
            [self.password.expose(), &Base64::encode_string(pair.as_bytes()), session.map_or("", Secret::expose)]
        {
            // Shorter words would blot out text that has nothing to do with them.
            if secret.len() >= 4 {
                clean = clean.replace(secret, "[redacted]");
            }
        }
        clean
    }

    /// Logs in and keeps the session.
    async fn log_in(&self) -> Result<Secret, Failure> {
        let mut kept = self.session.lock().await;
        *kept = None;
        let response = self
            .reads
            .get(format!("{}/auth/login", self.base))
            .header(USER_AGENT, AGENT)
            .basic_auth(&self.user, Some(self.password.expose()))
            .send()
            .await
            .map_err(|error| self.lost(error))?;
        let status = response.status();
        if !(status.is_success() || status == StatusCode::FOUND) {
            return Err(self.turned_down(response, None).await);
        }
        let session = session_cookies(response.headers()).ok_or_else(|| {
            Failure::new(
                Fate::Unknown,
                FailureKind::Unreadable,
                format!("{} answered the log-in without a session", self.origin),
            )
            .hint("check that the address is that of a Buildbot with user and password log-in")
        })?;
        *kept = Some(session.clone());
        Ok(session)
    }

    async fn session(&self) -> Result<Secret, Failure> {
        let kept = self.session.lock().await.clone();
        match kept {
            Some(session) => Ok(session),
            None => self.log_in().await,
        }
    }

    /// Fetches a page. It only reads: an answer that is lost, late or that of a busy proxy is asked for again, twice.
    async fn get(&self, url: &str, query: &[(&str, &str)], expect: Expect) -> Result<Reply, Failure> {
        for patience in PATIENCE {
            // A file may be large, and no part of it is lost in the way that JSON is.
            let within = if expect == Expect::Json { patience.min(self.timeout) } else { self.timeout };
            match self.get_once(url, query, expect, within).await {
                Err(failure) if passes(failure.kind) => tokio::time::sleep(PAUSE).await,
                answered => return answered,
            }
        }
        self.get_once(url, query, expect, self.timeout).await
    }

    /// Fetches a page by one attempt, logging in again once where the session ran out.
    async fn get_once(
        &self,
        url: &str,
        query: &[(&str, &str)],
        expect: Expect,
        within: Duration,
    ) -> Result<Reply, Failure> {
        let mut session = self.session().await?;
        let mut response = self.ask(url, query, &session, within).await?;
        if matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            session = self.log_in().await?;
            response = self.ask(url, query, &session, within).await?;
        }
        if response.status().is_success() {
            self.read(response, expect).await
        } else {
            Err(self.turned_down(response, Some(&session)).await)
        }
    }

    async fn ask(
        &self,
        url: &str,
        query: &[(&str, &str)],
        session: &Secret,
        within: Duration,
    ) -> Result<reqwest::Response, Failure> {
        self.reads
            .get(url)
            .timeout(within)
            .query(query)
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "application/json")
            .header(COOKIE, session.expose())
            .send()
            .await
            .map_err(|error| self.lost(error))
    }

    /// Fetches JSON below the API's root.
    async fn fetch<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(T, Option<DateTime<Utc>>), Failure> {
        let reply = self.get(&self.api(path), query, Expect::Json).await?;
        Ok((self.parse(&reply.body)?, reply.server_time))
    }

    /// Fetches the one resource of a page such as `{"builds": [{…}]}`.
    async fn fetch_one<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(T, Option<DateTime<Utc>>), Failure> {
        let (mut all, time) = self.fetch_all(path, query).await?;
        match (all.pop(), all.is_empty()) {
            (Some(one), true) => Ok((one, time)),
            _ => Err(self.unreadable("more or less than one resource where one was asked for")),
        }
    }

    async fn fetch_all<T: for<'de> Deserialize<'de>>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<(Vec<T>, Option<DateTime<Utc>>), Failure> {
        let (page, time) = self.fetch::<Page<T>>(path, query).await?;
        Ok((page.items, time))
    }

    /// Sends one control method, once, on a connection of its own.
    async fn control(
        &self,
        path: &str,
        method: &str,
        params: Value,
    ) -> Result<(Value, Option<DateTime<Utc>>), Failure> {
        let session = self.session().await.map_err(Failure::before_sending)?;
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let response = self
            .sends
            .post(self.api(path))
            .header(USER_AGENT, AGENT)
            .header(ACCEPT, "application/json")
            .header(COOKIE, session.expose())
            .header(CONTENT_TYPE, "application/json")
            .body(body.to_string())
            .send()
            .await
            .map_err(|error| self.lost(error))?;
        if !response.status().is_success() {
            return Err(self.turned_down(response, Some(&session)).await);
        }
        let reply = self.read(response, Expect::Json).await?;
        let answer: Value = self.parse(&reply.body)?;
        match (answer.get("result"), answer.get("error")) {
            (Some(result), None) => Ok((result.clone(), reply.server_time)),
            _ => Err(self.unreadable("an answer that is neither a result nor refused")),
        }
    }

    fn parse<T: for<'de> Deserialize<'de>>(&self, body: &[u8]) -> Result<T, Failure> {
        serde_json::from_slice(body).map_err(|error| self.unreadable(&format!("JSON of another shape ({error})")))
    }

    fn unreadable(&self, what: &str) -> Failure {
        Failure::new(Fate::Unknown, FailureKind::Unreadable, format!("{} answered with {what}", self.origin))
            .hint("check that the address is that of a Buildbot 4 and that no proxy answers for it")
    }

    /// Reads the body of a success, within its limit.
    async fn read(&self, mut response: reqwest::Response, expect: Expect) -> Result<Reply, Failure> {
        let server_time = server_time(response.headers());
        let limit = match expect {
            Expect::Json => JSON_BYTES_MAX,
            Expect::File => FILE_BYTES_MAX,
        };
        let kind = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(';').next())
            .map_or("", str::trim);
        if expect == Expect::Json && kind != "application/json" {
            return Err(self.unreadable(&format!("'{}' instead of JSON", excerpt(kind))));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.lost(error))? {
            if body.len() + chunk.len() > limit {
                return Err(Failure::new(
                    Fate::Unknown,
                    FailureKind::TooLarge,
                    format!("{} answered with more than {limit} bytes", self.origin),
                ));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Reply { body, server_time })
    }

    /// Says what is known of a request that got no answer, or half of one.
    fn lost(&self, error: reqwest::Error) -> Failure {
        let mut causes = String::new();
        let mut cause = error.source();
        while let Some(inner) = cause {
            causes = inner.to_string();
            cause = inner.source();
        }
        let why = self.redact(&excerpt(&causes), None);
        let origin = &self.origin;
        if error.is_builder() {
            return Failure::new(Fate::NotSent, FailureKind::Invalid, format!("the request cannot be built: {why}"));
        }
        if !error.is_connect() {
            return if error.is_timeout() {
                Failure::new(Fate::Unknown, FailureKind::Timeout, format!("{origin} did not answer in time"))
            } else {
                Failure::new(
                    Fate::Unknown,
                    FailureKind::Interrupted,
                    format!("the connection to {origin} broke: {why}"),
                )
            };
        }
        let (kind, hint) = if error.is_timeout() {
            (FailureKind::Timeout, "check the address, the network and the firewall")
        } else if causes.contains("certificate") || causes.contains("TLS") || causes.contains("tls") {
            (FailureKind::Tls, "check the CA file of this connector against the server's certificate")
        } else {
            (FailureKind::Connect, "check the address, the network and that the server runs")
        };
        Failure::new(Fate::NotSent, kind, format!("no connection to {origin}: {why}")).hint(hint)
    }

    /// Says what is known of a request that was answered, but not with a success.
    async fn turned_down(&self, mut response: reqwest::Response, session: Option<&Secret>) -> Failure {
        let status = response.status();
        let retry_after_seconds = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok());
        // Only as much as a message can use; the status has decided already.
        let mut body = Vec::new();
        while body.len() < 4096
            && let Ok(Some(chunk)) = response.chunk().await
        {
            body.extend_from_slice(&chunk);
        }
        let (fate, kind, hint) = verdict(status, retry_after_seconds);
        let said = self.redact(&excerpt(&said(&body)), session);
        let mut failure = Failure::new(fate, kind, format!("{} answered {}: {said}", self.origin, status.as_u16()));
        failure.hint = hint.map(str::to_owned);
        failure
    }

    /// Finds the force scheduler of a job, and its builder.
    async fn scheduler(&self, job: &str) -> Result<(ForceScheduler, u64), Failure> {
        let (builder, scheduler) = match job.split_once(':') {
            Some((builder, scheduler)) => (builder, Some(scheduler)),
            None => (job, None),
        };
        let missing =
            |what: String, hint: &str| Failure::new(Fate::Refused, FailureKind::HiddenOrMissing, what).hint(hint);
        let (builders, _) = self.fetch_all::<Builder>("builders", &[]).await?;
        let id = builders
            .iter()
            .find(|candidate| candidate.name == builder)
            .map(|candidate| candidate.builderid)
            .ok_or_else(|| {
                missing(
                    format!("{} has no builder named '{builder}'", self.origin),
                    "check the name of the job, and that this user may see it",
                )
            })?;
        let (schedulers, _) = self.fetch_all::<ForceScheduler>("forceschedulers", &[]).await?;
        let mut fitting: Vec<ForceScheduler> = schedulers
            .into_iter()
            .filter(|candidate| {
                candidate.builder_names.iter().any(|name| name == builder)
                    && scheduler.is_none_or(|name| candidate.name == name)
            })
            .collect();
        match (fitting.pop(), fitting.len()) {
            (Some(one), 0) if one.enabled => Ok((one, id)),
            (Some(one), 0) => {
                Err(missing(format!("the force scheduler '{}' is switched off", one.name), "switch it on in Buildbot"))
            }
            (Some(_), _) => Err(missing(
                format!("several force schedulers can start '{builder}'"),
                "name the job as `BUILDER:SCHEDULER`",
            )),
            (None, _) => Err(missing(
                format!("no force scheduler can start '{builder}'"),
                "add a ForceScheduler for this builder, or correct the name after the colon",
            )),
        }
    }

    async fn builds_of(&self, buildrequestid: u64) -> Result<Vec<Build>, Failure> {
        let path = format!("buildrequests/{buildrequestid}/builds");
        let (mut builds, _) = self.fetch_all::<Build>(&path, &[]).await?;
        builds.sort_by_key(|build| build.buildid);
        Ok(builds)
    }

    async fn resolve_request(&self, request: &BuildRequest) -> Result<Resolved, Failure> {
        let builds = self.builds_of(request.buildrequestid).await?;
        Ok(match builds.last() {
            Some(build) => Resolved::Run(run_ref(build, builds.len())),
            None if !request.complete => Resolved::Queued,
            None => Resolved::Dropped {
                // Without a build, "skipped" means that another request took it over.
                conclusion: match conclusion(request.results) {
                    RunConclusion::Skipped => RunConclusion::Superseded,
                    RunConclusion::Cancelled => RunConclusion::Cancelled,
                    _ => RunConclusion::Unknown(raw(request.results, "no build")),
                },
                raw: raw(request.results, "no build"),
            },
        })
    }

    async fn step_id(&self, run: &RunRef, step: &str) -> Result<u64, Failure> {
        let path = format!("builds/{}/steps", id(&run.id)?);
        let (steps, _) = self.fetch_all::<StepData>(&path, &[]).await?;
        steps.iter().find(|candidate| candidate.name == step).map(|candidate| candidate.stepid).ok_or_else(|| {
            Failure::new(
                Fate::Refused,
                FailureKind::HiddenOrMissing,
                format!("run {} has no step named '{}'", run.id, excerpt(step)),
            )
            .hint("a step that has not begun has no log yet")
        })
    }

    async fn log_data(&self, run: &RunRef, step: &str, name: &str) -> Result<Log, Failure> {
        let path = format!("steps/{}/logs", self.step_id(run, step).await?);
        let (logs, _) = self.fetch_all::<Log>(&path, &[]).await?;
        logs.into_iter().find(|candidate| candidate.name == name).ok_or_else(|| {
            Failure::new(
                Fate::Refused,
                FailureKind::HiddenOrMissing,
                format!("step '{}' has no log named '{}'", excerpt(step), excerpt(name)),
            )
        })
    }
}

#[async_trait]
impl Connector for Buildbot {
    async fn probe(&self) -> Result<ServerInfo, Failure> {
        self.log_in().await?;
        let url = format!("{}/config", self.base);
        let reply = self.get(&url, &[], Expect::Json).await?;
        let page: Frontend = self.parse(&reply.body)?;
        Ok(ServerInfo {
            product: "Buildbot".to_owned(),
            version: page.versions.into_iter().find_map(|(name, version)| (name == "Buildbot").then_some(version)),
            user: page.user.username,
            server_time: reply.server_time,
        })
    }

    async fn preflight(&self, job: &str) -> Result<Preflight, Failure> {
        let (scheduler, _) = self.scheduler(job).await?;
        Ok(Preflight { job: job.to_owned(), inputs: Some(declared_inputs(&scheduler, job)?) })
    }

    async fn trigger(&self, request: &TriggerRequest) -> Result<Accepted, Failure> {
        for name in RESERVED {
            if request.inputs.contains_key(name) {
                return Err(Failure::new(
                    Fate::NotSent,
                    FailureKind::Invalid,
                    format!("an input must not be named '{name}'"),
                ));
            }
        }
        // A fresh session, and a job that declares what it is given: whatever fails here, nothing was sent.
        self.log_in().await.map_err(Failure::before_sending)?;
        let (scheduler, builderid) = self.scheduler(&request.job).await.map_err(Failure::before_sending)?;
        let declared = declared_inputs(&scheduler, &request.job).map_err(Failure::before_sending)?;
        if let Some(input) = request.inputs.keys().find(|input| !declared.contains(input)) {
            return Err(Failure::new(
                Fate::NotSent,
                FailureKind::Invalid,
                format!("the job '{}' declares no input `{input}`", request.job),
            )
            .hint("add it to the job's force scheduler: Buildbot drops what it does not know"));
        }

        let mut params: serde_json::Map<String, Value> =
            request.inputs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
        params.insert(REQUEST_ID.to_owned(), request.request_id.as_str().into());
        params.insert("reason".to_owned(), request.reason.as_str().into());
        params.insert("builderid".to_owned(), builderid.into());
        let path = format!("forceschedulers/{}", segment(&scheduler.name));
        let (result, server_time) = self.control(&path, "force", params.into()).await?;
        let ticket = result
            .get(1)
            .and_then(|requests| requests.get(builderid.to_string()))
            .and_then(Value::as_u64)
            .ok_or_else(|| self.unreadable("a result without a build request"))?;
        Ok(Accepted { handle: Handle::Ticket(Ticket(ticket.to_string())), server_time })
    }

    async fn find(&self, request_id: &RequestId, since: Option<DateTime<Utc>>) -> Result<Vec<Found>, Failure> {
        let mut found = Vec::new();
        let mut below = None::<u64>;
        for _ in 0..PAGES_MAX {
            let (limit, before) = (PAGE.to_string(), below.map(|id| id.to_string()));
            let mut query = vec![("property", REQUEST_ID), ("order", "-buildrequestid"), ("limit", &limit)];
            if let Some(before) = &before {
                query.push(("buildrequestid__lt", before));
            }
            let (page, _) = self.fetch_all::<BuildRequest>("buildrequests", &query).await?;
            let mut over = page.len() < PAGE;
            for request in page {
                // Pages are asked for by id and not by offset: what is submitted meanwhile moves nothing.
                below = Some(below.map_or(request.buildrequestid, |id| id.min(request.buildrequestid)));
                if since.is_some_and(|since| request.submitted_at < since.timestamp()) {
                    over = true;
                    break;
                }
                if request.carries(request_id) {
                    found.push(Found {
                        resolved: self.resolve_request(&request).await?,
                        ticket: Ticket(request.buildrequestid.to_string()),
                        submitted: DateTime::from_timestamp(request.submitted_at, 0),
                    });
                }
            }
            if over {
                found.reverse();
                return Ok(found);
            }
        }
        Err(Failure::new(
            Fate::Unknown,
            FailureKind::TooLarge,
            format!("more than {} build requests were submitted since", PAGE * PAGES_MAX),
        )
        .hint("say more precisely since when to look"))
    }

    async fn resolve(&self, ticket: &Ticket) -> Result<Resolved, Failure> {
        let path = format!("buildrequests/{}", id(&ticket.0)?);
        let (request, _) = self.fetch_one::<BuildRequest>(&path, &[]).await?;
        self.resolve_request(&request).await
    }

    async fn observe(&self, run: &RunRef) -> Result<Observation, Failure> {
        let path = format!("builds/{}", id(&run.id)?);
        // The steps first: a run seen as over afterwards has no step that was missed.
        let (steps, _) = self.fetch_all::<StepData>(&format!("{path}/steps"), &[]).await?;
        let (build, server_time) = self.fetch_one::<Build>(&path, &[("property", "*")]).await?;
        let (steps, _) = if build.complete {
            self.fetch_all::<StepData>(&format!("{path}/steps"), &[]).await?
        } else {
            (steps, None)
        };
        let attempts = self.builds_of(build.buildrequestid).await?;
        let replaced_by =
            attempts.last().filter(|last| last.buildid != build.buildid).map(|last| run_ref(last, attempts.len()));
        let started = DateTime::from_timestamp(build.started_at, 0);
        let age = server_time.map_or(0, |now| now.timestamp() - build.started_at);
        Ok(Observation {
            run: run.clone(),
            status: status(build.complete, true, build.results),
            raw: raw(build.results, &build.state_string),
            replaced_by,
            steps: steps.into_iter().map(Step::from).collect(),
            properties: build
                .properties
                .unwrap_or_default()
                .into_iter()
                .map(|(name, (value, source))| (name, Property { value: plain(value), source }))
                .collect(),
            url: format!("{}/#/builders/{}/builds/{}", self.base, build.builderid, build.number),
            started,
            completed: build.complete_at.and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            server_time,
            poll_after: poll_after(age),
        })
    }

    async fn log(&self, run: &RunRef, step: &str, from: u64) -> Result<LogChunk, Failure> {
        let log = self.log_data(run, step, "stdio").await?;
        let lines = log.num_lines.saturating_sub(from).min(LOG_LINES_MAX);
        let next = from + lines;
        let complete = log.complete && next >= log.num_lines;
        if lines == 0 {
            return Ok(LogChunk { text: String::new(), next: from, complete });
        }
        let (offset, limit) = (from.to_string(), lines.to_string());
        let (chunk, _) = self
            .fetch_one::<Chunk>(&format!("logs/{}/contents", log.logid), &[("offset", &offset), ("limit", &limit)])
            .await?;
        Ok(LogChunk { text: log.plain_text(&chunk.content, &['o', 'e', 'h']), next, complete })
    }

    async fn file(&self, run: &RunRef, step: &str, name: &str) -> Result<FetchedFile, Failure> {
        let log = self.log_data(run, step, name).await?;
        if !log.complete {
            return Err(Failure::new(
                Fate::Refused,
                FailureKind::Conflict,
                format!("the log '{}' is still being written", excerpt(name)),
            )
            .hint("fetch it when the run is over"));
        }
        if log.kind == "s" {
            let url = self.api(&format!("logs/{}/contents", log.logid));
            if log.num_lines == 0 {
                return Err(self.unreadable("an empty log"));
            }
            let reply = self.get(&url, &[], Expect::Json).await?;
            let page: Page<Chunk> = self.parse(&reply.body)?;
            let [chunk] = page.items.as_slice() else {
                return Err(self.unreadable("more or less than one piece of a log"));
            };
            let bytes = log.plain_text(&chunk.content, &['o']).into_bytes();
            return Ok(fetched(bytes, &reply, url));
        }
        let url = self.api(&format!("logs/{}/raw", log.logid));
        let reply = self.get(&url, &[], Expect::File).await?;
        Ok(fetched(reply.body.clone(), &reply, url))
    }

    async fn stop(&self, target: &Handle, reason: &str) -> Result<StopAck, Failure> {
        let params = json!({"reason": reason});
        match target {
            Handle::Run(run) => {
                let path = format!("builds/{}", id(&run.id)?);
                let (build, _) = self.fetch_one::<Build>(&path, &[]).await.map_err(Failure::before_sending)?;
                if build.complete {
                    return Ok(StopAck::AlreadyOver);
                }
                self.control(&path, "stop", params).await?;
            }
            Handle::Ticket(ticket) => match self.resolve(ticket).await.map_err(Failure::before_sending)? {
                Resolved::Dropped { .. } => return Ok(StopAck::AlreadyOver),
                Resolved::Run(run) => return self.stop(&Handle::Run(run), reason).await,
                Resolved::Queued => {
                    let path = format!("buildrequests/{}", id(&ticket.0)?);
                    self.control(&path, "cancel", params).await?;
                }
            },
        }
        Ok(StopAck::Requested)
    }
}

const AGENT: &str = concat!("countersign/", env!("CARGO_PKG_VERSION"));

/// Whether a failure to read may be over a moment later.
fn passes(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Timeout | FailureKind::Interrupted | FailureKind::Server { status: 502..=504 })
}

/// What an HTTP status says about a request that changes something: its fate, why, and what to do.
fn verdict(status: StatusCode, retry_after_seconds: Option<u64>) -> (Fate, FailureKind, Option<&'static str>) {
    use Fate::{Refused, Unknown};
    let server = FailureKind::Server { status: status.as_u16() };
    match status.as_u16() {
        400 | 422 => (Refused, FailureKind::Invalid, None),
        401 | 403 => {
            (Refused, FailureKind::Auth, Some("check the user, the password and what this user may do in Buildbot"))
        }
        404 => (Refused, FailureKind::HiddenOrMissing, Some("it is not there, or this user may not see it")),
        408 => (Unknown, FailureKind::Timeout, None),
        409 => (Refused, FailureKind::Conflict, None),
        429 => (Refused, FailureKind::RateLimited { retry_after_seconds }, Some("wait before asking again")),
        300..=399 => (
            Unknown,
            FailureKind::Redirected,
            Some("give the address that the server itself goes by; redirects are not followed"),
        ),
        _ => (Unknown, server, None),
    }
}

/// The message inside an error's body, where it is one of Buildbot's.
fn said(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let error = serde_json::from_str::<Value>(&text).ok().and_then(|value| value.get("error").cloned());
    match error {
        Some(Value::String(message)) => message,
        Some(error) => match error.get("message") {
            Some(Value::String(message)) => message.clone(),
            Some(message) => message.to_string(),
            None => error.to_string(),
        },
        None => text.into_owned(),
    }
}

/// The session among the cookies of a log-in. Buildbot sets the cookie twice: the last one counts.
fn session_cookies(headers: &HeaderMap) -> Option<Secret> {
    let mut kept = BTreeMap::new();
    for header in headers.get_all(SET_COOKIE) {
        let pair = header.to_str().ok()?.split(';').next()?.trim();
        let (name, value) = pair.split_once('=')?;
        if name.starts_with("TWISTED_") {
            kept.insert(name.to_owned(), pair.to_owned());
            if value.is_empty() {
                kept.remove(name);
            }
        }
    }
    if kept.is_empty() {
        return None;
    }
    Some(Secret::new(kept.into_values().collect::<Vec<_>>().join("; ")))
}

/// The time in an answer's `Date` (RFC 9110 §5.6.7).
fn server_time(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let text = headers.get(DATE)?.to_str().ok()?;
    Some(DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc))
}

/// An id as it goes into a path: digits and nothing else.
fn id(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| {
        Failure::new(Fate::NotSent, FailureKind::Invalid, format!("'{}' is not an id of Buildbot's", excerpt(text)))
    })
}

/// One segment of a path, escaped.
fn segment(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// The inputs of a job that can be dispatched: without the request id a lost run could never be found again.
fn declared_inputs(scheduler: &ForceScheduler, job: &str) -> Result<Vec<String>, Failure> {
    let inputs = scheduler.inputs();
    if inputs.iter().any(|input| input == REQUEST_ID) {
        return Ok(inputs);
    }
    Err(Failure::new(
        Fate::Refused,
        FailureKind::Unsupported,
        format!("the job '{job}' declares no input `{REQUEST_ID}`"),
    )
    .hint("add a StringParameter of that name to the job's force scheduler"))
}

fn run_ref(build: &Build, attempts: usize) -> RunRef {
    RunRef { id: build.buildid.to_string(), attempt: u32::try_from(attempts).unwrap_or(u32::MAX) }
}

fn fetched(bytes: Vec<u8>, reply: &Reply, url: String) -> FetchedFile {
    FetchedFile {
        digest: Digest::of(&bytes),
        raw_reply: Digest::of(&reply.body),
        bytes,
        url,
        server_time: reply.server_time,
    }
}

fn plain(value: Value) -> String {
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn raw(results: Option<i64>, state: &str) -> String {
    let results = results.map_or_else(|| "none".to_owned(), |number| number.to_string());
    format!("{results} ({})", excerpt(state))
}

/// Buildbot's result numbers.
fn conclusion(results: Option<i64>) -> RunConclusion {
    match results {
        Some(0) => RunConclusion::Success,
        Some(1) => RunConclusion::Partial,
        Some(2) => RunConclusion::Failure,
        Some(3) => RunConclusion::Skipped,
        Some(4) => RunConclusion::Error,
        Some(5) => RunConclusion::Retried,
        Some(6) => RunConclusion::Cancelled,
        Some(other) => RunConclusion::Unknown(other.to_string()),
        None => RunConclusion::Unknown("none".to_owned()),
    }
}

fn status(complete: bool, started: bool, results: Option<i64>) -> RunStatus {
    match (complete, started) {
        (true, _) => RunStatus::Completed(conclusion(results)),
        (false, true) => RunStatus::InProgress,
        (false, false) => RunStatus::Queued,
    }
}

/// `{"builds": […], "meta": {…}}`: the one member besides `meta`, whatever its name.
struct Page<T> {
    items: Vec<T>,
}

impl<'de, T: for<'a> Deserialize<'a>> Deserialize<'de> for Page<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let mut members = BTreeMap::<String, Value>::deserialize(deserializer)?;
        members.remove("meta");
        let (Some((_, items)), true) = (members.pop_first(), members.is_empty()) else {
            return Err(D::Error::custom("one collection was expected"));
        };
        let items = serde_json::from_value(items).map_err(D::Error::custom)?;
        Ok(Self { items })
    }
}

#[derive(Deserialize)]
struct Frontend {
    #[serde(default)]
    versions: Vec<(String, String)>,
    #[serde(default)]
    user: FrontendUser,
}

#[derive(Deserialize, Default)]
struct FrontendUser {
    username: Option<String>,
}

#[derive(Deserialize)]
struct Builder {
    builderid: u64,
    name: String,
}

#[derive(Deserialize)]
struct ForceScheduler {
    name: String,
    enabled: bool,
    builder_names: Vec<String>,
    #[serde(default)]
    all_fields: Vec<Field>,
}

#[derive(Deserialize)]
struct Field {
    #[serde(rename = "fullName")]
    full_name: Option<String>,
    #[serde(default)]
    fields: Vec<Field>,
}

impl ForceScheduler {
    /// The names under which inputs are sent, groups opened.
    fn inputs(&self) -> Vec<String> {
        fn collect(fields: &[Field], names: &mut Vec<String>) {
            for field in fields {
                if field.fields.is_empty() {
                    names.extend(field.full_name.iter().filter(|name| !name.is_empty()).cloned());
                }
                collect(&field.fields, names);
            }
        }
        let mut names = Vec::new();
        collect(&self.all_fields, &mut names);
        names.sort();
        names.dedup();
        names
    }
}

type Properties = BTreeMap<String, (Value, String)>;

#[derive(Deserialize)]
struct BuildRequest {
    buildrequestid: u64,
    complete: bool,
    results: Option<i64>,
    submitted_at: i64,
    properties: Option<Properties>,
}

impl BuildRequest {
    fn carries(&self, request_id: &RequestId) -> bool {
        self.properties
            .as_ref()
            .and_then(|properties| properties.get(REQUEST_ID))
            .is_some_and(|(value, _)| value == request_id.as_str())
    }
}

#[derive(Deserialize)]
struct Build {
    buildid: u64,
    builderid: u64,
    buildrequestid: u64,
    number: u64,
    complete: bool,
    results: Option<i64>,
    state_string: String,
    started_at: i64,
    complete_at: Option<i64>,
    properties: Option<Properties>,
}

#[derive(Deserialize)]
struct StepData {
    stepid: u64,
    name: String,
    complete: bool,
    results: Option<i64>,
    state_string: String,
    started_at: Option<i64>,
}

impl From<StepData> for Step {
    fn from(step: StepData) -> Self {
        Self {
            status: status(step.complete, step.started_at.is_some(), step.results),
            raw: raw(step.results, &step.state_string),
            name: step.name,
        }
    }
}

#[derive(Deserialize)]
struct Log {
    logid: u64,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    num_lines: u64,
    complete: bool,
}

impl Log {
    /// The lines of these streams. In a log of type `s` the first character of a line names its stream.
    fn plain_text(&self, content: &str, streams: &[char]) -> String {
        if self.kind != "s" {
            return content.to_owned();
        }
        content.split_inclusive('\n').filter_map(|line| line.strip_prefix(streams)).collect()
    }
}

#[derive(Deserialize)]
struct Chunk {
    content: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_zero_is_success() {
        let words: Vec<RunConclusion> = (-1..8).map(|number| conclusion(Some(number))).collect();
        use RunConclusion::*;
        assert_eq!(
            words,
            [Unknown("-1".into()), Success, Partial, Failure, Skipped, Error, Retried, Cancelled, Unknown("7".into())]
        );
        assert_eq!(conclusion(None), Unknown("none".into()));
    }

    #[test]
    fn every_status_has_its_fate() {
        let fate = |status: u16| verdict(StatusCode::from_u16(status).unwrap(), None).0;
        for refused in [400, 401, 403, 404, 409, 422, 429] {
            assert_eq!(fate(refused), Fate::Refused, "{refused}");
        }
        for unknown in [100, 301, 302, 307, 402, 405, 408, 410, 413, 418, 451, 500, 501, 502, 503, 504, 599] {
            assert_eq!(fate(unknown), Fate::Unknown, "{unknown}");
        }
    }

    #[test]
    fn the_last_session_cookie_counts() {
        let mut headers = HeaderMap::new();
        for cookie in
            ["TWISTED_SECURE_SESSION=old; Path=/; Secure", "other=1", "TWISTED_SECURE_SESSION=new; Path=/; Secure"]
        {
            headers.append(SET_COOKIE, cookie.parse().unwrap());
        }
        assert_eq!(session_cookies(&headers).unwrap().expose(), "TWISTED_SECURE_SESSION=new");
        assert_eq!(session_cookies(&HeaderMap::new()), None);
    }

    #[test]
    fn an_address_is_https_or_this_machine_and_holds_no_credential() {
        let make = |url: &str| Buildbot::new(Config::new(url.parse().unwrap(), "user", Secret::new("secret word")));
        for good in ["https://ci.example/a/b", "http://127.0.0.1:8010", "http://[::1]/", "http://localhost/"] {
            assert!(make(good).is_ok(), "{good}");
        }
        for bad in [
            "http://ci.example/",
            "ftp://localhost/",
            "https://user@ci.example/",
            "https://user:pw@ci.example/",
            "https://ci.example/?a=b",
            "https://ci.example/#a",
            "http://127.0.0.1.example/",
        ] {
            assert_eq!(make(bad).unwrap_err().fate, Fate::NotSent, "{bad}");
        }
        let made = make("https://ci.example/ctx/").unwrap();
        assert_eq!(made.api("builds/1"), "https://ci.example/ctx/api/v2/builds/1");
        assert!(!format!("{made:?}").contains("secret"));
        assert_eq!(made.redact("secret word, dXNlcjpzZWNyZXQgd29yZA==, user", None), "[redacted], [redacted], user");
    }

    #[test]
    fn a_page_has_one_collection() {
        let page: Page<Chunk> = serde_json::from_str(r#"{"logchunks":[{"content":"x"}],"meta":{}}"#).unwrap();
        assert_eq!(page.items.len(), 1);
        for bad in ["{}", r#"{"a":[],"b":[]}"#, "[]", r#"{"a":{}}"#, r#"{"a":[{}]}"#] {
            assert!(serde_json::from_str::<Page<Chunk>>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn streams_are_told_apart() {
        let log = |kind: &str| Log { logid: 1, name: "stdio".into(), kind: kind.into(), num_lines: 3, complete: true };
        let content = "hstart\noout\neerr\n";
        assert_eq!(log("s").plain_text(content, &['o']), "out\n");
        assert_eq!(log("s").plain_text(content, &['o', 'e', 'h']), "start\nout\nerr\n");
        assert_eq!(log("t").plain_text(content, &['o']), content);
    }

    #[test]
    fn nested_inputs_are_declared_by_their_full_names() {
        let scheduler: ForceScheduler = serde_json::from_value(json!({
            "name": "f", "enabled": true, "builder_names": ["b"],
            "all_fields": [
                {"fullName": "reason", "type": "text"},
                {"fullName": null, "fields": [{"fullName": "version"}, {"fullName": "request_id"}]},
            ],
        }))
        .unwrap();
        assert_eq!(scheduler.inputs(), ["reason", "request_id", "version"]);
    }

    #[test]
    fn names_are_escaped_in_paths() {
        assert_eq!(segment("a b/../é"), "a%20b%2F%2E%2E%2F%C3%A9");
        assert_eq!(id("12").unwrap(), 12);
        assert!(id("../1").is_err());
        assert!(id("-1").is_err());
    }
}
