//! An attribute of a CloudEvent as a header carries it (HTTP binding 1.0, 3.1.3.2): quoted in older versions,
//! percent-encoded in this one.

/// The text that a header's value stands for.
///
/// # Errors
/// What of it does not fit, to be said after the attribute's name.
pub(super) fn decoded(value: &[u8]) -> Result<String, &'static str> {
    if !value.iter().all(|byte| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t')) {
        return Err("has letters that a header cannot carry; percent-encode them as UTF-8");
    }
    let unquoted = unquoted(value).ok_or("opens a quotation that does not end")?;
    let bytes = percent_decoded(&unquoted).ok_or("has a “%” without two hexadecimal digits behind it")?;
    String::from_utf8(bytes).map_err(|_| "is not UTF-8 once it is percent-decoded")
}

/// Without its quotation marks, and what they escape as itself.
fn unquoted(value: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut quoted) = (Vec::with_capacity(value.len()), false);
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' if quoted => out.push(bytes.next()?),
            byte => out.push(byte),
        }
    }
    (!quoted).then_some(out)
}

/// One round of percent-decoding, and no second.
fn percent_decoded(value: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied();
    while let Some(byte) = bytes.next() {
        out.push(if byte == b'%' { digit(bytes.next()?)? << 4 | digit(bytes.next()?)? } else { byte });
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The binding's own example, and what it says beside it.
    #[test]
    fn a_headers_value_is_unquoted_and_percent_decoded_once() {
        let read = |value: &str| decoded(value.as_bytes());
        assert_eq!(read("Euro%20%E2%82%AC%20%F0%9F%98%80").as_deref(), Ok("Euro € 😀"));
        assert_eq!(read("%e2%82%ac").as_deref(), Ok("€"), "small digits too");
        assert_eq!(read("%41").as_deref(), Ok("A"), "what need not be encoded may be");
        assert_eq!(read("%2541").as_deref(), Ok("%41"), "one round and no second");
        assert_eq!(read(r#""a \"b\" \\ c""#).as_deref(), Ok(r#"a "b" \ c"#), "as older versions wrote it");
        assert_eq!(read(r#"a\b"#).as_deref(), Ok(r#"a\b"#), "outside of quotation marks it escapes nothing");
        assert!(read("%C0%A0").is_err(), "an overlong space");
        for bad in ["%", "%4", "%zz", "%+1", "\"a", "\"a\\", "é", "a\u{1}"] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
