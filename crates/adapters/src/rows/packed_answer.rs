//! A stored answer in one value. Most are the answer to a single entry: five hundred bytes of JSON,
//! most of which are in the next one too. And a client can make one large, such as the five hundred
//! errors of a batch. So ids take their 16 bytes, and the rest is compressed with a dictionary.

use timelog_domain::{OrganizationId, StoredAnswer};
use uuid::Uuid;

use crate::error::DbError;

/// More bytes than any answer has. A value that claims more is damaged.
const LARGEST: usize = 64 << 20;

/// The most bytes that one byte of LZ4 stands for.
const MOST_FOR_A_BYTE: usize = 255;

/// What answers have in common. Another text needs another [`Form`]: what is stored is read with
/// the dictionary that it was written with.
const DICTIONARY: &str = "404\"failed\",\"problem\":{\"type\":\"urn:timelog:problem:\
    \",\"title\":\"\",\"status\":409,\"detail\":\"\",\"code\":\"\",\"violations\":[{\"pointer\":\"/\
    },{\"index\":1,\"outcome\":\"unchanged\",\"timeEntry\":200\n\n\"2\"\n{\"data\":[\
    ],\"results\":[{\"index\":0,\"outcome\":\"updated\"submitted\"approved\"rejected\"locked\
    \"invoiced\",\"invoiced\":true,\"import\",\"ui\",\"billable\":false,\"hours\":\"0.25\",\
    \"minutes\":15,\"description\":null,\"hours\":\"7.5\",\"minutes\":450,\
    201\n/time-entries/\n\"1\"\n{\"id\":\"\",\"organizationId\":\"\",\"projectId\":\"\",\
    \"userId\":\"\",\"entryId\":\"\",\"releaseId\":\"\",\"entryId\":null,\"releaseId\":null,\
    \"workDate\":\"2026-\",\"hours\":\"1.5\",\"minutes\":90,\"description\":\"\",\"billable\":true,\
    \"source\":\"api\",\"status\":\"draft\",\"invoiced\":false,\"createdAt\":\"2026-\
    Z\",\"updatedAt\":\"2026-01-01T00:00:00.000Z\"}";

/// Stands before the bytes of an id. JSON has no such byte, and no header.
const ID: u8 = 1;

/// How many characters an id has as text.
const ID_TEXT: usize = 36;

/// The first byte of a value says how the rest is written: the `Location` and the `ETag`, each with
/// an end of line behind it, and the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Form {
    /// As they are.
    Plain = b'p',
    /// The body compressed by itself. A migration wrote it.
    BodyCompressed = b'z',
    /// With short ids, and all of it compressed with the first dictionary.
    WithDictionary = b'd',
}

impl Form {
    const ALL: [Self; 3] = [Self::Plain, Self::BodyCompressed, Self::WithDictionary];

    const fn byte(self) -> u8 {
        self as u8
    }
}

/// The dictionary of an organization, whose id is in all its answers.
fn dictionary(organization: OrganizationId) -> Vec<u8> {
    [DICTIONARY.as_bytes(), &[ID], organization.uuid().as_bytes()].concat()
}

pub(super) fn pack(organization: OrganizationId, answer: &StoredAnswer) -> Vec<u8> {
    let StoredAnswer { status: _, location, etag, body } = answer;
    let mut plain = Vec::with_capacity(body.len() + 128);
    plain.push(Form::Plain.byte());
    for header in [location, etag] {
        plain.extend(header.iter().flat_map(|header| header.bytes()));
        plain.push(b'\n');
    }
    plain.extend(body);
    let Some(short) = shorten_ids(&plain[1..]) else { return plain };
    let Ok(size) = u32::try_from(short.len()) else { return plain };
    let block = lz4_flex::block::compress_with_dict(&short, &dictionary(organization));
    let packed = [&[Form::WithDictionary.byte()][..], &size.to_le_bytes(), &block].concat();
    if packed.len() < plain.len() { packed } else { plain }
}

pub(super) fn unpack(
    organization: OrganizationId,
    status: u16,
    packed: &[u8],
) -> Result<StoredAnswer, DbError> {
    let damaged = |why: String| DbError::unknown_value("idempotency_keys", "answer", why);
    let (form, rest) = packed.split_first().ok_or_else(|| damaged("it is empty".to_owned()))?;
    let form = Form::ALL.into_iter().find(|known| known.byte() == *form);
    let text = match form {
        Some(Form::Plain | Form::BodyCompressed) => rest.to_vec(),
        Some(Form::WithDictionary) => {
            let short = decompress(rest, &dictionary(organization)).map_err(damaged)?;
            lengthen_ids(&short).ok_or_else(|| damaged("an id is cut".to_owned()))?
        }
        None => return Err(damaged("it has a form that is not known".to_owned())),
    };
    let mut lines = text.splitn(3, |byte| *byte == b'\n');
    let (Some(location), Some(etag), Some(body)) = (lines.next(), lines.next(), lines.next())
    else {
        return Err(damaged("it has no body".to_owned()));
    };
    let header = |bytes: &[u8]| match String::from_utf8(bytes.to_vec()) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => Ok(Some(text)),
        Err(error) => Err(damaged(error.to_string())),
    };
    let body = match form {
        Some(Form::BodyCompressed) => decompress(body, &[]).map_err(damaged)?,
        _ => body.to_vec(),
    };
    Ok(StoredAnswer { status, location: header(location)?, etag: header(etag)?, body })
}

/// Unpacks a block of LZ4 behind the size of its content in 4 bytes, the least first.
fn decompress(packed: &[u8], dictionary: &[u8]) -> Result<Vec<u8>, String> {
    let (size, block) = packed.split_first_chunk().ok_or("it has no size")?;
    let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|error| error.to_string())?;
    // Checked before memory is taken.
    if size > LARGEST || size > block.len().saturating_mul(MOST_FOR_A_BYTE) {
        return Err(format!("{} bytes cannot become {size}", block.len()));
    }
    let content = lz4_flex::block::decompress_with_dict(block, size, dictionary);
    let content = content.map_err(|error| error.to_string())?;
    if content.len() == size {
        Ok(content)
    } else {
        Err(format!("it has {} bytes and not {size}", content.len()))
    }
}

/// Writes each id of 36 characters in 17 bytes. None where the text has the byte that tells ids.
fn shorten_ids(text: &[u8]) -> Option<Vec<u8>> {
    let mut short = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        if let Some(id) = id_at(rest) {
            short.push(ID);
            short.extend(id.as_bytes());
            rest = &rest[ID_TEXT..];
        } else if *first == ID {
            return None;
        } else {
            short.push(*first);
            rest = behind;
        }
    }
    Some(short)
}

/// The id that a text begins with, written as this program writes ids.
fn id_at(text: &[u8]) -> Option<Uuid> {
    let text = text.get(..ID_TEXT).filter(|text| text[8] == b'-' && text[13] == b'-')?;
    let is_lower = text.iter().all(|byte| !byte.is_ascii_uppercase());
    Uuid::try_parse_ascii(text).ok().filter(|_| is_lower)
}

fn lengthen_ids(short: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(2 * short.len());
    let mut rest = short;
    while let Some((first, behind)) = rest.split_first() {
        if *first == ID {
            let (id, behind) = behind.split_first_chunk()?;
            let mut written = Uuid::encode_buffer();
            text.extend(Uuid::from_bytes(*id).as_hyphenated().encode_lower(&mut written).bytes());
            rest = behind;
        } else {
            text.push(*first);
            rest = behind;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests;
