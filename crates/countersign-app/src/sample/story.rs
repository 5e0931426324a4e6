//! What happened in the sample, told in steps that are each taken at their time.

use countersign_core::act::{
    Attempt, AuthorizationChange, ChangeType, ConnectorConfig, Device, DeviceCard, DeviceChange, DispatchKind, Enrol,
    EnrolAccept, Freeze, FreezeChange, Genesis, Grant, Hold, HoldChange, KeyOrigin, PersonCard, Policy, Propose,
    ProposeChange, Recovery, Refusal, Review, ReviewScope, Role, Segment, Target, Verdict, Waiver, WaveVerdict, Window,
    accountability,
};
use countersign_core::decide::Command;
use countersign_core::hash::Digest;
use countersign_core::sshsig::PublicKey;
use countersign_core::words::{EntryRef, Timestamp};

use super::cast::{
    AUDITOR, CAST, DEPUTY, MANAGER, NEWCOMER, OPERATIONS, OWNER, PRACTITIONER, PRODUCT_OWNER, PRODUCTS, Past, Product,
    QA, SAFETY, SECURITY,
};
use super::files;
use super::maker::{Change, Maker, Went, say};
use crate::error::{Error, ErrorKind};

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// The ledger began so many days ago.
const BEGUN_DAYS: i64 = 175;
/// Two products moved to Continuous Deployment so many days ago.
const MOVED_DAYS: i64 = 70;
const SHEET_VALID_MINUTES: i64 = 2880;
/// The script of the targets. Nothing runs it: no desk has allowed it.
const SCRIPT: &[u8] = b"#!/usr/bin/env bash\n# deploys a sample, on no machine\n";

/// The keys of the story.
pub(super) struct Cards {
    pub(super) desk: DeviceCard,
    pub(super) dispatcher: DeviceCard,
    pub(super) people: Vec<PublicKey>,
}

type Step = Box<dyn FnOnce(&mut Maker) -> Result<(), Error>>;

/// Steps with their times.
struct Story {
    now: Timestamp,
    steps: Vec<(Timestamp, Step)>,
}

impl Story {
    fn at(&mut self, time: Timestamp, step: impl FnOnce(&mut Maker) -> Result<(), Error> + 'static) {
        self.steps.push((time, Box::new(step)));
    }

    fn ago(&self, seconds: i64) -> Timestamp {
        self.now.plus_seconds(-seconds)
    }
}

pub(super) fn tell(maker: &mut Maker, cards: &Cards, now: Timestamp) -> Result<(), Error> {
    maker.now = now.plus_seconds(-BEGUN_DAYS * DAY);
    found(maker, cards)?;
    let mut story = Story { now, steps: Vec::new() };
    for product in &PRODUCTS {
        if product.deployment {
            authorize(&mut story, product);
        }
        for (version, days, past) in product.past {
            over(&mut story, product, version, *days, *past);
        }
    }
    housekeeping(&mut story);
    pump(&mut story);
    portal(&mut story);
    payments(&mut story);
    laboratory(&mut story);
    notifications(&mut story);
    billing(&mut story);
    // Stable: what is told for the same moment happens in the order it is told.
    story.steps.sort_by_key(|(time, _)| *time);
    for (time, step) in story.steps {
        maker.now = time.max(maker.now.plus_seconds(1)).min(now.max(maker.now));
        step(maker)?;
    }
    Ok(())
}

// ------------------------------------------------------------------------------------------------- beginning

