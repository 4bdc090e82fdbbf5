//! Conditions on the version of an entry: the headers `If-Match` and `If-None-Match`.

use actix_web::HttpRequest;
use actix_web::http::header::{self, EntityTag, Header};
use timelog_domain::Version;

use super::problem::Problem;
use crate::wire::Violation;

/// Which versions the request may change. Only strong tags count (RFC 9110, section 13.1.1). A tag
/// that is not a version never matches.
pub(crate) fn if_match(request: &HttpRequest) -> Result<timelog_domain::IfMatch, Problem> {
    use timelog_domain::IfMatch;
    Ok(match read::<header::IfMatch>(request)? {
        // The domain checks that the entry exists.
        None | Some(header::IfMatch::Any) => IfMatch::Any,
        Some(header::IfMatch::Items(tags)) => {
            let strong = tags.iter().filter(|tag| !tag.weak);
            IfMatch::AnyOf(strong.filter_map(|tag| version(tag.tag())).collect())
        }
    })
}

/// Whether the client already has the version of `tag`.
pub(crate) fn has_already(condition: Option<&header::IfNoneMatch>, tag: &EntityTag) -> bool {
    match condition {
        Some(header::IfNoneMatch::Any) => true,
        Some(header::IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        None => false,
    }
}

/// A header of entity tags, if the request has it.
pub(crate) fn read<H: Header>(request: &HttpRequest) -> Result<Option<H>, Problem> {
    let name = H::name();
    if !request.headers().contains_key(&name) {
        return Ok(None);
    }
    H::parse(request).map(Some).map_err(|_| {
        let message = "must be * or a list of entity tags such as \"1\"";
        Problem::invalid(vec![Violation::in_parameter(canonical(&name), "invalid_header", message)])
    })
}

fn canonical(name: &header::HeaderName) -> &'static str {
    if *name == header::IF_MATCH { "If-Match" } else { "If-None-Match" }
}

/// The version that a tag names. Another spelling of the number, such as `01`, is not a version.
fn version(tag: &str) -> Option<Version> {
    let version = Version::new(tag.parse().ok()?);
    (version.to_string() == tag).then_some(version)
}
