//! The sheet: what people wrote and what the log knows, to be mailed, pasted or put on a wall.

use serde_json::{Value, json};
use wardroom_core::document::Part;

use crate::browser::Browser;
use crate::house::{House, Server, agent};
use crate::on_both;
use crate::peer::Peer;

on_both!(
    what_three_wrote_is_on_the_sheet_once_it_was_acknowledged,
    a_closed_incident_has_its_sheet,
    a_sheet_is_for_those_who_may_see_the_incident,
    of_a_long_timeline_the_newest_is_shown_and_the_rest_can_be_asked_for,
    a_damaged_document_is_said_to_be_so_and_the_log_is_shown,
    one_that_breaks_off_is_not_taken_for_the_whole,
);

/// The sheet in a form, and what its header says.
fn sheet(server: &Server, token: &str, address: &str) -> (ureq::http::HeaderMap, String) {
    let mut answer = agent()
        .get(format!("{}/api/v1/incidents/{address}", server.url))
        .header("authorization", format!("Bearer {token}"))
        .call()
        .unwrap();
    let text = answer.body_mut().with_config().limit(64 << 20).read_to_string().unwrap();
    assert_eq!(answer.status().as_u16(), 200, "{text}");
    (answer.headers().clone(), text)
}

/// That these stand in a text, one after the other.
fn in_order(text: &str, words: &[&str]) {
    let mut rest = text;
    for word in words {
        rest = rest.split_once(word).unwrap_or_else(|| panic!("“{word}” is missing, or out of order, in\n{text}")).1;
    }
}

fn write(server: &Server, token: &str, n: u64, part: Part, words: &str) {
    let mut peer = Peer::join(server, token, n);
    peer.until("it has the text", Peer::is_in_step);
    peer.write_in(part, words);
    peer.until("it is saved", Peer::is_saved);
}

fn what_three_wrote_is_on_the_sheet_once_it_was_acknowledged(house: House) {
    let [mary, robin, sabrina] = ["mary", "robin", "sabrina"].map(|handle| house.person(handle));
    let server = house.serve_in(&[("WARDROOM_PUBLIC_URL", "https://wardroom.example.org")]);
    let n = server.declare(&mary, "Search | is <b>failing</b>");
    server.done(&robin, n, json!({ "command": "join" }));
    server.done(&sabrina, n, json!({ "command": "join" }));
    for command in [
        json!({ "command": "add_post", "label": "the room", "link": "https://chat.example.org/room" }),
        json!({ "command": "add_criterion", "text": "Errors are gone" }),
        json!({ "command": "add_criterion", "text": "Both regions answer" }),
        json!({ "command": "waive_criterion", "criterion": 2, "reason": "eu is drained" }),
        json!({ "command": "add_todo", "text": "Warm both caches" }),
        json!({ "command": "assign_todo", "todo": 1, "person": "robin" }),
        json!({ "command": "link_todo", "todo": 1, "bug": "https://bugs.example.org/7" }),
        json!({ "command": "still_true", "parts": ["status"], "version": 0 }),
        json!({ "command": "offer_role", "role": "command", "to": { "person": "sabrina" } }),
    ] {
        server.done(&mary, n, command);
    }
    write(&server, &mary, n, Part::Summary, "Search fails for *half* of all.\n");
    write(&server, &robin, n, Part::Status, "# Now\n\n- [x] db3 is out\n\n```\nnever closed");
    write(&server, &sabrina, n, Part::Notes, "<script>alert(1)</script>\n\n![x](https://tracker.example.org/x.png)\n");
    let text = in_markdown(&server, &mary, n);
    in_html(&server, &mary, n);
    in_the_terminal(&house, &server, &mary, n, &text);
}

fn in_markdown(server: &Server, mary: &str, n: u64) -> String {
    let (says, text) = sheet(server, mary, &format!("{n}/document.md"));
    assert_eq!(says["content-type"], "text/markdown; charset=utf-8");
    assert_eq!(says["content-disposition"], format!("inline; filename=\"incident-{n}.md\""));
    assert_eq!(
        (&says["cache-control"], &says["x-content-type-options"]),
        (&"no-store".parse().unwrap(), &"nosniff".parse().unwrap())
    );
    in_order(
        &text,
        &[
            &format!("# \\#{n} Search \\| is \\<b\\>failing\\</b\\>\n"),
            "**Active**, sev2, incident",
            "Incident commander: **Mary**",
            "As of ",
            " of its log (position ",
            "\n## Summary\n\n*Last updated at ",
            " by Mary, less than a minute before this sheet*",
            "Search fails for *half* of all.",
            "\n## Command posts\n\n- [the room](<https://chat.example.org/room>)",
            "\n## Command hierarchy\n\n- Incident command: **Mary**",
            "\n  - Operations: with Mary",
            "Also here: ",
            "\n## Next incident commander\n\n**Sabrina**, once they take it.",
            "\n## Detailed status\n",
            "by Robin",
            "till true as of ",
            "says Mary",
            "\n### Now\n\n- [x] db3 is out\n\n```\nnever closed\n```\n",
            "\n## Exit criteria\n\n- [ ] Errors are gone — open\n- Both regions answer — waived by Mary, ",
            ": eu is drained",
            "\n## To-do list and bugs filed\n\n- [ ] Warm both caches (Robin) <https://bugs.example.org/7>",
            "\n## Working notes\n",
            "\\<script>alert(1)\\</script>\n\n[x](https://tracker.example.org/x.png)\n",
            "\n## Timeline\n\nAll ",
            "\n### 20",
            "\n- ",
            "Mary offers",
        ],
    );
    text
}

