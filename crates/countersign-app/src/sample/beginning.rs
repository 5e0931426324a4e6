//! How the sample begins: people, devices, products, targets and policies, and what changes about them later.

use std::cell::Cell;
use std::rc::Rc;

use countersign_core::act::{Act, Approval};
use countersign_core::act::{
    Attempt, Authorization, AuthorizationChange, ChangeType, ConnectorConfig, Correction, Device, DeviceCard,
    DeviceChange, DevicePurpose, Enrol, EnrolAccept, Export, Freeze, FreezeChange, Grant, Key, KeyChange, KeyOrigin,
    Late, Meaning, PersonCard, Policy, Product, Refusal, Review, ReviewScope, Role, Target, Verdict, Window,
    accountability,
};
use countersign_core::sshsig::PublicKey;
use countersign_core::words::{EntryRef, Principal, Timestamp};
use ed25519_dalek::SigningKey;

use super::goods::{self, DOSE, Goods, PUMP, TELEMETRY};
use super::keys::Keys;
use super::maker::{Maker, digest, word};
use super::people::{PEOPLE, SamplePerson, who};
use super::schedule::Schedule;
use super::service;
use super::story::bug;
use crate::error::Error;
use crate::ledger::KEY_VALID_SECONDS;

/// Tells everything about people and devices.
pub(super) fn people(schedule: &mut Schedule, keys: &Keys, dispatcher: SigningKey) {
    let first = schedule.workday(86, 8, 5);
    for (place, person) in (0..).zip(&PEOPLE) {
        let at = first.plus_seconds(place * 420);
        let key = keys[person.short][0].clone();
        if place > 0 {
            enrol(schedule, at, person, key);
        }
        for (number, (role, product)) in (0..).zip(person.roles) {
            if place > 0 {
                grant(
                    schedule,
                    at.plus_seconds(200 + number * 15),
                    person.short,
                    role,
                    *product,
                    None,
                    "As agreed with their line",
                );
            }
        }
    }
    let at = first.plus_seconds(3 * 3600);
    device(
        schedule,
        at,
        "dispatcher@devices.northbay.example",
        "Dispatcher",
        DevicePurpose::Dispatcher,
        Some(dispatcher),
    );
    let spare = SigningKey::from_bytes(digest("spare desk").as_bytes());
    let laptop = "desk-leo@devices.northbay.example";
    device(schedule, at.plus_seconds(900), laptop, "Laptop of Leo Brandt", DevicePurpose::Desk, Some(spare));

    // Ben renews his key before it is old; Leo leaves, and his laptop is not found.
    let renewed = keys["ben"][1].clone();
    schedule.at(schedule.workday(27, 9, 20), move |maker| {
        let change = KeyChange::Rotate {
            key: PublicKey::of(&renewed),
            key_origin: KeyOrigin::MadeHere,
            valid_until: maker.now.plus_seconds(KEY_VALID_SECONDS),
        };
        let ben = who("ben");
        maker.act(&ben, Key { change, principal: ben.clone() }, "A new key with the new laptop")?;
        maker.give(&ben, renewed, word("Europe/London"));
        Ok(())
    });
    let gone = schedule.workday(34, 10, 0);
    act(schedule, gone, "henrik", "He leaves the company today", |_| {
        Ok(role(Grant::Lapse, "leo", "qa", None, None).into())
    });
    act(
        schedule,
        gone.plus_seconds(5400),
        "henrik",
        "The laptop was not returned; the key may be in other hands",
        |_| Ok(Key { change: KeyChange::Lost {}, principal: who("leo") }.into()),
    );
    act(schedule, gone.plus_seconds(5700), "henrik", "Whatever it signs from now on counts for nothing", move |_| {
        Ok(Device { change: DeviceChange::Revoke { principal: word(laptop) } }.into())
    });

    // Chiara is away; Priya stands in, for one product until it has passed, for the other for a while yet.
    let until = Some(schedule.ago(20));
    grant(
        schedule,
        schedule.workday(8, 9, 5),
        "priya",
        "product-owner",
        Some("patient-portal"),
        until,
        "Stands in while Chiara Rossi is away",
    );
    let until = Some(schedule.now.plus_seconds(9 * 86_400));
    grant(
        schedule,
        schedule.workday(4, 9, 10),
        "priya",
        "product-owner",
        Some(PUMP.slug),
        until,
        "Chiara Rossi is on leave; Priya Raman decides for her until she is back",
    );
}