fn found(maker: &mut Maker, cards: &Cards) -> Result<(), Error> {
    let valid_until = super::valid_until(maker.now);
    let card = |place: usize| -> Result<PersonCard, Error> {
        Ok(PersonCard {
            emails: Vec::new(),
            key: cards.people[place],
            key_origin: KeyOrigin::MadeHere,
            name: say(CAST[place].name)?,
            principal: say(CAST[place].principal)?,
            valid_until,
        })
    };
    let genesis = Genesis {
        accountability: accountability(),
        desk: cards.desk.clone(),
        owner: card(0)?,
        recovery: Recovery { needed: 0, people: Vec::new(), wait_hours: 0 },
        sample: true,
        title: say("Sample Medical")?,
    };
    maker.person(OWNER, genesis, "A sample to look around in")?;
    for (place, persona) in CAST.iter().enumerate().skip(1) {
        if persona.principal == NEWCOMER {
            continue;
        }
        maker.now = maker.now.plus_seconds(90);
        let act = Enrol { identity: say("Made up for the sample")?, person: card(place)? };
        maker.person(OWNER, act, "A persona of the sample")?;
        let accept = EnrolAccept { accountability: accountability() };
        maker.person(persona.principal, accept, "Accepted after reading")?;
        for role in persona.roles {
            grant(maker, persona.principal, role, None)?;
        }
    }
    let change = DeviceChange::Enrol { device: cards.dispatcher.clone() };
    maker.person(OWNER, Device { change }, "This machine runs the dispatches")?;
    for product in &PRODUCTS {
        maker.now = maker.now.plus_seconds(120);
        describe(maker, product)?;
    }
    // The key of who comes last is made like the others.
    let newcomer = card(CAST.len() - 1)?;
    maker.newcomer = Some(newcomer);
    Ok(())
}

fn grant(maker: &mut Maker, who: &str, role: &str, until: Option<Timestamp>) -> Result<(), Error> {
    let act = Role { change: Grant::Grant, principal: say(who)?, product: None, role: say(role)?, until };
    maker.person(OWNER, act, "As the organization chart says")?;
    Ok(())
}

fn describe(maker: &mut Maker, product: &Product) -> Result<(), Error> {
    let path = vec![say("staging")?, say("production")?];
    let act = countersign_core::act::Product { path, product: say(product.name)?, title: say(product.title)? };
    maker.person(OWNER, act, "A product we release")?;
    for environment in ["staging", "production"] {
        let segments = product.waves.iter().enumerate().map(|(place, (segment, instances, _))| {
            let url = |number: usize, what: &str| {
                say(&format!("http://127.0.0.1:9/{}/{place}-{number}/{what}", product.name))
            };
            Ok(Segment {
                health: (0..*instances).map(|number| url(number, "health")).collect::<Result<_, Error>>()?,
                name: say(segment)?,
                version: (0..*instances).map(|number| url(number, "version")).collect::<Result<_, Error>>()?,
            })
        });
        let act = Target {
            connector: ConnectorConfig::LocalCommand {
                command: say(&format!("deploy-{}", product.name))?,
                script_sha256: Digest::of(SCRIPT),
            },
            deploy_step: say("deploy")?,
            environment: say(environment)?,
            job: say(&format!("deploy-{}", product.name))?,
            product: say(product.name)?,
            segments: segments.collect::<Result<_, Error>>()?,
        };
        maker.person(OWNER, act, "How it is reached")?;
    }
    let policy = Policy { product: say(product.name)?, toml: policy(product, false), version: 1 };
    maker.person(OWNER, policy, "What we ask of each release")?;
    Ok(())
}

fn policy(product: &Product, deployment: bool) -> String {
    let mode = if deployment { "continuous-deployment" } else { "continuous-delivery" };
    let mut text = format!(
        "# What is asked of each release of {}.\nschema = 1\nproduct = \"{}\"\nmode = \"{mode}\"\n\n\
         dispatch = \"by-release-manager\"\nrollback = \"offer\"\nreauth = [\"prompt\", \"file\"]   # a sample: passphrases stand on the screen\n\
         sheet_valid_minutes = {SHEET_VALID_MINUTES}\nsoak_seconds = {}\nattached_evidence = \"confirmed\"\n\
         required = [\"risk\", \"security-impact\", \"backout-plan\"]\n\n[rerun]\nrule = \"up-to\"\nup_to = 2\n\n\
         [[evidence]]\ngate = \"tests\"\nkind = \"junit\"\nmax = {{ failed = 0, errors = 0 }}\n\n\
         [[evidence]]\ngate = \"scan\"\nkind = \"sarif\"\nmax = {{ error = 0 }}\n\n\
         [[evidence]]\ngate = \"bill of materials\"\nkind = \"cyclonedx\"\n",
        product.title, product.name, product.soak_seconds
    );
    for (role, _) in product.seats {
        text.push_str(&format!("\n[[quorum]]\nrole = \"{role}\"\n"));
    }
    for (segment, _, bake) in product.waves {
        text.push_str(&format!("\n[[wave]]\nsegment = \"{segment}\"\nbake_seconds = {bake}\n"));
    }
    text
}

