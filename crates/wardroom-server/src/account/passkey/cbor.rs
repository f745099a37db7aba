//! As much of CBOR (RFC 8949) as passkeys are written in: definite lengths, bounded in depth and number. Pure.

/// How deep items may lie in each other; an attestation lies four deep.
const DEPTH_MAX: usize = 8;
/// Items in all.
const ITEMS_MAX: usize = 256;

/// One item, borrowed from the bytes that it was read from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item<'a> {
    /// A whole number; negative ones too.
    Number(i128),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A text.
    Text(&'a str),
    /// A list.
    Array(Vec<Item<'a>>),
    /// Pairs, in the order in which they stand.
    Map(Vec<(Item<'a>, Item<'a>)>),
    /// `true`, `false`, `null` and their like, by number.
    Simple(u8),
}

impl<'a> Item<'a> {
    /// What a map holds under a number.
    #[must_use]
    pub fn at(&self, key: i128) -> Option<&Item<'a>> {
        self.under(&Item::Number(key))
    }

    /// What a map holds under a name.
    #[must_use]
    pub fn named(&self, name: &'a str) -> Option<&Item<'a>> {
        self.under(&Item::Text(name))
    }

    fn under(&self, key: &Item<'a>) -> Option<&Item<'a>> {
        let Self::Map(pairs) = self else { return None };
        pairs.iter().find(|(known, _)| known == key).map(|(_, item)| item)
    }

    /// Its bytes, if it is any.
    #[must_use]
    pub fn bytes(&self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Its number, if it is one.
    #[must_use]
    pub fn number(&self) -> Option<i128> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// The first item of these bytes, and what stands behind it. `None` for whatever is not CBOR, is nested deeper or has
/// more items than is allowed here, names something twice in a map, or ends too early.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let mut left = ITEMS_MAX;
    item(bytes, DEPTH_MAX, &mut left)
}

/// The one item that these bytes are.
#[must_use]
pub fn whole(bytes: &[u8]) -> Option<Item<'_>> {
    read(bytes).filter(|(_, rest)| rest.is_empty()).map(|(item, _)| item)
}

/// An item's head: its major type and its argument.
fn head(bytes: &[u8]) -> Option<(u8, u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (kind, short) = (first >> 5, first & 0x1f);
    let length = match short {
        0..=23 => return Some((kind, u64::from(short), rest)),
        24 => 1,
        25 => 2,
        26 => 4,
        27 => 8,
        _ => return None, // Without a length beforehand.
    };
    let (argument, rest) = rest.split_at_checked(length)?;
    Some((kind, argument.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)), rest))
}

fn item<'a>(bytes: &'a [u8], depth: usize, left: &mut usize) -> Option<(Item<'a>, &'a [u8])> {
    *left = left.checked_sub(1)?;
    let (kind, argument, mut rest) = head(bytes)?;
    let deeper = || depth.checked_sub(1);
    let length = || usize::try_from(argument).ok();
    let read = match kind {
        0 => Item::Number(argument.into()),
        1 => Item::Number(-1 - i128::from(argument)),
        2 | 3 => {
            let (taken, behind) = rest.split_at_checked(length()?)?;
            rest = behind;
            if kind == 2 { Item::Bytes(taken) } else { Item::Text(str::from_utf8(taken).ok()?) }
        }
        4 => {
            let (depth, mut items) = (deeper()?, Vec::new());
            for _ in 0..argument {
                let (one, behind) = item(rest, depth, left)?;
                rest = behind;
                items.push(one);
            }
            Item::Array(items)
        }
        5 => {
            let (depth, mut pairs) = (deeper()?, Vec::<(Item<'a>, Item<'a>)>::new());
            for _ in 0..argument {
                let (key, behind) = item(rest, depth, left)?;
                let (value, behind) = item(behind, depth, left)?;
                rest = behind;
                if pairs.iter().any(|(known, _)| *known == key) {
                    return None;
                }
                pairs.push((key, value));
            }
            Item::Map(pairs)
        }
        7 if bytes[0] & 0x1f < 24 => Item::Simple(u8::try_from(argument).ok()?),
        _ => return None, // Tags and fractions: in nothing that is read here.
    };
    Some((read, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_read_as_the_standard_says() {
        // RFC 8949, appendix A.
        for (bytes, expected) in [
            (&[0x18, 0x64][..], Item::Number(100)),
            (&[0x1b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Item::Number(u64::MAX.into())),
            (&[0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Item::Number(-18_446_744_073_709_551_616)),
            (&[0x44, 1, 2, 3, 4], Item::Bytes(&[1, 2, 3, 4])),
            (&[0x62, 0xc3, 0xbc, 0x61][..3], Item::Bytes(&[])),
            (&[0x64, 0x49, 0x45, 0x54, 0x46], Item::Text("IETF")),
            (&[0xf5], Item::Simple(21)),
            (&[0x80], Item::Array(vec![])),
            (&[0xa1, 0x61, 0x61, 0x82, 2, 3], {
                Item::Map(vec![(Item::Text("a"), Item::Array(vec![Item::Number(2), Item::Number(3)]))])
            }),
        ] {
            if expected == Item::Bytes(&[]) {
                assert_eq!(whole(bytes), Some(Item::Text("ü")));
            } else {
                assert_eq!(whole(bytes), Some(expected), "{bytes:02x?}");
            }
        }
        assert_eq!(read(&[1, 2]), Some((Item::Number(1), &[2][..])));
    }

    #[test]
    fn what_is_cut_off_too_deep_too_many_or_said_twice_is_not_read() {
        for bad in [&[][..], &[0x18], &[0x44, 1], &[0x61, 0xff], &[0x9f, 0xff], &[0xc0, 0], &[0xf9, 0, 0], &[0x82, 1]] {
            assert_eq!(whole(bad), None, "{bad:02x?}");
        }
        assert_eq!(whole(&[0xa2, 1, 2, 1, 3]), None, "twice");
        assert!(whole(&[&[0x81; DEPTH_MAX][..], &[0]].concat()).is_some());
        assert_eq!(whole(&[&[0x81; DEPTH_MAX + 1][..], &[0]].concat()), None);
        assert_eq!(whole(&[&[0x99, 1, 0][..], &[0; 256]].concat()), None, "257 items");
        // A length that is no more than said.
        assert_eq!(whole(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(whole(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
