//! Personal tokens: issued at the edge, revoked by their owner or an admin, dead with their person.

use serde_json::json;
use uuid::Uuid;
use wardroom_core::directory::{DirectoryCommand, DirectoryEvent, DirectoryRecorded};
use wardroom_core::id::{Actor, Entry, PersonId, Time, TokenId};
use wardroom_core::refusal::Code;
use wardroom_core::token::{DAYS_MAX, Digest, Scope, end_after};

use crate::cast::{ADA, MARY, at, start};
use crate::directory::{Book, ada_and_mary, change};
use crate::words::text;

const PHONE: TokenId = TokenId(Uuid::from_u128(50));
const LAPTOP: TokenId = TokenId(Uuid::from_u128(51));

fn digest(token: TokenId) -> Digest {
    Digest::new([u8::try_from(token.0.as_u128()).expect("a small one"); 32])
}

fn issue(token: TokenId, person: PersonId, expires_at: Option<Time>) -> DirectoryCommand {
    let label = "phone".parse().expect("a line");
    DirectoryCommand::IssueToken {
        token,
        person: person.into(),
        scope: Scope::Respond,
        label,
        expires_at,
        digest: digest(token),
    }
}

fn issued(token: TokenId, person: PersonId, expires_at: Option<Time>) -> DirectoryEvent {
    let label = text("phone");
    DirectoryEvent::TokenIssued { token, person, scope: Scope::Respond, label, expires_at, digest: digest(token) }
}

/// Mary has a token that lasts and one that expires in ten minutes.
fn with_tokens() -> Book {
    ada_and_mary()
        .when(Actor::Console, issue(PHONE, MARY, None))
        .then([issued(PHONE, MARY, None)])
        .when(ADA, issue(LAPTOP, MARY, Some(at(10))))
        .then([issued(LAPTOP, MARY, Some(at(10)))])
}

/// A token of Mary's that was issued at some time, and lasts for a minute of it.
fn short_lived(n: u32) -> DirectoryRecorded {
    let issued_at = at(i64::from(n));
    let mut event = issued(LAPTOP, MARY, Some(at(i64::from(n) + 1)));
    if let DirectoryEvent::TokenIssued { token, digest, .. } = &mut event {
        *token = TokenId(Uuid::from_u128(1_000 + u128::from(n)));
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        *digest = Digest::new(bytes);
    }
    DirectoryRecorded { entry: Entry(0), at: issued_at, actor: Actor::Console, event }
}

fn lets_in(book: &Book, token: TokenId, now: Time) -> bool {
    book.directory.token(&digest(token), now).is_some()
}

/// Whoever has one is believed about anybody.
#[test]
fn only_admins_make_a_token_for_the_gate() {
    let gate = |person: PersonId| match issue(PHONE, person, None) {
        DirectoryCommand::IssueToken { token, person, label, expires_at, digest, .. } => {
            DirectoryCommand::IssueToken { token, person, scope: Scope::Gate, label, expires_at, digest }
        }
        other => other,
    };
    ada_and_mary()
        .when(MARY, gate(MARY))
        .refused(Code::AdminsOnly)
        .when(ADA, gate(ADA))
        .accepted()
        .when(Actor::Console, gate(MARY))
        .accepted();
}

#[test]
fn a_token_lets_in_until_it_expires() {
    let book = with_tokens();
    assert!(lets_in(&book, PHONE, at(1_000_000)));
    assert!(lets_in(&book, LAPTOP, at(9)) && !lets_in(&book, LAPTOP, at(10)));
    assert!(book.directory.token(&Digest::new([9; 32]), start()).is_none());
}

#[test]
fn a_token_is_for_somebody_and_for_later() {
    ada_and_mary()
        .when(ADA, issue(PHONE, MARY, Some(start())))
        .says("A token expires in the future, or not at all.")
        .refused(Code::Invalid)
        .when(ADA, change("deactivate_person", json!({"person": "mary"})))
        .accepted()
        .when(ADA, issue(PHONE, MARY, None))
        .refused(Code::Inactive);
}

#[test]
fn a_token_lasts_for_days_and_not_for_ever_and_a_day() {
    let end = |days| end_after(days, start()).map_err(|refusal| refusal.code);
    assert_eq!((end(1), end(DAYS_MAX)), (Ok(at(24 * 60)), Ok(at(24 * 60 * i64::from(DAYS_MAX)))));
    for days in [0, DAYS_MAX + 1, u32::MAX] {
        assert_eq!(end(days), Err(Code::Invalid), "{days}");
    }
}