fn enrol(schedule: &mut Schedule, at: Timestamp, person: &'static SamplePerson, key: SigningKey) {
    schedule.at(at, move |maker| {
        let principal = who(person.short);
        let card = PersonCard {
            emails: Vec::new(),
            key: PublicKey::of(&key),
            key_origin: KeyOrigin::MadeHere,
            name: word(person.name),
            principal: principal.clone(),
            valid_until: maker.now.plus_seconds(KEY_VALID_SECONDS),
        };
        let identity = word("A persona of the sample; nobody real. The badge was looked at.");
        maker.act(&who("mathilde"), Enrol { identity, person: card }, "Takes part in releases")?;
        maker.give(&principal, key, word(person.zone));
        Ok(())
    });
    schedule.at(at.plus_seconds(90), |maker| {
        let accept = EnrolAccept { accountability: accountability() };
        maker.act(&who(person.short), accept, "I have read it and accept").map(|_| ())
    });
}

fn role(change: Grant, whom: &str, role: &str, product: Option<&str>, until: Option<Timestamp>) -> Role {
    Role { change, principal: who(whom), product: product.map(word), qualification: None, role: word(role), until }
}

fn grant(
    schedule: &mut Schedule,
    at: Timestamp,
    whom: &'static str,
    what: &'static str,
    product: Option<&'static str>,
    until: Option<Timestamp>,
    reason: &'static str,
) {
    act(schedule, at, "mathilde", reason, move |_| Ok(role(Grant::Grant, whom, what, product, until).into()));
}

fn device(
    schedule: &mut Schedule,
    at: Timestamp,
    principal: &'static str,
    name: &'static str,
    purpose: DevicePurpose,
    key: Option<SigningKey>,
) {
    schedule.at(at, move |maker| {
        let key = key.expect("each device has one");
        let principal: Principal = word(principal);
        let card = DeviceCard {
            key: PublicKey::of(&key),
            log_key: None,
            name: word(name),
            principal: principal.clone(),
            purpose,
        };
        maker.act(&who("mathilde"), Device { change: DeviceChange::Enrol { device: card } }, "Handed out today")?;
        maker.give(&principal, key, word("UTC"));
        if purpose == DevicePurpose::Dispatcher {
            maker.set_dispatcher(principal);
        }
        Ok(())
    });
}

/// Has somebody do one thing.
fn act(
    schedule: &mut Schedule,
    at: Timestamp,
    by: &'static str,
    reason: &'static str,
    compose: impl FnOnce(&Maker) -> Result<Act, Error> + 'static,
) {
    schedule.at(at, move |maker| {
        let act = compose(maker)?;
        maker.act(&who(by), act, reason).map(|_| ())
    });
}

/// Tells of products, their targets and the first policies.
pub(super) fn products(schedule: &mut Schedule, port: u16) {
    let first = schedule.workday(86, 13, 0);
    for (place, goods) in (0..).zip(goods::ALL) {
        let at = first.plus_seconds(place * 1200);
        act(schedule, at, "mathilde", "Its releases are decided here from now on", |_| {
            let path = goods.path.iter().map(|name| word(name)).collect();
            Ok(Product { path, product: word(goods.slug), title: word(goods.title) }.into())
        });
        for (number, environment) in (0..).zip(goods.path) {
            let last = number as usize + 1 == goods.path.len();
            let at = at.plus_seconds(120 + number * 60);
            act(schedule, at, goods.manager, "Where it runs", move |_| {
                Ok(target(goods, environment, last, port).into())
            });
        }
        let at = at.plus_seconds(600);
        act(schedule, at, "mathilde", "What we have asked for by mail so far, written down", |_| {
            Ok(policy(goods, 1).into())
        });
    }
}

fn target(goods: &Goods, environment: &str, last: bool, port: u16) -> Target {
    let names = if last { goods.segments } else { &[] };
    let names: Vec<&str> = if last { names.to_vec() } else { vec![environment] };
    let segments = names.into_iter().map(|segment| service::segment(goods, environment, segment, port)).collect();
    let command = service::command(goods);
    Target {
        connector: ConnectorConfig::LocalCommand { command: word(&command), script_sha256: service::script() },
        deploy_step: word(&command),
        environment: word(environment),
        job: word(&command),
        product: word(goods.slug),
        segments,
    }
}

