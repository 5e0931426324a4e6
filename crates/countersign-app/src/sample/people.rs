//! Everybody in the sample: made up, with passphrases everybody may know.

use countersign_core::words::{Principal, role};

use super::goods::{BILLING, PORTAL, PUMP, TELEMETRY};
use super::maker::word;

/// A made-up person of the sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SamplePerson {
    /// What the principal begins with.
    pub short: &'static str,
    /// The printed name.
    pub name: &'static str,
    /// The passphrase, shown on screen.
    pub passphrase: &'static str,
    /// The zone of their clock.
    pub zone: &'static str,
    /// The roles they begin with, each for one product or for all.
    pub roles: &'static [(&'static str, Option<&'static str>)],
}

/// Everybody; the first one owns the ledger.
pub const PEOPLE: [SamplePerson; 15] = [
    SamplePerson {
        short: "mathilde",
        name: "Mathilde Duval",
        passphrase: "mathilde owns the process",
        zone: "Europe/Zurich",
        roles: &[(role::PROCESS_OWNER, None)],
    },
    SamplePerson {
        short: "henrik",
        name: "Henrik Dahl",
        passphrase: "henrik asks why twice",
        zone: "Europe/Copenhagen",
        roles: &[(role::PROCESS_OWNER, None)],
    },
    SamplePerson {
        short: "jonas",
        name: "Jonas Weber",
        passphrase: "jonas keeps the calendar",
        zone: "Europe/Zurich",
        roles: &[(role::RELEASE_MANAGER, None)],
    },
    SamplePerson {
        short: "sofia",
        name: "Sofia Marques",
        passphrase: "sofia ships on tuesdays",
        zone: "Europe/Lisbon",
        roles: &[
            (role::RELEASE_MANAGER, Some(PORTAL.slug)),
            (role::RELEASE_MANAGER, Some(TELEMETRY.slug)),
            (role::RELEASE_MANAGER, Some(BILLING.slug)),
        ],
    },
    SamplePerson {
        short: "alice",
        name: "Alice Moreau",
        passphrase: "alice reads every report",
        zone: "Europe/Paris",
        roles: &[("qa", None)],
    },
    SamplePerson {
        short: "ravi",
        name: "Ravi Nair",
        passphrase: "ravi repeats it by hand",
        zone: "Asia/Kolkata",
        roles: &[("qa", None)],
    },
    SamplePerson {
        short: "leo",
        name: "Leo Brandt",
        passphrase: "leo has left the company",
        zone: "Europe/Zurich",
        roles: &[("qa", None)],
    },
    SamplePerson {
        short: "ben",
        name: "Ben Okafor",
        passphrase: "ben looks for the holes",
        zone: "Europe/London",
        roles: &[("security", None)],
    },
    SamplePerson {
        short: "ewa",
        name: "Dr. Ewa Lind",
        passphrase: "ewa thinks of the patient",
        zone: "Europe/Stockholm",
        roles: &[("safety", None)],
    },
    SamplePerson {
        short: "chiara",
        name: "Chiara Rossi",
        passphrase: "chiara knows the wards",
        zone: "Europe/Rome",
        roles: &[("product-owner", None)],
    },
    SamplePerson {
        short: "priya",
        name: "Priya Raman",
        passphrase: "priya stands in for chiara",
        zone: "Asia/Kolkata",
        roles: &[],
    },
    SamplePerson {
        short: "jo",
        name: "Jo Park",
        passphrase: "jo is on call tonight",
        zone: "Europe/Zurich",
        roles: &[("operations", None), (role::EMERGENCY_AUTHORITY, None)],
    },
    SamplePerson {
        short: "grace",
        name: "Grace Adeyemi",
        passphrase: "grace checks the checkers",
        zone: "Europe/London",
        roles: &[(role::AUDITOR, None)],
    },
    SamplePerson {
        short: "tomas",
        name: "Tomás Vega",
        passphrase: "tomas merges on green",
        zone: "Europe/Madrid",
        roles: &[(role::PRACTITIONER, None)],
    },
    SamplePerson {
        short: "dana",
        name: "Dana Lindqvist",
        passphrase: "dana writes the firmware",
        zone: "Europe/Stockholm",
        roles: &[(role::PRACTITIONER, Some(PUMP.slug)), (role::PRACTITIONER, Some("dosing-service"))],
    },
];

/// Returns the principal of somebody by the short name.
pub(super) fn who(short: &str) -> Principal {
    word(&format!("{short}@northbay.example"))
}
