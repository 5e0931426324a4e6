//! The products of the sample: what they are called, how they walk to everyone, and what people write about them.

/// One product.
#[derive(Debug)]
pub(super) struct Goods {
    pub(super) slug: &'static str,
    pub(super) title: &'static str,
    /// Environments in order.
    pub(super) path: &'static [&'static str],
    /// Segments of the last environment, in the order of the waves.
    pub(super) segments: &'static [&'static str],
    /// The prefix of its tickets.
    pub(super) ticket: &'static str,
    /// What an artifact's name begins and ends with.
    pub(super) artifact: (&'static str, &'static str),
    /// Who runs its releases.
    pub(super) manager: &'static str,
    /// The files its policy asks for beside the unit tests, the scan and the bill of materials.
    pub(super) tests: &'static [&'static str],
    /// How many cases its unit tests have.
    pub(super) cases: usize,
    /// Parts of it that tests are about.
    pub(super) areas: &'static [&'static str],
    /// What commits say.
    pub(super) subjects: &'static [&'static str],
    /// Findings of the scan that everybody has got used to: rule, level, file, line, text, and why one is accepted.
    pub(super) findings: &'static [Finding],
    /// What it is made of.
    pub(super) components: &'static [(&'static str, &'static str)],
    pub(super) risk: &'static str,
    pub(super) security: &'static str,
    pub(super) backout: &'static str,
}

/// A finding of the scan.
#[derive(Debug)]
pub(super) struct Finding {
    pub(super) rule: &'static str,
    pub(super) level: &'static str,
    pub(super) file: &'static str,
    pub(super) line: u32,
    pub(super) text: &'static str,
    pub(super) accepted: Option<&'static str>,
}

pub(super) const PUMP: Goods = Goods {
    slug: "infusion-pump-fw",
    title: "Infusion pump firmware",
    path: &["staging", "production"],
    segments: &["pilot-clinics", "region-north", "everyone"],
    ticket: "PUMP",
    artifact: ("pump-fw-", ".bin"),
    manager: "jonas",
    tests: &["regression.xml"],
    cases: 412,
    areas: &["rate control", "bolus", "occlusion alarm", "battery", "drug library", "event log", "door sensor"],
    subjects: &[
        "limit the bolus rate while the door is open",
        "debounce the occlusion sensor over three samples",
        "keep the event log through a brown-out",
        "show the remaining volume with one decimal",
        "refuse a drug library whose signature is older than the one installed",
        "warn at 30 minutes of battery, not at 20",
        "silence the key-press tone at night",
        "calibrate the air detector after a cassette change",
        "record who acknowledged an alarm",
        "raise the stack guard of the motor task",
        "translate the alarm texts into Polish",
        "drop a second start command within 200 ms",
        "check the flash checksum in the background",
        "tidy the state machine of the alarm queue",
        "measure the motor current at each stroke",
    ],
    findings: &[
        Finding {
            rule: "integer-conversion",
            level: "warning",
            file: "src/motor/stroke.c",
            line: 214,
            text: "A 32-bit count is narrowed to 16 bits; the caller bounds it to 4,800.",
            accepted: Some("bounded by the caller; see the design note on stroke counts"),
        },
        Finding {
            rule: "unreachable-branch",
            level: "note",
            file: "src/alarm/queue.c",
            line: 91,
            text: "The default branch of this switch cannot be reached.",
            accepted: None,
        },
        Finding {
            rule: "magic-number",
            level: "note",
            file: "src/power/battery.c",
            line: 57,
            text: "The constant 3271 stands without a name.",
            accepted: None,
        },
    ],
    components: &[
        ("realtime-kernel", "10.6.2"),
        ("flash-filesystem", "2.9.1"),
        ("crypto-core", "3.6.0"),
        ("display-driver", "1.14.3"),
        ("motor-control", "5.2.0"),
        ("drug-library-format", "4.0.1"),
        ("compression", "1.3.1"),
    ],
    risk: "An error here changes how much of a drug a patient receives. Mitigated by the independent rate monitor, which \
           this release does not touch.",
    security: "No new interface. Drug libraries are accepted only with a signature of the pharmacy key.",
    backout: "The previous firmware stays in the second bank; the rollout tool switches back within four minutes while the \
              pump is not infusing.",
};

