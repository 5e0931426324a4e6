//! Who is in the sample, and what they make.

use countersign_core::words::role;

/// A made-up person whose passphrase stands on the screen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Persona {
    pub(super) principal: &'static str,
    pub(super) name: &'static str,
    pub(super) roles: &'static [&'static str],
    pub(super) passphrase: &'static str,
}

pub(super) const OWNER: &str = "mathilde@sample.example";
pub(super) const MANAGER: &str = "jonas@sample.example";
pub(super) const DEPUTY: &str = "rita@sample.example";
pub(super) const QA: &str = "alice@sample.example";
pub(super) const QA_TOO: &str = "ravi@sample.example";
pub(super) const SECURITY: &str = "ben@sample.example";
pub(super) const PRODUCT_OWNER: &str = "chiara@sample.example";
pub(super) const SAFETY: &str = "ewa@sample.example";
pub(super) const OPERATIONS: &str = "jo@sample.example";
pub(super) const PRACTITIONER: &str = "dana@sample.example";
pub(super) const AUDITOR: &str = "ada@sample.example";
pub(super) const NEWCOMER: &str = "noor@sample.example";

/// Everybody; the first one begins the ledger, the last one has not accepted yet.
pub(super) const CAST: [Persona; 12] = [
    Persona {
        principal: OWNER,
        name: "Mathilde Duval",
        roles: &[role::PROCESS_OWNER],
        passphrase: "mathilde owns the process",
    },
    Persona { principal: QA, name: "Alice Moreau", roles: &["qa"], passphrase: "alice reads every report" },
    Persona {
        principal: MANAGER,
        name: "Jonas Weber",
        roles: &[role::RELEASE_MANAGER],
        passphrase: "jonas runs the releases",
    },
    Persona {
        principal: DEPUTY,
        name: "Rita Holm",
        roles: &[role::RELEASE_MANAGER],
        passphrase: "rita stands in for jonas",
    },
    Persona { principal: QA_TOO, name: "Ravi Nair", roles: &["qa"], passphrase: "ravi tests the pumps" },
    Persona { principal: SECURITY, name: "Ben Okafor", roles: &["security"], passphrase: "ben looks for the holes" },
    Persona {
        principal: PRODUCT_OWNER,
        name: "Chiara Rossi",
        roles: &["product-owner"],
        passphrase: "chiara knows the wards",
    },
    Persona { principal: SAFETY, name: "Dr. Ewa Lind", roles: &["safety"], passphrase: "ewa certifies the batch" },
    Persona { principal: OPERATIONS, name: "Jo Park", roles: &["operations"], passphrase: "jo is on call tonight" },
    Persona {
        principal: PRACTITIONER,
        name: "Dana Lindqvist",
        roles: &[role::PRACTITIONER],
        passphrase: "dana puts it together",
    },
    Persona {
        principal: AUDITOR,
        name: "Ada Auditor",
        roles: &[role::AUDITOR],
        passphrase: "ada reads and never signs",
    },
    Persona { principal: NEWCOMER, name: "Noor Haddad", roles: &[], passphrase: "noor has just arrived" },
];

/// A product, and what its policy asks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Product {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) prefix: &'static str,
    pub(super) file: &'static str,
    pub(super) risk: &'static str,
    /// Whether it has moved to Continuous Deployment.
    pub(super) deployment: bool,
    pub(super) soak_seconds: i64,
    /// The seats of the poll, and who takes each.
    pub(super) seats: &'static [(&'static str, &'static str)],
    /// The waves: segment, instances, seconds it bakes.
    pub(super) waves: &'static [(&'static str, usize, i64)],
    pub(super) tests: usize,
    pub(super) parts: usize,
    /// The releases that are over, the oldest first: version, days ago, how it went.
    pub(super) past: &'static [(&'static str, i64, Past)],
}

/// How a release of the past went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    /// Live, and reviewed.
    Live,
    /// Live; nobody has said what came of it.
    Unreviewed,
    /// Signed by a standing authorization.
    Automatic,
    /// A wave failed and it was taken back.
    TakenBack,
    /// Somebody said NO-GO; given up.
    NoGo,
    /// Given up before anybody was asked.
    Withdrawn,
    /// A test was red; the next one took its place.
    Red,
}

const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