#[test]
fn its_owner_or_an_admin_revokes_it() {
    let revoke = |token: TokenId| change("revoke_token", json!({"token": token}));
    let revoked = |token| DirectoryEvent::TokenRevoked { token };
    let book = with_tokens()
        .when(MARY, revoke(PHONE))
        .then([revoked(PHONE)])
        .when(ADA, revoke(PHONE))
        .refused(Code::NotThere)
        .when(ADA, revoke(LAPTOP))
        .then([revoked(LAPTOP)])
        .when(ADA, issue(PHONE, ADA, None))
        .accepted()
        .when(MARY, revoke(PHONE))
        .refused(Code::AdminsOnly);
    assert!(!lets_in(&book, LAPTOP, start()));
}

#[test]
fn deactivating_or_forgetting_ends_every_token_for_good() {
    for name in ["deactivate_person", "forget_person"] {
        let book = with_tokens().when(ADA, change(name, json!({"person": "mary"}))).accepted();
        assert!(!lets_in(&book, PHONE, start()));
        assert!(book.directory.tokens.is_empty());
    }
    let book = with_tokens()
        .when(ADA, change("deactivate_person", json!({"person": "mary"})))
        .accepted()
        .when(ADA, change("activate_person", json!({"person": "mary"})))
        .accepted();
    assert!(!lets_in(&book, PHONE, start()), "a new one is issued");
}

#[test]
fn after_restoring_a_backup_none_lives_on() {
    let all = || DirectoryCommand::RevokeAllTokens {};
    let book = with_tokens().when(Actor::Console, all()).then([DirectoryEvent::AllTokensRevoked {}]);
    assert!(!lets_in(&book, PHONE, start()));
    book.when(Actor::Console, all()).refused(Code::AlreadySo);
}

/// Once 10,000 had ever been issued with an expiry, nobody got another until somebody tidied them up by hand.
#[test]
fn only_live_tokens_count_towards_the_limit() {
    let mut book = with_tokens();
    for n in 0..10_000_u128 {
        let mut event = issued(LAPTOP, MARY, Some(at(10)));
        if let DirectoryEvent::TokenIssued { token, .. } = &mut event {
            *token = TokenId(Uuid::from_u128(1_000 + n));
        }
        book.directory.evolve(&DirectoryRecorded { entry: Entry(0), at: start(), actor: Actor::Console, event });
    }
    let another = || issue(TokenId(Uuid::from_u128(52)), MARY, None);
    book = book.when(ADA, another()).refused(Code::TooMany);
    book.now = at(10);
    book.when(ADA, another()).accepted();
}

/// A pipeline that has a token of its own for every run left one for ever, and every request looked at all of them.
#[test]
fn a_token_that_has_expired_is_forgotten_when_another_is_issued() {
    let mut book = with_tokens();
    for n in 1..1_000 {
        book.directory.evolve(&short_lived(n));
    }
    let left: Vec<TokenId> = book.directory.tokens.values().map(|token| token.id).collect();
    assert_eq!(left, [PHONE, TokenId(Uuid::from_u128(1_999))], "one that lasts, and the newest");
    assert!(lets_in(&book, PHONE, at(1_000)));
    let revoke = change("revoke_token", json!({"token": LAPTOP}));
    book.when(ADA, revoke)
        .says("No such token is live: it was revoked, has expired, or was never issued.")
        .refused(Code::NotThere);
}

/// What is found by its digest goes with its token, and with no other.
#[test]
fn a_token_that_was_issued_anew_lets_in_by_its_new_secret_alone() {
    let mut book = with_tokens();
    let mut again = short_lived(1);
    if let DirectoryEvent::TokenIssued { token, expires_at, .. } = &mut again.event {
        (*token, *expires_at) = (PHONE, None);
    }
    book.directory.evolve(&again);
    assert!(!lets_in(&book, PHONE, at(1)) && lets_in(&book, LAPTOP, at(9)));
    let DirectoryEvent::TokenIssued { digest, .. } = again.event else { unreachable!("it is a token") };
    assert!(book.directory.token(&digest, at(1_000)).is_some());
}

#[test]
fn digests_stay_out_of_logs() {
    assert_eq!(format!("{:?}", digest(PHONE)), "Digest(…)");
}