/// A product earns its way: the policy changes under the quorum it replaces, then an authorization is adopted under it.
fn authorize(story: &mut Story, product: &'static Product) {
    story.at(story.ago(MOVED_DAYS * DAY), move |maker| {
        let act = Policy { product: say(product.name)?, toml: policy(product, true), version: 2 };
        let proposed = maker.person(OWNER, act, "Three releases decided by hand, none taken back")?;
        adopt(maker, product, proposed)?;
        let change = AuthorizationChange::Grant {
            change_types: vec![ChangeType::Standard],
            environment: say("production")?,
            max_commits: 12,
            per_day: 3,
            product: say(product.name)?,
            valid: Window { from: maker.now, until: maker.now.plus_seconds(180 * DAY) },
        };
        let act = countersign_core::act::Authorization { change };
        let granted = maker.person(OWNER, act, "Small standard changes on evidence read from CI")?;
        adopt(maker, product, granted)?;
        maker.authorizations.insert(product.name, granted);
        Ok(())
    });
}

fn adopt(maker: &mut Maker, product: &Product, request: EntryRef) -> Result<(), Error> {
    for (role, who) in product.seats {
        maker.now = maker.now.plus_seconds(MINUTE);
        maker.approve(who, role, request, "The bounds are narrow, and it can be taken back")?;
    }
    Ok(())
}

// ------------------------------------------------------------------------------------------------- the past

fn change(product: &Product, version: &str, standard: bool) -> Change {
    let minor = version.ends_with(".0");
    Change {
        commits: if standard {
            3 + version.len() % 5
        } else if minor {
            34
        } else {
            6 + version.len()
        },
        change_type: if standard { ChangeType::Standard } else { ChangeType::Normal },
        prefix: product.prefix,
        file: product.file,
        risk: product.risk,
        supersedes: None,
        incident: None,
    }
}

fn propose(story: &mut Story, product: &'static Product, version: &'static str, time: Timestamp, change: Change) {
    let who = if version.len() % 2 == 0 { PRACTITIONER } else { MANAGER };
    story.at(time, move |maker| maker.propose(who, product.name, version, &change));
}

fn name_of(product: &Product, version: &str) -> String {
    format!("{}-{version}", product.name)
}

/// The evidence of a green release, a few minutes after it was proposed.
fn green(story: &mut Story, product: &'static Product, version: &'static str, proposed: Timestamp) {
    let release = name_of(product, version);
    let tests = files::tests(product.name, product.tests, &[], 4, &[]);
    let scan = files::scan(&[], 2);
    let bill = files::materials(product.name, product.parts);
    story.at(proposed.plus_seconds(6 * MINUTE), move |maker| {
        maker.evidence(&release, "regression.xml", tests, None, None)?;
        maker.now = maker.now.plus_seconds(70);
        maker.evidence(&release, "scan.sarif", scan, None, None)?;
        maker.now = maker.now.plus_seconds(20);
        maker.evidence(&release, "bom.cdx.json", bill, None, None)?;
        Ok(())
    });
}

fn stage(story: &mut Story, product: &'static Product, version: &'static str, time: Timestamp) {
    let release = name_of(product, version);
    story.at(time, move |maker| maker.stage(&release, MANAGER));
}

