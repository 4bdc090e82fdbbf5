//! The name an entry has in another system.

use crate::text::ExternalRefPart;

/// The name of an entry in another system, such as `jira` / `worklog` / `10042`.
///
/// Within an organization the three parts name at most one entry: logging under the same reference
/// again updates that entry instead of adding a second one. Parts are compared byte for byte: `A`
/// is not `a`, and a precomposed `é` is not a decomposed one.
///
/// ```
/// use timelog_domain::ExternalRef;
///
/// let reference = ExternalRef {
///     provider: "jira".parse()?,
///     external_type: "worklog".parse()?,
///     external_id: "10042".parse()?,
/// };
/// assert_eq!(reference.external_id.as_str(), "10042");
/// # Ok::<(), timelog_domain::InvalidText>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalRef {
    /// The other system.
    pub provider: ExternalRefPart,
    /// Its type there.
    pub external_type: ExternalRefPart,
    /// Its id there.
    pub external_id: ExternalRefPart,
}
