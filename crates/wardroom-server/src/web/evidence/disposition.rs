//! How an answer says what its bytes are called, and whether a browser shows them: RFC 6266, with names in UTF-8 as
//! RFC 8187 writes them.

use std::fmt::Write;

use axum::http::HeaderValue;

/// Characters of a name that are handed on, at the most.
const NAME_MAX: usize = 200;

/// A name that leads into no folder, hides no file and ends no field.
fn plain(name: &str) -> String {
    let safe = |c: char| if matches!(c, '/' | '\\' | ':') || c.is_control() { '_' } else { c };
    let plain: String = name.trim_start_matches(['.', ' ']).chars().take(NAME_MAX).map(safe).collect();
    if plain.is_empty() { "evidence".to_owned() } else { plain }
}

/// The field's value: inline or as an attachment, with the name in plain letters for old browsers and as it is.
#[must_use]
pub fn disposition(inline: bool, name: &str) -> HeaderValue {
    let name = plain(name);
    let letter = |c: char| if c.is_ascii_alphanumeric() || "._- ".contains(c) { c } else { '_' };
    let letters: String = name.chars().map(letter).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"._-".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    let way = if inline { "inline" } else { "attachment" };
    let value = format!("{way}; filename=\"{letters}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&value).expect("it has only letters, digits and a few signs")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_no_field_and_leads_nowhere() {
        let says = |name: &str, letters: &str, encoded: &str| {
            let value = format!("attachment; filename=\"{letters}\"; filename*=UTF-8''{encoded}");
            assert_eq!(disposition(false, name), value);
        };
        says("pods.txt", "pods.txt", "pods.txt");
        says("a \"b\"; filename=c.html", "a _b__ filename_c.html", "a%20%22b%22%3B%20filename%3Dc.html");
        says("../../etc/passwd", "_.._etc_passwd", "_.._etc_passwd");
        says("..", "evidence", "evidence");
        says("graph für eu.png", "graph f_r eu.png", "graph%20f%C3%BCr%20eu.png");
        says("a\r\nset-cookie: x", "a__set-cookie_ x", "a__set-cookie_%20x");
        assert!(disposition(true, "x").to_str().unwrap().starts_with("inline;"));
    }
}