/// The poll of a sheet: every seat says GO, half an hour apart. Returns when the last has.
fn poll(story: &mut Story, product: &'static Product, version: &'static str, from: Timestamp) -> Timestamp {
    let reasons = [
        "All regression tests pass, none was left out",
        "No open finding, no new dependency",
        "The wards have been told",
        "Hazard analysis unchanged, alarms tested",
        "On call is staffed, the way back was tried",
    ];
    let mut time = from;
    for (place, (role, who)) in product.seats.iter().enumerate() {
        time = time.plus_seconds(25 * MINUTE);
        let (release, reason) = (name_of(product, version), reasons[(place + version.len()) % reasons.len()]);
        story.at(time, move |maker| maker.answer(who, role, &release, Verdict::Go, reason, &[]).map(|_| ()));
    }
    time
}

/// Sends waves out from a time on, each passing, up to the one that is not to pass. Returns when the last verdict fell.
fn roll(
    story: &mut Story,
    product: &'static Product,
    version: &'static str,
    from: Timestamp,
    waves: usize,
    automatic: bool,
) -> Timestamp {
    let mut time = from;
    for (segment, _, bake) in &product.waves[..waves] {
        let (release, again) = (name_of(product, version), name_of(product, version));
        story.at(time, move |maker| {
            if automatic {
                maker.lease()?;
            }
            let by = (!automatic).then_some(MANAGER);
            maker.dispatch(&release, "production", DispatchKind::Deploy, by, Went::Well).map(|_| ())
        });
        time = time.plus_seconds(3 * MINUTE + bake);
        let baked = (*bake).max(60);
        story.at(time, move |maker| {
            let detail = format!("all well in {segment}");
            maker.wave(&again, WaveVerdict::Pass, baked, &detail)
        });
        time = time.plus_seconds(10 * MINUTE);
    }
    time
}

fn over(story: &mut Story, product: &'static Product, version: &'static str, days: i64, past: Past) {
    let begun = story.ago(days * DAY);
    let release = name_of(product, version);
    let automatic = past == Past::Automatic;
    propose(story, product, version, begun, change(product, version, automatic));
    if past == Past::Withdrawn {
        story.at(begun.plus_seconds(5 * HOUR), move |maker| {
            let act = Propose { change: ProposeChange::Withdraw {}, release: say(&release)? };
            maker.person(MANAGER, act, "Folded into the next one").map(|_| ())
        });
        return;
    }
    if past == Past::Red {
        let tests = files::tests(
            product.name,
            product.tests - 1,
            &[("keeps the rate over a restart", "the rate was 12.4, not 12.5")],
            4,
            &[],
        );
        let red = release.clone();
        story.at(begun.plus_seconds(7 * MINUTE), move |maker| {
            maker.evidence(&red, "regression.xml", tests, None, None).map(|_| ())
        });
        story.at(begun.plus_seconds(26 * HOUR), move |maker| {
            let act = Propose { change: ProposeChange::Withdraw {}, release: say(&release)? };
            maker.person(MANAGER, act, "Red, and mended in the next one").map(|_| ())
        });
        return;
    }
    green(story, product, version, begun);
    let staged = begun.plus_seconds(25 * MINUTE);
    stage(story, product, version, staged);
    let asked = staged.plus_seconds(product.soak_seconds + 30 * MINUTE);
    let sheet = release.clone();
    story.at(asked, move |maker| {
        if automatic {
            maker.lease()?;
            let used = maker.authorization(product.name)?;
            maker.freeze(None, &sheet, Some(used), &[], None)?;
            maker.now = maker.now.plus_seconds(3);
            let release = say(&sheet)?;
            return maker.dispatcher(Command::AutomaticGo { release, authorization: used }).map(|_| ());
        }
        maker.freeze(Some(MANAGER), &sheet, None, &[], Some(8 * HOUR)).map(|_| ())
    });
    if past == Past::NoGo {
        let (role, who) = product.seats[0];
        let refused = release.clone();
        story.at(asked.plus_seconds(50 * MINUTE), move |maker| {
            let reason = "The change to the retry is not covered by any test I can find";
            maker.answer(who, role, &refused, Verdict::NoGo, reason, &[]).map(|_| ())
        });
        story.at(asked.plus_seconds(20 * HOUR), move |maker| {
            let act = Propose { change: ProposeChange::Withdraw {}, release: say(&release)? };
            maker.person(MANAGER, act, "The NO-GO stands; tests first").map(|_| ())
        });
        return;
    }
    let decided = if automatic { asked } else { poll(story, product, version, asked) };
    let sent = decided.plus_seconds(20 * MINUTE);
    if past == Past::TakenBack {
        taken_back(story, product, version, sent);
        return;
    }
    let live = roll(story, product, version, sent, product.waves.len(), automatic);
    if matches!(past, Past::Live | Past::Automatic) {
        let result = "Out everywhere, no incident in the first day, error rate as before";
        story.at(live.plus_seconds(DAY), move |maker| maker.close(MANAGER, &release, result));
    }
}

