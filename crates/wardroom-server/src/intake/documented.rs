//! The examples of `docs/change-events.md`: what people copy has to work.

use super::cloudevents::{self, Posted};
use super::github::{self, Delivery};
use super::{Heard, Stage, Told};

const PAGE: &str = include_str!("../../../../docs/change-events.md");

/// The commands of the page, with line breaks within them.
fn commands() -> impl Iterator<Item = &'static str> {
    PAGE.split("```sh\n").skip(1).map(|block| block.split("```").next().expect("a part"))
}

/// What stands in single quotes behind a flag, each time.
fn quoted<'a>(command: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    command.split(before).skip(1).map(|rest| rest.split('\'').next().expect("a part"))
}

fn headers(command: &str) -> Vec<(&str, &str)> {
    quoted(command, "-H '").map(|header| header.split_once(": ").expect("a header has a name")).collect()
}

fn posted(command: &str) -> Vec<Told> {
    let headers = headers(command);
    let content_type = headers.iter().find(|(name, _)| *name == "Content-Type").map(|(_, value)| *value);
    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let body = quoted(command, "-d '").next().expect("something is sent");
    let heard = cloudevents::heard(&Posted { content_type, headers: &headers, body: body.as_bytes() });
    let heard = heard.unwrap_or_else(|why| panic!("{why}\n{command}"));
    heard.into_iter().map(change).collect()
}

fn change(heard: Heard) -> Told {
    match heard {
        Heard::Change(told) => *told,
        other => panic!("{other:?} is not a change"),
    }
}

#[test]
fn every_example_is_heard_as_the_page_says() {
    let (events, webhooks): (Vec<_>, Vec<_>) = commands().partition(|command| command.contains("-d '"));
    let told: Vec<Vec<Told>> = events.into_iter().map(posted).collect();
    assert_eq!(told.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 2, 1]);
    let [whole, in_headers, _, upgraded] = &told[..] else { panic!("there are four sorts") };
    assert!(
        whole[0].who.is_some() && whole[0].link.is_some() && whole[0].environment.is_some() && whole[0].at.is_some()
    );
    assert_eq!(in_headers[0].services.len(), 2);
    assert_eq!(
        upgraded[0].what.as_str(),
        "deployment/search upgraded in production: pkg:oci/search@sha256:0b31b1c02ff4"
    );

    let [webhook] = webhooks[..] else { panic!("there is one webhook") };
    let body = quoted(webhook, "BODY='").next().expect("it has a body");
    let secret = quoted(webhook, "SECRET='").next().expect("it has a secret").as_bytes();
    let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret), body.as_bytes());
    let signature = tag.as_ref().iter().fold("sha256=".to_owned(), |digits, byte| format!("{digits}{byte:02x}"));
    let header = |name: &str| headers(webhook).into_iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    let delivery =
        Delivery { content_type: header("Content-Type"), event: header("X-GitHub-Event"), signature: Some(&signature) };
    let told = change(github::heard(&[secret], &delivery, body.as_bytes()).expect("it is signed"));
    assert_eq!((told.what.as_str(), told.stage), ("deploy main (f95f852) to production", Stage::Done));
    assert_eq!(told.services, ["search".parse().expect("a name")]);
}
