//! The digest by which an external reference is found. Its texts may be longer than what an index takes.
//!
//! It begins with a part for the provider, then one for the provider and the type, then one for all three. So what belongs to a
//! provider, or to a provider and a type, lies in one range of digests. Parts of digests may be alike by chance or by somebody's
//! effort, so who asks for a range compares the texts as well.

use sha2::{Digest, Sha256};
use timelog_domain::{ExternalRef, ExternalRefPart};

/// The digest of a reference.
pub(crate) fn of_reference(reference: &ExternalRef) -> [u8; 32] {
    let ExternalRef { provider, external_type, external_id } = reference;
    digest_external_ref(provider.as_str(), external_type.as_str(), external_id.as_str())
}

/// The digest by which a reference is found: 8 bytes of the provider, 8 of the provider and the type, 16 of all three. On
/// PostgreSQL there is a function that computes the same, `external_digest`.
#[must_use]
pub fn digest_external_ref(provider: &str, external_type: &str, external_id: &str) -> [u8; 32] {
    let mut digest = [0; 32];
    let [of_provider, of_type, of_id] = [(0, 8), (8, 16), (16, 32)];
    let mut hash = Sha256::new();
    for (text, (from, to)) in [(provider, of_provider), (external_type, of_type), (external_id, of_id)] {
        add(&mut hash, text);
        digest[from..to].copy_from_slice(&hash.clone().finalize()[..to - from]);
    }
    digest
}

/// The least and the greatest digest that a reference of this provider, and of this type if one is given, can have.
pub(crate) fn range(provider: &ExternalRefPart, external_type: Option<&ExternalRefPart>) -> (Vec<u8>, Vec<u8>) {
    let digest = digest_external_ref(provider.as_str(), external_type.map_or("", ExternalRefPart::as_str), "");
    let known = if external_type.is_some() { 16 } else { 8 };
    let filled = |with: u8| digest[..known].iter().copied().chain(std::iter::repeat_n(with, 32 - known)).collect();
    (filled(0), filled(u8::MAX))
}

/// Each text stands behind its length, so that no two lists of texts are alike.
fn add(hash: &mut Sha256, text: &str) {
    // A part of a reference has some hundred bytes.
    hash.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    hash.update(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> ExternalRefPart {
        text.parse().unwrap()
    }

    #[test]
    fn the_digest_is_what_is_written_down() {
        // Computed by another program: printf '\0\0\0\4jira' | sha256sum, and so on.
        let digest = digest_external_ref("jira", "worklog", "10042");
        let text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "e7830be4c978a31b12c140b177c6c9c74cb3ae8918fe7262f2d07076af6ba835");
    }

    #[test]
    fn a_range_holds_what_begins_alike_and_nothing_else() {
        let within =
            |(from, to): &(Vec<u8>, Vec<u8>), digest: &[u8]| from.as_slice() <= digest && digest <= to.as_slice();
        let (jira, worklog) = (part("jira"), part("worklog"));
        let (of_provider, of_type) = (range(&jira, None), range(&jira, Some(&worklog)));
        for (provider, kind, id, in_provider, in_type) in [
            ("jira", "worklog", "1", true, true),
            ("jira", "worklog", "\u{10ffff}", true, true),
            ("jira", "issue", "1", true, false),
            ("Jira", "worklog", "1", false, false),
            ("jiraw", "orklog", "1", false, false),
        ] {
            let digest = digest_external_ref(provider, kind, id);
            assert_eq!((within(&of_provider, &digest), within(&of_type, &digest)), (in_provider, in_type), "{kind}");
        }
    }

    #[test]
    fn texts_that_read_the_same_when_put_together_have_other_digests() {
        let all = [("ab", "c", "d"), ("a", "bc", "d"), ("a", "b", "cd"), ("abcd", "", ""), ("", "", "abcd")];
        let digests: std::collections::HashSet<_> =
            all.iter().map(|(one, two, three)| digest_external_ref(one, two, three)).collect();
        assert_eq!(digests.len(), all.len());
    }
}