/// The first wave fails, and the sheet's slot is brought back.
fn taken_back(story: &mut Story, product: &'static Product, version: &'static str, sent: Timestamp) {
    let [release, failed, back, closed] = std::array::from_fn(|_| name_of(product, version));
    // Once nobody knew for a while whether it had been sent.
    let went = if product.name == "billing-export" { Went::Unknown } else { Went::Well };
    story.at(sent, move |maker| {
        maker.dispatch(&release, "production", DispatchKind::Deploy, Some(MANAGER), went).map(|_| ())
    });
    story.at(sent.plus_seconds(14 * MINUTE), move |maker| {
        let (segment, ..) = product.waves[0];
        let detail = format!("{segment}: 3 of 24 answers were errors, at most 1 in 100 is allowed");
        maker.wave(&failed, WaveVerdict::Fail, 11 * MINUTE, &detail)
    });
    story.at(sent.plus_seconds(19 * MINUTE), move |maker| {
        maker.dispatch(&back, "production", DispatchKind::Rollback, Some(MANAGER), Went::Well).map(|_| ())
    });
    story.at(sent.plus_seconds(2 * DAY), move |maker| {
        let result = "Taken back in the first segment after 11 minutes; the cause is mended in the next one";
        maker.close(MANAGER, &closed, result)
    });
}

// ------------------------------------------------------------------------------------------------- what stands now

fn product(name: &str) -> &'static Product {
    PRODUCTS.iter().find(|product| product.name == name).unwrap_or(&PRODUCTS[0])
}

/// Waits for its last signature, with one seat that asks to wait.
fn pump(story: &mut Story) {
    let pump = product("infusion-pump-fw");
    let begun = story.ago(2 * DAY + 6 * HOUR);
    propose(story, pump, "4.2.0", begun, change(pump, "4.2.0", false));
    let release = || "infusion-pump-fw-4.2.0".to_owned();
    let tests = files::tests(
        pump.name,
        pump.tests,
        &[],
        4,
        &["reconnects after a dropped link", "wakes at low charge", "keeps the clock over a reset"],
    );
    let scan = files::scan(
        &[("integer-overflow", "src/rate/scale.c", "The product of two 16-bit values is kept in 16 bits")],
        2,
    );
    let bill = files::materials(pump.name, pump.parts);
    let id = release();
    story.at(begun.plus_seconds(7 * MINUTE), move |maker| {
        maker.evidence(&id, "regression.xml", tests, None, None)?;
        maker.now = maker.now.plus_seconds(60);
        maker.evidence(&id, "scan.sarif", scan, None, None)?;
        maker.now = maker.now.plus_seconds(60);
        maker.evidence(&id, "bom.cdx.json", bill, None, None).map(|_| ())
    });
    let id = release();
    story.at(begun.plus_seconds(70 * MINUTE), move |maker| {
        let act = Waiver {
            expires: maker.now.plus_seconds(30 * DAY),
            gate: say("scan")?,
            owner: say(SECURITY)?,
            release: say(&id)?,
        };
        maker.person(SECURITY, act, "Both factors are bounded by the dose table; mended in 4.2.1").map(|_| ())
    });
    stage(story, pump, "4.2.0", begun.plus_seconds(2 * HOUR));
    for (place, suite) in ["alarms.xml", "battery.xml", "drug-library.xml", "network.xml", "bench.xml", "usability.xml"]
        .into_iter()
        .enumerate()
    {
        let (id, tests) = (release(), files::tests(suite.trim_end_matches(".xml"), 40 + place * 31, &[], 0, &[]));
        let time = begun.plus_seconds(3 * HOUR + i64::try_from(place).unwrap_or(0) * 11 * MINUTE);
        story.at(time, move |maker| maker.evidence(&id, suite, tests, None, None).map(|_| ()));
    }
    let id = release();
    story.at(story.ago(5 * HOUR), move |maker| {
        let asked = [
            ("security", None),
            ("product-owner", None),
            ("safety", Some(SAFETY)),
            ("qa", Some(QA)),
            ("operations", Some(OPERATIONS)),
        ];
        maker.freeze(Some(MANAGER), &id, None, &asked, Some(8 * HOUR)).map(|_| ())
    });
    for (minutes, who, role, verdict, reason) in [
        (270, SECURITY, "security", Verdict::Go, "Scan clean but for one finding, which I waived and own"),
        (245, PRODUCT_OWNER, "product-owner", Verdict::Go, "The pilot clinics are told and ready"),
        (215, SAFETY, "safety", Verdict::Go, "Hazard analysis unchanged; alarms tested at both limits"),
        (165, OPERATIONS, "operations", Verdict::Hold, "Who is on call for the pilot clinics tonight?"),
    ] {
        let id = release();
        story.at(story.ago(minutes * MINUTE), move |maker| {
            maker.answer(who, role, &id, verdict, reason, &[]).map(|_| ())
        });
    }
}