pub(super) const PRODUCTS: [Product; 6] = [
    Product {
        name: "infusion-pump-fw",
        title: "Infusion pump firmware",
        prefix: "PUMP",
        file: "pump-fw-{}.bin",
        risk: "The pump could stop or run at another rate; alarms are tested on the bench",
        deployment: false,
        soak_seconds: DAY,
        seats: &[
            ("security", SECURITY),
            ("product-owner", PRODUCT_OWNER),
            ("safety", SAFETY),
            ("qa", QA),
            ("operations", OPERATIONS),
        ],
        waves: &[
            ("pilot-clinics", 2, 2 * HOUR),
            ("region-north", 6, DAY),
            ("region-south", 14, DAY),
            ("everyone", 18, 0),
        ],
        tests: 2418,
        parts: 61,
        past: &[
            ("4.0.0", 168, Past::Live),
            ("4.0.1", 155, Past::Live),
            ("4.0.2", 146, Past::NoGo),
            ("4.0.3", 139, Past::Live),
            ("4.1.0", 124, Past::Live),
            ("4.1.1", 114, Past::TakenBack),
            ("4.1.2", 105, Past::Live),
            ("4.1.3", 93, Past::Live),
            ("4.1.4", 82, Past::Red),
            ("4.1.5", 78, Past::Live),
            ("4.1.6", 62, Past::Withdrawn),
            ("4.1.7", 46, Past::Live),
        ],
    },
    Product {
        name: "patient-portal",
        title: "Patient portal",
        prefix: "PORTAL",
        file: "patient-portal-{}.tar.gz",
        risk: "Patients may not reach their results for minutes; nothing is written that cannot be read back",
        deployment: true,
        soak_seconds: 4 * HOUR,
        seats: &[("qa", QA), ("security", SECURITY)],
        waves: &[("five-percent", 1, HOUR), ("half", 4, HOUR), ("everyone", 5, 0)],
        tests: 1204,
        parts: 212,
        past: &[
            ("8.9.0", 120, Past::Live),
            ("8.9.1", 101, Past::Live),
            ("9.0.0", 88, Past::Live),
            ("9.0.1-rc2", 60, Past::Red),
            ("9.0.1", 55, Past::Automatic),
            ("9.0.2", 31, Past::Automatic),
            ("9.0.3-rc1", 18, Past::Withdrawn),
            ("9.0.3", 5, Past::Automatic),
        ],
    },
    Product {
        name: "payments-api",
        title: "Payments API",
        prefix: "PAY",
        file: "payments-api-{}.oci",
        risk: "A charge could be refused or be late; none can be made twice",
        deployment: false,
        soak_seconds: 6 * HOUR,
        seats: &[("qa", QA), ("security", SECURITY), ("product-owner", PRODUCT_OWNER)],
        waves: &[("canary", 1, HOUR), ("everyone", 7, HOUR)],
        tests: 863,
        parts: 97,
        past: &[
            ("2.29.0", 130, Past::Live),
            ("2.29.1", 110, Past::TakenBack),
            ("2.29.2", 104, Past::Live),
            ("2.30.0", 86, Past::Live),
            ("2.30.1", 70, Past::NoGo),
            ("2.30.2", 64, Past::Live),
            ("2.30.7", 38, Past::Red),
            ("2.30.8", 30, Past::Withdrawn),
            ("2.30.9", 13, Past::Live),
        ],
    },
    Product {
        name: "lab-gateway",
        title: "Laboratory gateway",
        prefix: "LAB",
        file: "lab-gateway-{}.deb",
        risk: "Results could be late by the length of the queue; none is lost",
        deployment: false,
        soak_seconds: 12 * HOUR,
        seats: &[("qa", QA_TOO), ("operations", OPERATIONS)],
        waves: &[("site-a", 2, 2 * HOUR), ("all-sites", 9, 2 * HOUR)],
        tests: 540,
        parts: 48,
        past: &[
            ("1.12.0", 126, Past::Live),
            ("1.12.1", 109, Past::Live),
            ("1.13.0", 91, Past::Live),
            ("1.13.1", 79, Past::TakenBack),
            ("1.13.2", 72, Past::Live),
            ("1.13.4", 50, Past::NoGo),
            ("1.13.5", 33, Past::Live),
            ("1.13.6", 11, Past::Unreviewed),
        ],
    },
    Product {
        name: "notify",
        title: "Notification service",
        prefix: "NOTE",
        file: "notify-{}.tar.gz",
        risk: "A message could come late; those that matter are sent twice by design",
        deployment: true,
        soak_seconds: HOUR,
        seats: &[("qa", QA_TOO), ("security", SECURITY)],
        waves: &[("ten-percent", 1, 600), ("everyone", 5, 600)],
        tests: 311,
        parts: 73,
        past: &[
            ("3.6.0", 128, Past::Live),
            ("3.6.1", 102, Past::Live),
            ("3.7.0", 84, Past::Live),
            ("3.7.6", 58, Past::Automatic),
            ("3.7.8", 40, Past::Automatic),
            ("3.7.9", 27, Past::Red),
            ("3.7.10", 25, Past::Automatic),
            ("3.7.11", 9, Past::Automatic),
        ],
    },
    Product {
        name: "billing-export",
        title: "Billing export",
        prefix: "BILL",
        file: "billing-export-{}.jar",
        risk: "A night's export could have to be run again; amounts are reconciled before they leave",
        deployment: false,
        soak_seconds: 2 * HOUR,
        seats: &[("qa", QA), ("product-owner", PRODUCT_OWNER)],
        waves: &[("one-hospital", 1, HOUR), ("everyone", 3, 2 * HOUR)],
        tests: 422,
        parts: 38,
        past: &[
            ("5.0.0", 122, Past::Live),
            ("5.1.0", 97, Past::Live),
            ("5.1.1", 90, Past::Red),
            ("5.1.2", 85, Past::Live),
            ("5.2.0", 56, Past::Live),
            ("5.2.1", 44, Past::TakenBack),
            ("5.2.2", 36, Past::Live),
            ("5.2.3", 15, Past::Unreviewed),
        ],
    },
];