fn in_html(server: &Server, mary: &str, n: u64) {
    let (says, page) = sheet(server, mary, &format!("{n}/document.html"));
    assert_eq!(says["content-type"], "text/html; charset=utf-8");
    assert_eq!(says["content-disposition"], format!("inline; filename=\"incident-{n}.html\""));
    let policy = says["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("script"), "{policy}");
    in_order(
        &page,
        &[
            "<h1>#",
            "Search | is &lt;b&gt;failing&lt;/b&gt;</h1>",
            "<h2>Summary</h2>",
            "<em>half</em>",
            "<h2>Command hierarchy</h2>\n<ul>\n<li>Incident command: <strong>Mary</strong>\n<ul>\n<li>",
            "</li>\n</ul>\n</li>\n",
            "<h2>Detailed status</h2>",
            "<h3>Now</h3>",
            "☑ db3 is out",
            "<h2>Exit criteria</h2>",
            "<h2>To-do list and bugs filed</h2>",
            "<h2>Working notes</h2>",
            "&lt;script&gt;alert(1)",
            "<a href=\"https://tracker.example.org/x.png\"",
            "<h2>Timeline</h2>",
            "</html>",
        ],
    );
    assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
}

/// `show` has the same in the same order, and `document` is the sheet.
fn in_the_terminal(house: &House, server: &Server, mary: &str, n: u64, text: &str) {
    let number = n.to_string();
    let shown = server.say(mary, &["show", &number]);
    in_order(
        &shown,
        &[
            "Search | is <b>failing</b>",
            "SUMMARY, last updated ",
            "by Mary\n  Search fails for *half* of all.",
            "COMMAND",
            "NEXT COMMANDER\n  Sabrina, once they take it",
            "DETAILED STATUS, last updated",
            "by Robin; still true ",
            "  # Now",
            "EXIT CRITERIA",
            "waived: eu is drained",
            "TO-DO LIST AND BUGS FILED",
            "WORKING NOTES",
            "  <script>alert(1)</script>",
            "TIMELINE, newest first",
            "opened",
        ],
    );
    let part = |text: &str| text.split_once("## Command posts").unwrap().1.to_owned();
    let printed = server.say(mary, &["document", &number]);
    assert_eq!(part(&printed).lines().count(), part(text).lines().count(), "{printed}");
    let file = house.folder().join("sheet.html");
    let told = server.say(mary, &["document", &number, "--html", "--timeline", "1", "-o", file.to_str().unwrap()]);
    assert!(told.contains("is in"), "{told}");
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept.starts_with("<!doctype html>") && kept.contains("The newest 1 of "), "{kept}");
    let missing = server.verb(mary, &["document", "99", "-o", house.folder().join("none").to_str().unwrap()]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(!house.folder().join("none").exists());
}

fn a_closed_incident_has_its_sheet(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let empty = ["SUMMARY", "  Nothing is written here.", "NEXT COMMANDER", "  to be determined", "EXIT CRITERIA"];
    in_order(&server.say(&mary, &["show", &n.to_string()]), &empty);
    write(&server, &mary, n, Part::Summary, "It was the cache.");
    for phase in ["mitigated", "resolved", "closed"] {
        server.done(&mary, n, json!({ "command": "set_phase", "phase": phase }));
    }
    let (_, text) = sheet(&server, &mary, &format!("{n}/document.md"));
    in_order(
        &text,
        &["**Closed**, ", "Last incident commander: **Mary**", "It was the cache.", "nobody any more; Mary was last"],
    );
    assert!(!text.contains("https://"), "nobody said where this server is");
    assert!(server.say(&mary, &["show", &n.to_string()]).contains("It was the cache."));
}

fn a_sheet_is_for_those_who_may_see_the_incident(house: House) {
    let [mary, sabrina] = ["mary", "sabrina"].map(|handle| house.person(handle));
    let reads = house.token("mary", "read");
    let server = house.serve();
    let (_, opened) = server.post(&mary, "/api/v1/incidents", json!({ "title": "A leaked key", "restricted": true }));
    let (secret, open) = (opened["incident"].as_u64().unwrap(), server.declare(&mary, "Search is failing"));
    let body = json!({ "request_id": uuid::Uuid::now_v7(), "hours": 1 });
    let (_, made) = server.post(&mary, &format!("/api/v1/incidents/{open}/invites"), body);
    let mut guest = Browser::new(&server);
    guest.post("/api/v1/guest", json!({ "secret": made["secret"], "name": "Gus" }));
    for kind in ["document.md", "document.html", "written"] {
        let at = |n: u64| format!("/api/v1/incidents/{n}/{kind}");
        let problem = |answer: (u16, Value)| (answer.0, answer.1["code"].as_str().unwrap_or_default().to_owned());
        assert_eq!(problem(server.get(&sabrina, &at(secret))), (404, "no_such_incident".to_owned()));
        assert_eq!(server.get(&reads, &at(secret)).0, 200);
        assert_eq!(problem(server.get("", &at(open))), (401, "not_signed_in".to_owned()));
        assert_eq!((guest.get(&at(open)).status, guest.get(&at(secret)).status), (200, 404));
    }
    assert!(sheet(&server, &reads, &format!("{secret}/document.md")).1.contains("**Restricted: only the invited"));
    server.done(&mary, secret, json!({ "command": "invite", "person": "sabrina" }));
    assert!(sheet(&server, &sabrina, &format!("{secret}/document.html")).1.contains("A leaked key"));
}

fn of_a_long_timeline_the_newest_is_shown_and_the_rest_can_be_asked_for(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    for note in 0..230 {
        server.done(&mary, n, json!({ "command": "note", "text": format!("note {note}.\nand more") }));
    }
    let all = server.get(&mary, &format!("/api/v1/incidents/{n}")).1["last_entry"].as_u64().unwrap();
    let entries = |wanted: &str| {
        let (_, text) = sheet(&server, &mary, &format!("{n}/document.md{wanted}"));
        let timeline = text.split_once("## Timeline").unwrap().1.to_owned();
        let told = timeline.lines().filter(|line| line.starts_with("- ")).count() as u64;
        (told, timeline)
    };
    let (told, text) = entries("");
    assert_eq!(told, 200);
    in_order(
        &text,
        &[&format!("The newest 200 of {all} entries"), "?timeline=all", "note 229.\\\n  and more", "note 228."],
    );
    let (told, text) = entries("?timeline=all");
    assert_eq!(told, all, "each once");
    in_order(&text, &[&format!("All {all} entries"), "note 229.", "note 100.", "note 0."]);
    assert_eq!(entries("?timeline=60").0, 60);
    assert_eq!(entries("?timeline=0").0, 0);
    for bad in ["-1", "some", "", "1.5", "99999999999"] {
        assert_eq!(server.get(&mary, &format!("/api/v1/incidents/{n}/document.md?timeline={bad}")).0, 400, "{bad}");
    }
    let shown = server.say(&mary, &["show", &n.to_string()]);
    in_order(&shown, &[&format!("TIMELINE, the newest 20 of {all}"), "wardroom timeline", "note 229.", "note 228."]);
}

fn a_damaged_document_is_said_to_be_so_and_the_log_is_shown(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    write(&server, &mary, n, Part::Summary, "Words that cannot be read any more.");
    drop(server); // When everybody has left, what was written is put together.
    let broken = if house.is_postgres() { "'\\x07'::bytea" } else { "x'07'" };
    for table in ["document_updates", "document_snapshots"] {
        house.tamper(&format!("UPDATE {table} SET body = {broken}"));
    }
    let server = house.serve();
    let (_, text) = sheet(&server, &mary, &format!("{n}/document.md"));
    in_order(
        &text,
        &["## Summary\n\n**This part cannot be read: its record on the server is damaged.", "## Timeline", "Mary"],
    );
    assert!(sheet(&server, &mary, &format!("{n}/document.html")).1.contains("its record on the server is damaged"));
    assert_eq!(server.get(&mary, &format!("/api/v1/incidents/{n}/written")).1["damaged"], true);
    assert!(server.say(&mary, &["show", &n.to_string()]).contains("It cannot be read: its record is damaged."));
}

fn one_that_breaks_off_is_not_taken_for_the_whole(house: House) {
    let mary = house.person("mary");
    let server = house.serve();
    let n = server.declare(&mary, "Search is failing");
    let file = house.folder().join("sheet.md");
    let (number, path) = (n.to_string(), file.display().to_string());
    let asks = || server.verb(&mary, &["document", number.as_str(), "-o", path.as_str()]);
    assert!(asks().status.success());
    let whole = std::fs::read_to_string(&file).unwrap();
    assert!(whole.contains("Search is failing"), "{whole}");
    // What the log knows is at hand, and the timeline is not.
    house.tamper("ALTER TABLE texts RENAME TO elsewhere");
    let broken = asks();
    assert!(!broken.status.success(), "{}", String::from_utf8_lossy(&broken.stdout));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), whole, "what was there is there");
}