/// Signed by its authorization; the first segment does not say whether it is well.
fn portal(story: &mut Story) {
    let portal = product("patient-portal");
    let begun = story.ago(7 * HOUR);
    propose(story, portal, "9.0.4", begun, change(portal, "9.0.4", true));
    green(story, portal, "9.0.4", begun);
    stage(story, portal, "9.0.4", begun.plus_seconds(20 * MINUTE));
    let release = || "patient-portal-9.0.4".to_owned();
    let id = release();
    story.at(story.ago(90 * MINUTE), move |maker| {
        maker.lease()?;
        let used = maker.authorization("patient-portal")?;
        maker.freeze(None, &id, Some(used), &[], None)?;
        maker.now = maker.now.plus_seconds(3);
        let release = say(&id)?;
        maker.dispatcher(Command::AutomaticGo { release, authorization: used })?;
        maker.now = maker.now.plus_seconds(5);
        maker.dispatch(&id, "production", DispatchKind::Deploy, None, Went::Well).map(|_| ())
    });
    let id = release();
    story.at(story.ago(20 * MINUTE), move |maker| {
        let detail = "five-percent: the error rate was told for 43 of 60 minutes only";
        maker.wave(&id, WaveVerdict::Inconclusive, HOUR, detail)
    });
}

/// One whose signatures no longer stand, one that is red, and a freeze over both.
fn payments(story: &mut Story) {
    let payments = product("payments-api");
    let begun = story.ago(2 * DAY);
    propose(story, payments, "2.31.1", begun, change(payments, "2.31.0", false));
    green(story, payments, "2.31.1", begun);
    stage(story, payments, "2.31.1", begun.plus_seconds(25 * MINUTE));
    let release = || "payments-api-2.31.1".to_owned();
    let id = release();
    story.at(story.ago(26 * HOUR), move |maker| {
        maker.freeze(Some(MANAGER), &id, None, &[], Some(20 * HOUR)).map(|_| ())
    });
    for (hours, who, role, reason) in
        [(25, QA, "qa", "863 tests, none left out"), (24, SECURITY, "security", "No open finding")]
    {
        let id = release();
        story.at(story.ago(hours * HOUR), move |maker| {
            maker.answer(who, role, &id, Verdict::Go, reason, &[]).map(|_| ())
        });
    }
    let tests = files::tests("payments", payments.tests, &[], 4, &["refund over midnight"]);
    let id = release();
    story.at(story.ago(12 * MINUTE), move |maker| {
        let found = maker.state.releases.get(&say(&id)?).map(|release| release.evidence[0].entry);
        let reason = "Run again with the refund tests that were missing";
        maker.evidence(&id, "regression.xml", tests, found, Some(reason)).map(|_| ())
    });
    propose(story, payments, "2.31.2", story.ago(40 * MINUTE), change(payments, "2.31.2", false));
    let tests = files::tests(
        "payments",
        payments.tests - 1,
        &[("charges once when the answer is lost", "charged 2 times")],
        4,
        &[],
    );
    story.at(story.ago(9 * MINUTE), move |maker| {
        maker.evidence("payments-api-2.31.2", "regression.xml", tests, None, None).map(|_| ())
    });
    story.at(story.ago(2 * HOUR), move |maker| {
        let span = Window { from: maker.now, until: maker.now.plus_seconds(3 * DAY) };
        let change =
            FreezeChange::Declare { environment: Some(say("production")?), product: Some(say("payments-api")?), span };
        maker.person(OWNER, Freeze { change }, "Month-end close: no change to payments").map(|_| ())
    });
}

