use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;

const ORGANIZATION: OrganizationId =
    OrganizationId::new(Uuid::from_u128(0x01a2_2b40_1678_7625_9697_cbbb_8750_cb95));

/// The answer to an entry that was logged.
const LOGGED: &str = r#"{"id":"01a22b40-29a8-734e-a047-db80fdef8eae","organizationId":"01a22b40-1678-7625-9697-cbbb8750cb95","projectId":"01a22b40-1678-7625-9697-cbbc7a96998a","userId":"01a22b40-1678-7625-9697-cbbd0469a92f","entryId":null,"releaseId":null,"workDate":"2026-11-09","hours":"1","minutes":60,"description":"Work 400","billable":true,"source":"api","status":"draft","invoiced":false,"createdAt":"2026-11-30T06:59:14.985Z","updatedAt":"2026-11-30T06:59:14.985Z"}"#;

fn answer(body: &[u8]) -> StoredAnswer {
    StoredAnswer { status: 201, location: None, etag: None, body: body.to_vec() }
}

fn packed(body: &[u8]) -> Vec<u8> {
    pack(ORGANIZATION, &answer(body))
}

fn is_damaged(packed: &[u8]) -> bool {
    let unpacked = unpack(ORGANIZATION, 201, packed);
    matches!(unpacked, Err(DbError::Failed(reason)) if reason.contains("idempotency_keys.answer"))
}

#[test]
fn the_answer_to_an_entry_is_stored_in_a_third() {
    let location = Some("/time-entries/01a22b40-29a8-734e-a047-db80fdef8eae".to_owned());
    let etag = Some("\"1\"".to_owned());
    let logged = StoredAnswer { location, etag, ..answer(LOGGED.as_bytes()) };
    let packed = pack(ORGANIZATION, &logged);
    assert!(packed.len() * 3 < LOGGED.len(), "{} of {}", packed.len(), LOGGED.len());
    assert_eq!(unpack(ORGANIZATION, 201, &packed), Ok(logged));
}

#[test]
fn what_is_large_and_repeats_itself_is_stored_in_a_twentieth() {
    let item = r#"{"index":0,"outcome":"failed","problem":{"type":"urn:timelog:problem:validation_error"}},"#;
    let body = item.repeat(500).into_bytes();
    let packed = packed(&body);
    assert!(packed.len() * 20 < body.len(), "{}", packed.len());
    assert_eq!(unpack(ORGANIZATION, 201, &packed), Ok(answer(&body)));
}

#[test]
fn what_does_not_become_smaller_is_stored_as_it_is() {
    let noise: Vec<u8> = (0..128_u8).flat_map(|index| Sha256::digest([index])).collect();
    for body in [&b""[..], &[ID], &noise] {
        assert_eq!(packed(body), [b"p\n\n", body].concat());
        assert_eq!(unpack(ORGANIZATION, 201, &packed(body)), Ok(answer(body)));
    }
}

#[test]
fn what_a_migration_wrote_is_read() {
    let body = b"one two three ".repeat(200);
    let block = lz4_flex::block::compress_prepend_size(&body);
    let stored = [b"z/time-entries/1\n\"1\"\n", &block[..]].concat();
    let unpacked = unpack(ORGANIZATION, 201, &stored).unwrap();
    assert_eq!(unpacked.location.as_deref(), Some("/time-entries/1"));
    assert_eq!((unpacked.etag.as_deref(), unpacked.body), (Some("\"1\""), body));
}

#[test]
fn only_ids_as_this_program_writes_them_become_short() {
    let id = "01a22b40-29a8-734e-a047-db80fdef8eae";
    assert_eq!(shorten_ids(id.as_bytes()).unwrap().len(), 17);
    for other in [
        id.to_uppercase(),
        id.replace('-', ""),
        id.replace("734e", "734g"),
        id[..35].to_owned(),
        "01a22b40-29a8-734e-a047-db80fdef8Eae".to_owned(),
    ] {
        assert_eq!(shorten_ids(other.as_bytes()).as_deref(), Some(other.as_bytes()));
    }
}

#[test]
fn what_is_damaged_is_an_error_and_makes_no_room_for_what_is_not_there() {
    let whole = packed(&b"one two three ".repeat(200));
    assert_eq!(whole[0], b'd');
    for length in 0..whole.len() {
        assert!(is_damaged(&whole[..length]), "{length} of {}", whole.len());
    }
    let sized = |size: u32| [b"d", &size.to_le_bytes()[..], &whole[5..]].concat();
    for size in [0, 1, 2801, 2803, 1 << 20, u32::MAX] {
        assert!(is_damaged(&sized(size)), "{size}");
    }
    // Told before anything is unpacked: more than any answer has, and more than so few bytes can
    // stand for.
    for (size, block) in [(65 << 20, vec![0xff; 1 << 20]), (1 << 20, whole[5..].to_vec())] {
        let refused = decompress(&[u32::to_le_bytes(size).to_vec(), block].concat(), &[]);
        let refused = refused.unwrap_err();
        assert!(refused.ends_with(&format!("cannot become {size}")), "{refused}");
    }
    for other in [&b"x\n\n{}"[..], b"p\n", b"p", b""] {
        assert!(is_damaged(other), "{other:?}");
    }
}

proptest! {
    #[test]
    fn every_answer_comes_back_byte_for_byte(
        part in prop::collection::vec(any::<u8>(), 0..200),
        times in 0..100_usize,
        ids in prop::collection::vec(any::<u128>(), 0..9),
        location in prop::option::of("/[a-z0-9/-]{1,60}"),
        etag in prop::option::of("\"[0-9]{1,9}\""),
    ) {
        let ids = ids.into_iter().map(|id| Uuid::from_u128(id).to_string()).collect::<String>();
        let body = [part.repeat(times), ids.into_bytes(), part].concat();
        let whole = StoredAnswer { status: 200, location, etag, body };
        let packed = pack(ORGANIZATION, &whole);
        prop_assert_eq!(unpack(ORGANIZATION, 200, &packed), Ok(whole));
    }

    #[test]
    fn nothing_that_is_stored_makes_it_panic(
        form in prop::sample::select(b"pzdx".to_vec()),
        rest in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        drop(unpack(ORGANIZATION, 201, &[&[form][..], &rest].concat()));
    }
}