pub(super) const PORTAL: Goods = Goods {
    slug: "patient-portal",
    title: "Patient portal",
    path: &["staging", "production"],
    segments: &["five-percent", "half", "everyone"],
    ticket: "PORT",
    artifact: ("patient-portal-", ".tar"),
    manager: "sofia",
    tests: &["browser.xml"],
    cases: 188,
    areas: &["sign-in", "appointments", "results", "messages", "proxies", "accessibility", "notifications"],
    subjects: &[
        "show the time of an appointment in the patient's own zone",
        "let a parent see a child's vaccinations until the age of 14",
        "announce new results to screen readers",
        "stop asking for the insurance number twice",
        "keep a half-written message when the session ends",
        "sign out after 15 minutes, with a warning at 14",
        "sort results by the date of the sample, not of the report",
        "explain a reference range in words",
        "load the calendar by month instead of by year",
        "retry the mail relay three times before giving up",
        "drop the old cookie name",
        "make the cancel button say what is cancelled",
        "count failed sign-ins per account and per network",
        "raise the contrast of disabled fields",
    ],
    findings: &[
        Finding {
            rule: "unescaped-template",
            level: "warning",
            file: "web/messages/preview.ts",
            line: 48,
            text: "Text reaches the page without escaping; the sanitizer above it is not known to this rule.",
            accepted: Some("the sanitizer of the message body runs one line above; reviewed with security"),
        },
        Finding {
            rule: "long-function",
            level: "note",
            file: "web/calendar/month.ts",
            line: 12,
            text: "This function has 143 lines.",
            accepted: None,
        },
    ],
    components: &[
        ("web-framework", "5.38.2"),
        ("date-arithmetic", "4.1.0"),
        ("html-sanitizer", "3.2.6"),
        ("http-client", "7.3.0"),
        ("template-engine", "2.0.11"),
    ],
    risk: "Patients read wrong times or miss a message. No clinical decision is taken from the portal alone.",
    security: "Sessions and proxies are touched in places; the penetration test of spring covers them.",
    backout: "The balancer sends everyone back to the previous color within a minute; sessions survive.",
};

pub(super) const LAB: Goods = Goods {
    slug: "lab-gateway",
    title: "Laboratory gateway",
    path: &["staging", "production"],
    segments: &["one-laboratory", "everyone"],
    ticket: "LAB",
    artifact: ("lab-gateway-", ".tar"),
    manager: "jonas",
    tests: &["regression.xml"],
    cases: 156,
    areas: &["order routing", "result parsing", "analyzer driver", "retransmission", "units", "barcode"],
    subjects: &[
        "accept results without a trailing checksum from the old analyzers",
        "route stat orders past the queue",
        "convert mg/dl to mmol/l with the factor of each analyte",
        "give up a stuck connection after 90 seconds",
        "never send a result twice after a restart",
        "log the raw frame when parsing fails",
        "read barcodes with a leading zero",
        "hold orders while a laboratory is in maintenance",
        "drop the unused serial driver",
        "count retransmissions per analyzer",
        "name the laboratory in every alert",
    ],
    findings: &[Finding {
        rule: "blocking-call",
        level: "warning",
        file: "gateway/driver/serial.go",
        line: 133,
        text: "A read without a deadline inside the event loop.",
        accepted: None,
    }],
    components: &[
        ("message-parser", "2.5.1"),
        ("serial-port", "1.6.4"),
        ("queue-client", "3.12.0"),
        ("unit-tables", "2026.2"),
    ],
    risk: "A result arrives late, or at the wrong ward. Laboratories telephone critical values in any case.",
    security: "Inside the hospital network only; no change to what listens where.",
    backout: "Each laboratory keeps the previous image; a restart of the gateway takes twenty seconds and loses nothing.",
};

pub(super) const DOSE: Goods = Goods {
    slug: "dosing-service",
    title: "Dosing service",
    path: &["staging", "production"],
    segments: &["ward-seven", "everyone"],
    ticket: "DOSE",
    artifact: ("dosing-service-", ".tar"),
    manager: "jonas",
    tests: &["reference-doses.xml"],
    cases: 264,
    areas: &["renal adjustment", "weight bands", "pediatric limits", "rounding", "interactions", "units"],
    subjects: &[
        "round down to the dose the syringe can show",
        "refuse a weight older than 48 hours for children",
        "take the newest creatinine, not the first of the day",
        "cap the loading dose by body surface",
        "explain which limit a dose has met",
        "treat a missing allergy list as unknown, never as none",
        "compute lean weight above a body mass index of 30",
        "keep the tables of a version together with its answers",
        "warn when two orders name the same agent",
        "answer with the source of each figure",
        "drop the rounding of intermediate results",
    ],
    findings: &[
        Finding {
            rule: "float-equality",
            level: "warning",
            file: "dosing/bands.rs",
            line: 77,
            text: "Two floating-point numbers are compared for equality.",
            accepted: Some("both come from the same table entry; compared on purpose"),
        },
        Finding {
            rule: "missing-unit",
            level: "note",
            file: "dosing/renal.rs",
            line: 31,
            text: "A public number says no unit in its name or type.",
            accepted: None,
        },
    ],
    components: &[
        ("decimal-arithmetic", "1.37.0"),
        ("unit-tables", "2026.2"),
        ("http-server", "1.7.0"),
        ("formulary", "2026.11"),
    ],
    risk: "A wrong suggestion of a dose. Every suggestion is confirmed by a pharmacist; limits are checked again by the pump.",
    security: "No change to who may ask. Answers are logged without names.",
    backout: "The previous version runs beside it for a day and is switched to by a flag per ward.",
};