/// Soaks in staging; its policy is to change, and waits for its quorum.
fn laboratory(story: &mut Story) {
    let lab = product("lab-gateway");
    let begun = story.ago(4 * HOUR);
    propose(story, lab, "1.14.0", begun, change(lab, "1.14.0", false));
    green(story, lab, "1.14.0", begun);
    stage(story, lab, "1.14.0", begun.plus_seconds(50 * MINUTE));
    story.at(story.ago(3 * DAY), move |maker| {
        let toml = policy(lab, false).replace("soak_seconds = 43200", "soak_seconds = 21600");
        let act = Policy { product: say(lab.name)?, toml, version: 2 };
        maker.person(OWNER, act, "Six hours have shown everything that twelve have").map(|_| ())
    });
}

/// Went out by itself a moment ago.
fn notifications(story: &mut Story) {
    let notify = product("notify");
    let begun = story.ago(3 * HOUR);
    propose(story, notify, "3.7.12", begun, change(notify, "3.7.12", true));
    green(story, notify, "3.7.12", begun);
    stage(story, notify, "3.7.12", begun.plus_seconds(15 * MINUTE));
    let id = || "notify-3.7.12".to_owned();
    let sheet = id();
    story.at(story.ago(52 * MINUTE), move |maker| {
        maker.lease()?;
        let used = maker.authorization("notify")?;
        maker.freeze(None, &sheet, Some(used), &[], None)?;
        maker.now = maker.now.plus_seconds(3);
        let release = say(&sheet)?;
        maker.dispatcher(Command::AutomaticGo { release, authorization: used }).map(|_| ())
    });
    roll(story, notify, "3.7.12", story.ago(48 * MINUTE), 2, true);
}

