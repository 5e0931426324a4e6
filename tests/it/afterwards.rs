//! What is put on record afterwards, and calendars in and out, through the real program.

use std::fs;

use serde_json::json;

use crate::carried::{OLGA, RITA, signed, waiting, words};

#[test]
fn a_file_that_must_not_stay_goes_once_two_people_have_signed_that() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, _, fingerprint) = waiting(dir.path());
    fs::write(dir.path().join("notes.txt"), "the token is 1234\n").unwrap();
    let attached =
        desk.signs(RITA, &["evidence", "attach", "shop-1.0.0", "--file", "notes.txt", "--conclusion", "pass"]);
    let entry = attached["entry"]["index"].to_string();
    let digest = countersign_core::hash::Digest::of(b"the token is 1234\n").to_string();
    let place = dir.path().join("ledger/blobs/sha256").join(&digest[..2]).join(&digest);
    let blob = || place.exists();
    assert!(blob(), "the file is kept");
    let verify = ["verify", "--ledger", "ledger", "--fingerprint", &fingerprint];
    assert_eq!(desk.yes(&verify)["verdict"], "valid");

    let strange = "0".repeat(64);
    let remove = |digest: &str| signed(OLGA, &["record", "remove", &entry, "--sha256", digest]);
    desk.no(1, "not_found", &words(&remove(&strange)));
    let asked = desk.yes(&words(&remove(&digest)));
    let request = asked["entry"]["index"].to_string();
    desk.no(1, "segregation_failed", &words(&signed(OLGA, &["record", "confirm-removal", &request])));
    assert!(blob(), "one person removes nothing");
    assert_eq!(desk.yes(&verify)["verdict"], "valid");
    desk.signs(RITA, &["record", "confirm-removal", &request]);
    assert!(!blob(), "its bytes are gone");
    let (exit, _) = desk.program(&verify);
    assert_eq!(exit, 1, "a ledger that lacks a file is incomplete");
    let said = desk.verdict(&verify);
    assert_eq!((&said["verdict"], &said["findings"][0]["code"]), (&json!("incomplete"), &json!("blob_removed")));

    // A copy of that release alone says the same: who signed it away is in it.
    desk.program(&["export", "--ledger", "ledger", "--release", "shop-1.0.0", "--out", "one.zip"]);
    let said = desk.verdict(&["verify", "one.zip", "--fingerprint", &fingerprint]);
    let codes: Vec<_> = said["findings"].as_array().unwrap().iter().map(|finding| &finding["code"]).collect();
    assert!(codes.contains(&&json!("blob_removed")) && !codes.contains(&&json!("blob_missing")), "{said}");
    assert_eq!(said["verdict"], "incomplete");
}

#[test]
fn freezes_leave_and_come_in_as_a_calendar() {
    let dir = tempfile::tempdir().unwrap();
    let (desk, ..) = waiting(dir.path());
    // The next Friday but one, in the evening in Paris, until Monday.
    let friday = chrono::Utc::now().date_naive().week(chrono::Weekday::Fri).first_day() + chrono::Days::new(14);
    let begins = friday.and_hms_opt(18, 0, 0).unwrap().and_local_timezone(chrono_tz::Europe::Paris).unwrap().to_utc();
    let ends = begins + chrono::TimeDelta::hours(60) - chrono::TimeDelta::seconds(1);
    let moment = |time: chrono::DateTime<chrono::Utc>| time.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let span = format!("{}/{}", moment(begins), moment(ends));
    let declare = ["freeze", "declare", "--product", "shop", "--span", &span];
    let again = ["--rule", "FREQ=WEEKLY;BYDAY=FR", "--zone", "Europe/Paris"];
    desk.signs(RITA, &[&declare[..], &again[..]].concat());
    desk.yes(&["freeze", "list", "--ics", "out.ics", "--ledger", "ledger"]);
    let text = fs::read_to_string(dir.path().join("out.ics")).unwrap();
    let begins = format!("DTSTART;TZID=Europe/Paris:{}T180000", friday.format("%Y%m%d"));
    for line in [begins.as_str(), "RRULE:FREQ=WEEKLY;BYDAY=FR", "SUMMARY:shop-1.0.0 may go out"] {
        assert!(text.contains(line), "{text}");
    }
    let event: String = text.split_inclusive("END:VEVENT\r\n").next().unwrap().to_owned() + "END:VCALENDAR\r\n";
    fs::write(dir.path().join("in.ics"), event).unwrap();
    desk.signs(RITA, &["freeze", "declare", "--product", "shop", "--ics", "in.ics"]);
    let rows = desk.yes(&["freeze", "list", "--ledger", "ledger"]);
    assert_eq!(rows[0]["span"], rows[1]["span"]);
    assert_eq!(rows[0]["recurs"], rows[1]["recurs"]);
    fs::write(dir.path().join("bad.ics"), "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n").unwrap();
    desk.no(2, "usage", &words(&signed(RITA, &["freeze", "declare", "--ics", "bad.ics"])));
    desk.no(1, "field", &words(&signed(RITA, &[&declare[..], &["--rule", "FREQ=HOURLY", "--zone", "UTC"]].concat())));
}