fn policy(goods: &Goods, version: usize) -> Policy {
    Policy {
        product: word(goods.slug),
        toml: goods::policies(goods.slug)[version - 1].to_owned(),
        version: version as u64,
    }
}

fn answer(request: EntryRef, role: &str, verdict: Verdict) -> Approval {
    Approval {
        authorization: None,
        conditions: Vec::new(),
        meaning: if verdict == Verdict::Go { Meaning::Approval } else { Meaning::Review },
        request,
        role: word(role),
        verdict,
    }
}

/// A later policy, proposed and answered by those the one in force asks.
fn replace_policy(
    schedule: &mut Schedule,
    goods: &'static Goods,
    version: usize,
    day: u32,
    reason: &'static str,
    answers: &[(&'static str, &'static str)],
) {
    let at = schedule.workday(day, 9, 30);
    act(schedule, at, "mathilde", reason, move |_| Ok(policy(goods, version).into()));
    for (place, (by, role)) in (1..).zip(answers.iter().copied()) {
        act(schedule, at.plus_seconds(place * 4000), by, "Read line by line against the one in force", move |maker| {
            let proposed = maker.state.policies[&word(goods.slug)].last().map(|record| record.entry);
            Ok(answer(proposed.ok_or_else(|| bug("no policy was proposed"))?, role, Verdict::Go).into())
        });
    }
}

/// Tells of later policies, of the standing authorization, of freezes, and of what auditors do.
pub(super) fn later(schedule: &mut Schedule) {
    let everybody: &[(&str, &str)] =
        &[("alice", "qa"), ("ben", "security"), ("ewa", "safety"), ("chiara", "product-owner"), ("jo", "operations")];
    replace_policy(
        schedule,
        &PUMP,
        2,
        64,
        "After the audit: regression on real pumps, and what it is made of",
        everybody,
    );
    replace_policy(
        schedule,
        &DOSE,
        2,
        57,
        "Wards were not asked whether they can watch the first night",
        &everybody[..3],
    );
    replace_policy(
        schedule,
        &TELEMETRY,
        2,
        68,
        "Six releases without a finding: small ones need no meeting any more",
        &[("ravi", "qa"), ("jo", "operations")],
    );
    // Waits for its answers: two have come.
    replace_policy(
        schedule,
        &PUMP,
        3,
        2,
        "Two people of quality, and a whole shift in the pilot clinics",
        &[("ben", "security"), ("ewa", "safety")],
    );

    let at = schedule.workday(66, 10, 0);
    let valid = Window { from: at, until: at.plus_seconds(125 * 86_400) };
    act(schedule, at, "mathilde", "Standard changes of up to 12 commits, three a day", move |_| {
        let change = AuthorizationChange::Grant {
            change_types: vec![ChangeType::Standard],
            environment: word("production"),
            max_commits: 12,
            per_day: 3,
            product: word(TELEMETRY.slug),
            template: None,
            valid,
        };
        Ok(Authorization { change }.into())
    });
    for (minutes, by, role) in [(55, "ravi", "qa"), (140, "jo", "operations")] {
        act(schedule, at.plus_seconds(60 * minutes), by, "I sign for what stays within these bounds", move |maker| {
            Ok(answer(super::story::authorization(maker, &TELEMETRY)?, role, Verdict::Go).into())
        });
    }
    act(schedule, schedule.workday(47, 15, 30), "jo", "It brought out what took the dashboards down", |maker| {
        let authorization = super::story::authorization(maker, &TELEMETRY)?;
        Ok(Authorization { change: AuthorizationChange::Suspend { authorization } }.into())
    });
    act(
        schedule,
        schedule.workday(45, 9, 0),
        "mathilde",
        "The scan now finds what was missed; it may go on",
        |maker| {
            let authorization = super::story::authorization(maker, &TELEMETRY)?;
            Ok(Authorization { change: AuthorizationChange::Resume { authorization } }.into())
        },
    );
    freezes(schedule);
    records(schedule);
}

fn declare(product: Option<&str>, environment: Option<&str>, span: Window) -> Act {
    let change =
        FreezeChange::Declare { environment: environment.map(word), product: product.map(word), recurs: None, span };
    Freeze { change }.into()
}

