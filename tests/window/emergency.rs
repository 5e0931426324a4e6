//! A policy replaced under the quorum it replaces, and under the new one an emergency change from its proposal to the review
//! of it afterwards: what the whole job does once more, with less asked and more looked back at.

use crate::hands::{answer, fill, follow, go, heading, open_release, press, says, sign, sit_down, tab};
use crate::harness::{Buildbot, SampleRelease};
use crate::keyboard::ENTER;
use crate::shop::{Built, Desk};
use crate::whole_job::{OLGA, QUINN, RITA, SAM, answer_dialog, deployed, request, started, two_sign};
use crate::window::Window;

/// What is asked of an emergency change: no scan and no staging, and still two people.
const EMERGENCY: &str = r#"
[emergency]
gates = ["fields", "unit tests"]

[[emergency.quorum]]
role = "qa"

[[emergency.quorum]]
role = "security"
"#;

/// The process owner writes it; those whom the policy in force asks decide, and until the last of them has it is the old one.
pub(crate) fn replace_policy(window: &Window, desk: &Desk) {
    let page = &window.session;
    sit_down(page, OLGA);
    go(page, "Products");
    page.click(&page.element("[data-key=shop] [role=gridcell]"));
    page.wait("the product", || heading(page).contains("Shop").then_some(()));
    tab(page, "Policy");
    follow(page, "Edit the policy");
    let text = page.element("#policy-text");
    let before = page.property(&text, "value").to_string();
    assert!(
        before.contains("[[quorum]]") && !before.contains("[emergency]"),
        "it begins from the one in force: {before}"
    );
    page.type_into(&text, &EMERGENCY.replace('\n', ENTER));
    page.wait("what it would ask", || {
        says(page, "main").contains("An emergency change is signed by 1 × QA and 1 × Security").then_some(())
    });
    page.until_it_says("A lawful policy");
    page.until_it_says("Who must sign it");
    window.keep_picture("policy-written");
    press(page, "Sign it");
    fill(page, "Reason", "an outage cannot wait for the soak");
    press(page, "Review and sign");
    let said = sign(page, OLGA, "Sign");
    assert!(said.contains("Recorded as entry"), "{said}");

    let asked = || desk.yes("policy show shop")["toml"].as_str().unwrap().contains("[emergency]");
    for (who, reason) in [(QUINN, "the tests are still asked"), (SAM, "two people still sign")] {
        assert!(!asked(), "it is not in force before the last of the old quorum has signed");
        sit_down(page, who);
        go(page, "Inbox");
        page.until_it_says("Compare and answer");
        follow(page, "Compare and answer");
        page.until_it_says("the people of the policy it replaces decide");
        window.keep_picture(&format!("policy-answer-{}", who.name.to_lowercase().replace(' ', "-")));
        press(page, "Answer it");
        answer(page, who, "GO", reason);
    }
    assert!(asked(), "both have signed");
    page.until_it_says("In force");
}

/// Proposes it by the form, with the incident that cannot wait.
fn propose(window: &Window, desk: &Desk, buildbot: &Buildbot, release: &SampleRelease, built: &Built) {
    let (page, version) = (&window.session, &release.version);
    sit_down(page, RITA);
    go(page, "Releases");
    follow(page, "Propose");
    page.wait("the drafts", || heading(page).starts_with("Propose").then_some(()));
    press(page, "New proposal");
    page.click(&page.element("button[aria-haspopup=listbox]"));
    page.click(&page.control("Shop"));
    fill(page, "Version", version);
    press(page, "Add an artifact");
    let artifact = desk.root.join("shop.json");
    std::fs::copy(buildbot.service.store.join(&built.artifact), &artifact).unwrap();
    answer_dialog(window, &artifact);
    press(page, "Choose a file");
    page.wait("the artifact", || says(page, ".artifact").contains("shop.json").then_some(()));
    answer_dialog(window, &buildbot.repository.bare);
    press(page, "Choose the repository");
    page.wait("the repository", || says(page, ".pick").contains(".git").then_some(()));
    fill(page, "Commit", version);
    page.click(&page.control("Emergency"));
    fill(page, "Incident", "INC-2071");
    fill(page, "Risk", "one service without stored data");
    fill(page, "Security impact", "no new input is read");
    fill(page, "Rollout plan", "one instance first");
    fill(page, "Back-out plan", "deploy what was live before");
    fill(page, "Why", "customers cannot pay");
    press(page, "Check it");
    page.until_it_says("It can be signed.");
    window.keep_picture("emergency-proposal");
    press(page, "Review and sign");
    let said = sign(page, RITA, "Sign");
    assert!(said.contains("Recorded as entry"), "{said}");
    page.wait("the release it became", || heading(page).starts_with(version.as_str()).then_some(()));
    let id = format!("shop-{version}");
    desk.yes(&format!("evidence attach {id} --connector buildbot --run {} --step test --log junit", built.run));
}

/// From the proposal to the review; nobody who had a part in it looks back at it.
pub(crate) fn emergency(window: &Window, desk: &Desk, buildbot: &Buildbot, release: &SampleRelease, built: &Built) {
    let (page, id, version) = (&window.session, format!("shop-{}", release.version), &release.version);
    propose(window, desk, buildbot, release, built);
    request(window, desk, release);
    two_sign(window, desk, release);
    sit_down(page, RITA);
    open_release(page, &id, version);
    press(page, "Start wave 1");
    started(window, RITA, "Start wave 1", "start wave 1", None);
    page.to_main();
    page.wait("the wave to pass", || says(page, "main").contains("Start wave 2").then_some(()));
    press(page, "Start wave 2");
    started(window, RITA, "Start wave 2", "start wave 2", Some("It has come to its end."));
    assert_eq!(deployed(buildbot, version), ["segment", "everyone", "everyone"], "each instance once");

    sit_down(page, OLGA);
    go(page, "Inbox");
    page.until_it_says("Somebody who had no part in it looks back at it.");
    window.keep_picture("emergency-to-review");
    follow(page, "Review it");
    press(page, "Record the review");
    fill(page, "What was found", "the leak was in the cache; a test for it is written");
    fill(page, "Reason", "the review of INC-2071");
    press(page, "Review and sign");
    let said = sign(page, OLGA, "Sign");
    assert!(said.contains("Recorded as entry"), "{said}");
    page.wait("the review", || says(page, "main").contains("Reviewed").then_some(()));
    window.keep_picture("emergency-reviewed");
}