/// A rollout that runs, and the next one held by a question.
fn billing(story: &mut Story) {
    let billing = product("billing-export");
    let begun = story.ago(9 * HOUR);
    propose(story, billing, "5.3.0", begun, change(billing, "5.3.0", false));
    green(story, billing, "5.3.0", begun);
    stage(story, billing, "5.3.0", begun.plus_seconds(15 * MINUTE));
    let asked = begun.plus_seconds(3 * HOUR);
    story.at(asked, move |maker| {
        maker.freeze(Some(MANAGER), "billing-export-5.3.0", None, &[], Some(4 * HOUR)).map(|_| ())
    });
    let qa = asked.plus_seconds(30 * MINUTE);
    story.at(qa, move |maker| {
        let conditions = ["The export of last night is kept until Monday"];
        let reason = "Good, provided that nothing is lost if it has to be run again";
        maker.answer(QA, "qa", "billing-export-5.3.0", Verdict::ConditionalGo, reason, &conditions).map(|_| ())
    });
    story.at(qa.plus_seconds(20 * MINUTE), move |maker| {
        let reason = "The hospitals expect the new columns";
        maker.answer(PRODUCT_OWNER, "product-owner", "billing-export-5.3.0", Verdict::Go, reason, &[]).map(|_| ())
    });
    story.at(qa.plus_seconds(50 * MINUTE), move |maker| {
        let approval = maker
            .state
            .releases
            .get(&say("billing-export-5.3.0")?)
            .and_then(|release| release.sheet()?.answers.first().map(|answer| answer.entry));
        let approval = approval.ok_or_else(|| Error::new(ErrorKind::Integrity, "sample", "nobody has answered"))?;
        let act = countersign_core::act::Condition { approval, condition: 0 };
        maker.person(QA, act, "The export is kept, seen in the archive").map(|_| ())
    });
    let out = roll(story, billing, "5.3.0", story.ago(110 * MINUTE), 1, false);
    story.at(out, move |maker| {
        let by = Some(MANAGER);
        maker.dispatch("billing-export-5.3.0", "production", DispatchKind::Deploy, by, Went::Well).map(|_| ())
    });
    let begun = story.ago(5 * HOUR);
    propose(story, billing, "5.3.1", begun, change(billing, "5.3.1", false));
    green(story, billing, "5.3.1", begun);
    story.at(begun.plus_seconds(40 * MINUTE), move |maker| {
        let protocol = b"Bench protocol: the export of 2026-W48 was reconciled by hand, 0 cent difference.\n".to_vec();
        let conclusion = Some(countersign_core::evidence::Conclusion::Pass);
        maker.attach(PRACTITIONER, "billing-export-5.3.1", "reconciliation.txt", protocol, conclusion).map(|_| ())
    });
    story.at(story.ago(70 * MINUTE), move |maker| {
        let change = HoldChange::Hold { question: Some(say("Does the new column reach the tax office, too?")?) };
        let act = Hold { change, release: say("billing-export-5.3.1")? };
        maker.person(PRODUCT_OWNER, act, "Legal asked this morning").map(|_| ())
    });
}

/// What else leaves a trace in a ledger that is used.
fn housekeeping(story: &mut Story) {
    story.at(story.ago(90 * DAY), |maker| {
        let until = maker.state.tree.size();
        let findings = say("Every role is held by who should hold it; nobody has left")?;
        let act = Review { findings, from: 0, scope: ReviewScope::Access, until };
        maker.person(OWNER, act, "Quarterly review").map(|_| ())
    });
    story.at(story.ago(29 * DAY), |maker| {
        let act = Refusal {
            act: say("approval")?,
            code: say("role-missing")?,
            message: say("dana@sample.example is not qa")?,
            principal: Some(say(PRACTITIONER)?),
            release: Some(say("payments-api-2.30.2")?),
        };
        maker.desk(act).map(|_| ())
    });
    story.at(story.ago(21 * DAY), |maker| maker.desk(Attempt { count: 2, principal: say(SECURITY)? }).map(|_| ()));
    story.at(story.ago(10 * DAY), |maker| {
        let until = maker.state.tree.size();
        let findings = say("No entry without a reason; two corrections looked at")?;
        let act = Review { findings, from: 0, scope: ReviewScope::Trail, until };
        maker.person(AUDITOR, act, "Sampled one entry in fifty").map(|_| ())
    });
    story.at(story.ago(6 * DAY), |maker| {
        let span = Window { from: maker.now.plus_seconds(24 * DAY), until: maker.now.plus_seconds(36 * DAY) };
        let change = FreezeChange::Declare { environment: Some(say("production")?), product: None, span };
        maker.person(MANAGER, Freeze { change }, "Year's end: half the wards, a third of the staff").map(|_| ())
    });
    story.at(story.ago(4 * DAY), |maker| {
        let until = Some(maker.now.plus_seconds(14 * DAY));
        let act =
            Role { change: Grant::Grant, principal: say(DEPUTY)?, product: None, role: say("operations")?, until };
        maker.person(OWNER, act, "Stands in for Jo Park until the fortnight is over").map(|_| ())
    });
    story.at(story.ago(DAY), |maker| {
        let Some(person) = maker.newcomer.take() else { return Ok(()) };
        let act = Enrol { identity: say("Badge and passport seen on the first day")?, person };
        maker.person(OWNER, act, "Joins the quality team").map(|_| ())
    });
}