pub(super) const TELEMETRY: Goods = Goods {
    slug: "telemetry-collector",
    title: "Telemetry collector",
    path: &["staging", "production"],
    segments: &["canary", "everyone"],
    ticket: "TEL",
    artifact: ("telemetry-collector-", ".tar"),
    manager: "sofia",
    tests: &[],
    cases: 92,
    areas: &["intake", "compaction", "retention", "back-pressure", "dashboards"],
    subjects: &[
        "compact hourly instead of daily",
        "answer 429 before the disk is full",
        "drop a metric nobody has read for 90 days",
        "label samples with the firmware version",
        "speed up the pump overview",
        "keep the last value of a silent gateway",
        "add a gauge for clock drift",
        "shrink an index by a third",
        "retry a failed upload with a growing pause",
        "fix a typo in the alert text",
    ],
    findings: &[Finding {
        rule: "large-copy",
        level: "note",
        file: "collector/batch.rs",
        line: 40,
        text: "A value of 512 bytes is copied in a loop.",
        accepted: None,
    }],
    components: &[("http-server", "1.7.0"), ("column-store", "0.21.4"), ("compression", "1.3.1")],
    risk: "Dashboards show gaps. Nothing clinical reads this data.",
    security: "Write-only from the outside; no personal data.",
    backout: "Automatic: a segment that fails its checks goes back by itself.",
};

pub(super) const BILLING: Goods = Goods {
    slug: "billing-api",
    title: "Billing interface",
    path: &["integration", "staging", "production"],
    segments: &["canary", "everyone"],
    ticket: "BILL",
    artifact: ("billing-api-", ".tar"),
    manager: "sofia",
    tests: &["contract.xml"],
    cases: 204,
    areas: &["invoices", "insurers", "refunds", "rounding", "exports", "webhooks"],
    subjects: &[
        "send refunds with the reference of the first payment",
        "round per line, as the insurers do",
        "accept the new message version of two insurers",
        "repeat a webhook until it is acknowledged",
        "lock an invoice while it is corrected",
        "number credit notes in a series of their own",
        "tell a partial payment from a late one",
        "export the journal in UTC",
        "reject an unknown tariff instead of guessing",
        "keep the signed original of every invoice",
        "close connections idle for five minutes",
    ],
    findings: &[
        Finding {
            rule: "sql-concatenation",
            level: "warning",
            file: "billing/export/journal.kt",
            line: 118,
            text: "A query is put together from parts; both come from a fixed list.",
            accepted: Some("the column names come from an enumeration; no input of a user reaches it"),
        },
        Finding {
            rule: "todo-left",
            level: "note",
            file: "billing/tariff/lookup.kt",
            line: 22,
            text: "A remark says that this table is to be generated.",
            accepted: None,
        },
    ],
    components: &[
        ("http-server", "3.2.0"),
        ("database-driver", "42.7.8"),
        ("message-signing", "2.1.0"),
        ("decimal-arithmetic", "1.37.0"),
    ],
    risk: "Invoices with wrong amounts. Daily reconciliation finds a difference within a day.",
    security: "Webhooks carry a new signature; the old one is accepted for another month.",
    backout: "Blue and green; the database change of this release is additive.",
};

pub(super) const ALL: [&Goods; 6] = [&PUMP, &PORTAL, &LAB, &DOSE, &TELEMETRY, &BILLING];

/// Returns the policies of a product, the first one first.
pub(super) fn policies(slug: &str) -> &'static [&'static str] {
    match slug {
        "infusion-pump-fw" => &[
            include_str!("policies/infusion-pump-fw.1.toml"),
            include_str!("policies/infusion-pump-fw.2.toml"),
            include_str!("policies/infusion-pump-fw.3.toml"),
        ],
        "patient-portal" => &[include_str!("policies/patient-portal.1.toml")],
        "lab-gateway" => &[include_str!("policies/lab-gateway.1.toml")],
        "dosing-service" => {
            &[include_str!("policies/dosing-service.1.toml"), include_str!("policies/dosing-service.2.toml")]
        }
        "telemetry-collector" => {
            &[include_str!("policies/telemetry-collector.1.toml"), include_str!("policies/telemetry-collector.2.toml")]
        }
        _ => &[include_str!("policies/billing-api.1.toml")],
    }
}