fn freezes(schedule: &mut Schedule) {
    let at = schedule.workday(37, 8, 0);
    let span = Window { from: at, until: at.plus_seconds(4 * 86_400) };
    act(schedule, at, "jonas", "The power supply of the data center is being replaced", move |_| {
        Ok(declare(None, Some("production"), span))
    });
    act(schedule, at.plus_seconds(30 * 3600), "jonas", "Done two days early; both feeds are up", |maker| {
        let freeze = maker.state.freezes.values().find(|freeze| freeze.lifted.is_none()).map(|freeze| freeze.entry);
        Ok(Freeze { change: FreezeChange::Lift { freeze: freeze.ok_or_else(|| bug("nothing is frozen"))? } }.into())
    });
    let (from, until) = (schedule.ago(19 * 60), schedule.now.plus_seconds(14 * 3600));
    act(schedule, from, "sofia", "The month is being closed; nothing moves until the books are shut", move |_| {
        Ok(declare(Some("billing-api"), Some("production"), Window { from, until }))
    });
    let from = schedule.now.plus_seconds(18 * 86_400);
    let span = Window { from, until: from.plus_seconds(13 * 86_400) };
    act(
        schedule,
        schedule.workday(5, 14, 0),
        "mathilde",
        "Year's end: half the hands, twice the patients",
        move |_| Ok(declare(None, Some("production"), span)),
    );
}

/// What auditors, refusals and paper leave in a ledger.
fn records(schedule: &mut Schedule) {
    let review = |maker: &Maker, scope, findings: &str| {
        let until = maker.state.tree.size();
        let from = maker.state.reviews.last().map_or(0, |last| last.body.until);
        Act::from(Review { findings: word(findings), from, release: None, scope, until })
    };
    act(schedule, schedule.workday(60, 14, 0), "grace", "Quarterly, by the audit plan", move |maker| {
        Ok(review(maker, ReviewScope::Access, "Roles agree with the list of the lines. No finding."))
    });
    act(schedule, schedule.workday(33, 11, 0), "grace", "Leo Brandt has left with a key", move |maker| {
        Ok(review(
            maker,
            ReviewScope::Access,
            "The role and the key of Leo Brandt ended within two hours. His earlier sign-offs were read again one by one; \
             each of them rests on a second role.",
        ))
    });
    act(schedule, schedule.workday(9, 15, 0), "grace", "Monthly, by the audit plan", move |maker| {
        Ok(review(
            maker,
            ReviewScope::Trail,
            "Read from the last review on. One correction, no gap, every rollback has its reason.",
        ))
    });
    schedule.at(schedule.workday(41, 6, 12), |maker| {
        let desk = maker.desk();
        maker.observe(&desk, Attempt { count: 3, principal: who("leo") }).map(|_| ())
    });
    schedule.at(schedule.workday(12, 16, 3), |maker| {
        let body = Refusal {
            act: word("freeze"),
            code: word("role_missing"),
            message: word("tomas@northbay.example is not process-owner or release-manager"),
            principal: Some(who("tomas")),
            release: None,
        };
        let desk = maker.desk();
        maker.observe(&desk, body).map(|_| ())
    });
    let paper_record = Rc::new(Cell::new(None));
    let its_entry = Rc::clone(&paper_record);
    schedule.at(schedule.workday(59, 10, 0), move |maker| {
        let paper =
            maker.blob(b"Scan of form QF-121, two pages: fire drill of the data center, signed by hand.\n".to_vec());
        let body = Late {
            happened: maker.now.plus_seconds(-20 * 3600),
            paper,
            record: word("Fire drill: production was shut down and brought back by the paper procedure QF-112."),
        };
        its_entry.set(Some(maker.act(&who("jonas"), body, "The desks were off; this was signed on paper")?));
        Ok(())
    });
    act(schedule, schedule.workday(58, 9, 15), "jonas", "A slip of the keyboard: the scan says QF-121", move |_| {
        let entry = paper_record.get().ok_or_else(|| bug("there is no paper record"))?;
        Ok(Correction { entry, field: word("record"), new: word("QF-121"), old: word("QF-112"), removes: None }.into())
    });
    act(schedule, schedule.workday(9, 16, 30), "grace", "A copy for the archive", |maker| {
        let head = maker.state.head();
        Ok(Export { release: None, root: head.root.to_base64(), size: head.size }.into())
    });
}
