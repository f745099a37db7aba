//! The answer to a review, as a cluster reads it.

use serde_json::{Value, json};

use super::reading::{KIND, VERSION};
use crate::intake::words::one_line;

/// The longest warning, in characters: Kubernetes advises it. What is longer is told in several.
pub const WARNING_MAX: usize = 120;
/// The most warnings of one answer. All of them are far from the 4,096 characters that Kubernetes passes on of one request.
pub const WARNINGS_MAX: usize = 12;
/// The longest reason for a denial, in characters.
pub const MESSAGE_MAX: usize = 1_000;

/// What is answered. There is no other way to write an allow than to say so.
#[derive(Copy, Clone, PartialEq, Eq, Debug)]
pub enum Verdict<'a> {
    /// It may be done.
    Allowed,
    /// It may not, and why not (403).
    Denied(&'a str),
    /// It may not, because nobody could find out whether it may, and why that is (503).
    Undecided(&'a str),
}

/// Writes the answer to the review of this uid. Words are made to fit: a refusal is one line, and a warning that is too long
/// goes on in the next. A warning is shown to whoever asked, also where they may.
#[must_use]
pub fn write(uid: &str, verdict: Verdict<'_>, warnings: &[&str]) -> Vec<u8> {
    let mut response = json!({"uid": uid, "allowed": verdict == Verdict::Allowed});
    let refusal = match verdict {
        Verdict::Allowed => None,
        Verdict::Denied(why) => Some((403, "Forbidden", why)),
        Verdict::Undecided(why) => Some((503, "ServiceUnavailable", why)),
    };
    if let Some((code, reason, why)) = refusal {
        response["status"] = json!({"code": code, "reason": reason, "message": one_line(why, MESSAGE_MAX)});
    }
    let warnings = warnings.iter().flat_map(|warning| pieces(&one_line(warning, WARNINGS_MAX * WARNING_MAX)));
    let warnings: Vec<Value> = warnings.take(WARNINGS_MAX).map(Value::String).collect();
    if !warnings.is_empty() {
        response["warnings"] = Value::Array(warnings);
    }
    json!({"apiVersion": VERSION, "kind": KIND, "response": response}).to_string().into_bytes()
}

/// A line in pieces of at most [`WARNING_MAX`] characters, at its words where they let it.
fn pieces(line: &str) -> Vec<String> {
    let (mut pieces, mut piece, mut length) = (Vec::new(), String::new(), 0);
    for word in line.split(' ') {
        let letters: Vec<char> = word.chars().collect();
        for (n, part) in letters.chunks(WARNING_MAX).enumerate() {
            let apart = usize::from(n == 0 && length > 0);
            if length > 0 && length + apart + part.len() > WARNING_MAX {
                pieces.push(std::mem::take(&mut piece));
                length = 0;
            }
            if n == 0 && length > 0 {
                piece.push(' ');
                length += 1;
            }
            piece.extend(part);
            length += part.len();
        }
    }
    pieces.extend((!piece.is_empty()).then_some(piece));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(verdict: Verdict<'_>, warnings: &[&str]) -> Value {
        serde_json::from_slice(&write("705ab4f5-6393-11e8-b7cc-42010a800002", verdict, warnings)).unwrap()
    }

    #[test]
    fn an_answer_repeats_the_uid_and_says_what_was_decided() {
        let expected = json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "response": {"uid": "705ab4f5-6393-11e8-b7cc-42010a800002", "allowed": true},
        });
        assert_eq!(written(Verdict::Allowed, &[]), expected);
        let denied = written(Verdict::Denied("Incident 465 is active on search."), &["Ask in #inc-465."]);
        assert_eq!(denied["response"]["allowed"], json!(false));
        let status = json!({"code": 403, "reason": "Forbidden", "message": "Incident 465 is active on search."});
        assert_eq!(denied["response"]["status"], status);
        assert_eq!(denied["response"]["warnings"], json!(["Ask in #inc-465."]));
        let undecided = written(Verdict::Undecided("The log cannot be reached."), &[]);
        assert_eq!(
            (&undecided["response"]["allowed"], &undecided["response"]["status"]["code"]),
            (&json!(false), &json!(503))
        );
    }

    /// Whoever is let through reads there who has it in hand, and where to ask.
    #[test]
    fn a_warning_that_is_too_long_goes_on_in_the_next() {
        let sentence = "Allowed. It would have been denied: Incident #465 is active on search. Only operations may change \
                        search; the operations lead is Josephine Bernadette O'Donoghue-Whitfield. Ask in #inc-465.";
        let told = written(Verdict::Allowed, &[sentence, "c"])["response"]["warnings"].clone();
        let told: Vec<&str> = told.as_array().expect("there are some").iter().filter_map(Value::as_str).collect();
        assert!(told.len() == 3 && told.iter().all(|piece| piece.chars().count() <= WARNING_MAX), "{told:?}");
        assert_eq!((told[..2].join(" "), told[2]), (sentence.to_owned(), "c"), "no word is lost or torn");
        let long = format!("see {}x", "é".repeat(2 * WARNING_MAX));
        let torn = written(Verdict::Allowed, &[&long])["response"]["warnings"].clone();
        assert_eq!(torn, json!(["see", "é".repeat(WARNING_MAX), "é".repeat(WARNING_MAX), "x"]));
    }

    /// A header that a cluster cannot send on is dropped by it, and its words are lost.
    #[test]
    fn warnings_fit_into_what_a_cluster_passes_on() {
        let long = "é".repeat(10_000);
        let warnings = vec!["a\r\nb\u{202E}", "", " \n", &long, "c"];
        let answer = written(Verdict::Denied(&long), &warnings);
        let cut = |max: usize| format!("{}…", "é".repeat(max - 1));
        let told = answer["response"]["warnings"].as_array().expect("there are some");
        assert_eq!((told.len(), &told[0], &told[1]), (WARNINGS_MAX, &json!("a b"), &json!("é".repeat(WARNING_MAX))));
        let whole: usize = told.iter().filter_map(Value::as_str).map(str::len).sum();
        assert!(whole < 4_096, "{whole}");
        assert_eq!(answer["response"]["status"]["message"], json!(cut(MESSAGE_MAX)));
        let many = written(Verdict::Allowed, &["x"; 50]);
        assert_eq!(many["response"]["warnings"].as_array().map(Vec::len), Some(WARNINGS_MAX));
    }
}
