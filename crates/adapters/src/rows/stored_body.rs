//! The body of a stored answer. A large one is compressed, because a client can make it large: the
//! answer to five hundred wrong entries says so five hundred times.

use crate::error::DbError;

/// A smaller body is stored as it is, so that the answer to a single entry costs no time and can be
/// read in the row.
const SMALL: usize = 1024;

/// More bytes than any answer has. A body that claims more is damaged.
const LARGEST: usize = 64 << 20;

/// The most bytes that one byte of LZ4 stands for.
const MOST_FOR_A_BYTE: usize = 255;

/// A body, in one of its two columns.
pub(super) struct StoredBody {
    /// As it was sent.
    pub(super) plain: Option<Vec<u8>>,
    /// The size of the body in 4 bytes, the least first, and then a block of LZ4.
    pub(super) lz4: Option<Vec<u8>>,
}

impl StoredBody {
    /// Compresses a body if that pays.
    pub(super) fn pack(body: Vec<u8>) -> Self {
        if (SMALL..=LARGEST).contains(&body.len()) {
            let lz4 = lz4_flex::block::compress_prepend_size(&body);
            if lz4.len() < body.len() {
                return Self { plain: None, lz4: Some(lz4) };
            }
        }
        Self { plain: Some(body), lz4: None }
    }

    /// How many bytes are stored.
    pub(super) fn len(&self) -> usize {
        self.plain.iter().chain(&self.lz4).map(Vec::len).sum()
    }

    /// The body as it was sent.
    pub(super) fn unpack(self) -> Result<Vec<u8>, DbError> {
        match self {
            Self { plain: Some(body), lz4: None } => Ok(body),
            Self { plain: None, lz4: Some(lz4) } => unpack(&lz4)
                .map_err(|why| DbError::unknown_value("idempotency_keys", "body_lz4", why)),
            Self { .. } => Err(DbError::unknown_value(
                "idempotency_keys",
                "body",
                "there is none, or there are two",
            )),
        }
    }
}

fn unpack(lz4: &[u8]) -> Result<Vec<u8>, String> {
    let (size, block) = lz4.split_first_chunk().ok_or("it has no size")?;
    let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|error| error.to_string())?;
    // Checked before memory is taken.
    if size > LARGEST || size > block.len().saturating_mul(MOST_FOR_A_BYTE) {
        return Err(format!("{} bytes cannot become {size}", block.len()));
    }
    let body = lz4_flex::block::decompress(block, size).map_err(|error| error.to_string())?;
    if body.len() == size {
        Ok(body)
    } else {
        Err(format!("it has {} bytes and not {size}", body.len()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    use super::*;

    fn packed(body: &[u8]) -> StoredBody {
        StoredBody::pack(body.to_vec())
    }

    fn damaged(lz4: Vec<u8>) -> bool {
        let unpacked = StoredBody { plain: None, lz4: Some(lz4) }.unpack();
        matches!(unpacked, Err(DbError::Failed(reason)) if reason.contains("idempotency_keys.body_lz4"))
    }

    #[test]
    fn what_is_large_and_repeats_itself_is_kept_in_a_twentieth() {
        let item = r#"{"index":0,"outcome":"failed","problem":{"type":"urn:timelog:problem:validation_error"}},"#;
        let body = item.repeat(500).into_bytes();
        let kept = packed(&body);
        assert!(kept.plain.is_none() && kept.len() * 20 < body.len(), "{}", kept.len());
        assert_eq!(kept.unpack(), Ok(body));
    }

    #[test]
    fn what_is_small_or_does_not_become_smaller_is_kept_as_it_is() {
        let noise: Vec<u8> = (0..128_u8).flat_map(|index| Sha256::digest([index])).collect();
        for body in [&b""[..], &[b' '; SMALL - 1], &noise] {
            let kept = packed(body);
            assert!(
                kept.plain.as_deref() == Some(body)
                    && kept.lz4.is_none()
                    && kept.len() == body.len()
            );
            assert!(kept.unpack().as_deref() == Ok(body));
        }
        assert!(packed(&[b' '; SMALL]).lz4.is_some());
    }

    #[test]
    fn what_is_damaged_is_an_error_and_makes_no_room_for_what_is_not_there() {
        let whole = packed(&b"one two three ".repeat(200)).lz4.unwrap();
        for length in 0..whole.len() {
            assert!(damaged(whole[..length].to_vec()), "{length} of {}", whole.len());
        }
        let sized = |size: u32| [&size.to_le_bytes()[..], &whole[4..]].concat();
        for size in [0, 1, 2799, 2801, 1 << 20, u32::MAX] {
            assert!(damaged(sized(size)), "{size}");
        }
        // Told before anything is unpacked: more than any answer has, and more than so few bytes
        // can stand for.
        for (size, block) in [(65 << 20, vec![0xff; 1 << 20]), (1 << 20, whole[4..].to_vec())] {
            let refused = unpack(&[u32::to_le_bytes(size).to_vec(), block].concat()).unwrap_err();
            assert!(refused.ends_with(&format!("cannot become {size}")), "{refused}");
        }
        for both in [(None, None), (Some(vec![1]), Some(whole))] {
            let unpacked = StoredBody { plain: both.0, lz4: both.1 }.unpack();
            assert!(matches!(unpacked, Err(DbError::Failed(_))), "{unpacked:?}");
        }
    }

    proptest! {
        #[test]
        fn every_body_comes_back_byte_for_byte(
            part in prop::collection::vec(any::<u8>(), 0..200),
            times in 0..100_usize,
            rest in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            let body = [part.repeat(times), rest].concat();
            prop_assert_eq!(packed(&body).unpack(), Ok(body));
        }

        #[test]
        fn nothing_that_is_stored_makes_it_panic(lz4 in prop::collection::vec(any::<u8>(), 0..2000)) {
            drop(StoredBody { plain: None, lz4: Some(lz4) }.unpack());
        }
    }
}
