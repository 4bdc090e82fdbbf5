//! What a handler is given of a request: whom it was let in as, and what it asks. The order of the
//! checks is the same everywhere: nothing of a request is read before it was let in, and there is
//! no other way to its body.

use actix_web::http::header::IfNoneMatch;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, dev};
use futures_util::future::LocalBoxFuture;
use timelog_adapters::digest;
use timelog_domain::{Action, Caller, Fingerprint, IdempotencyScope, IfMatch};

use super::admission::{Admission, Authorized, HasKey, ToAction};
use super::change::Change;
use crate::document::Operation;
use crate::http::body::{self, Sent};
use crate::http::cursor::Binding;
use crate::http::pattern::Pattern;
use crate::http::problem::Problem;
use crate::http::{condition, idempotency_key};
use crate::state::AppState;
use crate::wire::include::IncludeQuery;
use crate::wire::page::Paged;
use crate::wire::{Body, Fault, InvalidCursor, Pairs, Parameters, Query};

/// A request that was let in by `A`, and asks `I`.
pub(super) struct Asked<A, I = ()> {
    pub(super) state: Data<AppState>,
    pub(super) request: HttpRequest,
    pub(super) by: A,
    pub(super) input: I,
}

impl<A: Admission, I: Input<A>> Asked<A, I> {
    /// Describes what a handler of it needs and how it refuses.
    pub(super) fn describe(operation: &mut Operation<'_>) {
        A::describe(operation);
        I::describe(operation);
    }
}

impl<A: Admission, I: Input<A>> FromRequest for Asked<A, I> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let state = AppState::of(&request)?;
            let by = A::admit(&request, &state).await?;
            if A::HAS_KEY && !I::HAS_QUERY {
                Query::new(&Pairs::of(request.query_string())).finish()?;
            }
            let arrived = Arrived { request: &request, payload, state: &state };
            let input = I::read(arrived, &by).await?;
            Ok(Self { state, request, by, input })
        })
    }
}

/// A request that was let in, and was not read yet.
pub(super) struct Arrived<'a> {
    request: &'a HttpRequest,
    payload: dev::Payload,
    state: &'a Data<AppState>,
}

/// What a request may ask.
pub(super) trait Input<A>: Sized + 'static {
    /// Whether it reads the query. Of the others nothing may be asked there.
    const HAS_QUERY: bool = false;

    /// Reads it.
    async fn read(arrived: Arrived<'_>, by: &A) -> Result<Self, Problem>;

    /// Describes it.
    fn describe(operation: &mut Operation<'_>);
}

impl<A> Input<A> for () {
    async fn read(_: Arrived<'_>, _: &A) -> Result<Self, Problem> {
        Ok(())
    }

    fn describe(_: &mut Operation<'_>) {}
}

/// A query.
pub(super) struct Asking<Q>(pub(super) Q);

/// A query for what to show of entries.
pub(super) type Showing = Asking<IncludeQuery>;

impl<Q: Parameters> Asking<Q> {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let pairs = Pairs::of(request.query_string());
        let mut reading = Query::new(&pairs);
        let query = Q::read(&mut reading);
        reading.finish()?;
        Ok(Self(query))
    }
}

impl<A, Q: Parameters + 'static> Input<A> for Asking<Q> {
    const HAS_QUERY: bool = true;

    async fn read(arrived: Arrived<'_>, _: &A) -> Result<Self, Problem> {
        Self::of(arrived.request)
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.asks::<Q>();
    }
}

/// A query for a page of a list.
pub(super) struct Paging<Q> {
    pub(super) query: Q,
    /// The parameters, as they were sent.
    pub(super) pairs: Pairs,
    /// The list that cursors are of.
    pub(super) list: Binding,
}

impl<A: HasKey, Q: Paged + 'static> Input<A> for Paging<Q> {
    const HAS_QUERY: bool = true;

    async fn read(arrived: Arrived<'_>, by: &A) -> Result<Self, Problem> {
        let pairs = Pairs::of(arrived.request.query_string());
        let mut reading = Query::new(&pairs);
        let query = Q::read(&mut reading);
        let list = Binding::new(by.key().organization_id, arrived.request.path(), &pairs);
        if query.cursor().is_some_and(|cursor| !list.has(cursor, query.sort())) {
            reading.add("cursor", InvalidCursor.code(), &InvalidCursor.to_string());
        }
        reading.finish()?;
        Ok(Self { query, pairs, list })
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.asks::<Q>();
    }
}

/// Nothing; but it may be asked too often.
pub(super) struct Limited;

impl<A> Input<A> for Limited {
    async fn read(_: Arrived<'_>, _: &A) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.is_limited();
    }
}

/// A query, and which versions the caller has already.
impl<A, Q: Parameters + 'static> Input<A> for (Asking<Q>, Option<IfNoneMatch>) {
    const HAS_QUERY: bool = true;

    async fn read(arrived: Arrived<'_>, _: &A) -> Result<Self, Problem> {
        Ok((Asking::of(arrived.request)?, condition::read(arrived.request)?))
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.asks::<Q>();
        operation.may_be_unchanged();
    }
}

/// A body of at most `MOST` bytes, and what stands beside it.
pub(super) struct Sending<B: Body, H = (), const MOST: usize = { body::ONE_ENTRY }> {
    pub(super) body: B::Asked,
    pub(super) beside: H,
}

impl<A, B, H, const MOST: usize> Input<A> for Sending<B, H, MOST>
where
    A: Authorized + Tells<B::Context>,
    B: Body + 'static,
    H: Beside<A>,
{
    const HAS_QUERY: bool = H::HAS_QUERY;

    async fn read(arrived: Arrived<'_>, by: &A) -> Result<Self, Problem> {
        let Arrived { request, payload, state } = arrived;
        let sent = body::read(request, payload, MOST, B::MAY_BE_MISSING).await?;
        let beside = H::read(request, state, by, &sent)?;
        let json = sent.json();
        let json = if B::MAY_BE_MISSING { json.or_empty() } else { json };
        let body = json.read::<B>(by.tell())?;
        Ok(Self { body, beside })
    }

    fn describe(operation: &mut Operation<'_>) {
        H::describe(operation);
        operation.sends(B::schema, !B::MAY_BE_MISSING, MOST);
    }
}

/// Those that know what must be known beside a body.
pub(super) trait Tells<C> {
    fn tell(&self) -> C;
}

impl<A> Tells<()> for A {
    fn tell(&self) {}
}

impl Tells<Action> for ToAction {
    fn tell(&self) -> Action {
        self.action
    }
}

/// What stands beside the body of a request: in its headers, or in its query.
pub(super) trait Beside<A>: Sized + 'static {
    const HAS_QUERY: bool = false;

    fn read(
        request: &HttpRequest,
        state: &Data<AppState>,
        by: &A,
        sent: &Sent,
    ) -> Result<Self, Problem>;

    fn describe(operation: &mut Operation<'_>);
}

impl<A> Beside<A> for () {
    fn read(_: &HttpRequest, _: &Data<AppState>, _: &A, _: &Sent) -> Result<Self, Problem> {
        Ok(())
    }

    fn describe(_: &mut Operation<'_>) {}
}

impl<A: HasKey> Beside<A> for Change {
    /// A change under the request's idempotency key, if it has one. The operation is its method and
    /// path, by which repeats are told: one spelling for one resource.
    fn read(
        request: &HttpRequest,
        state: &Data<AppState>,
        by: &A,
        sent: &Sent,
    ) -> Result<Self, Problem> {
        let caller = Caller::from(&**by.key());
        let claim = idempotency_key::of(request.headers())?.map(|key| {
            let Caller { organization_id, key_id, .. } = caller;
            let operation = operation(request, &state.base_path);
            let scope = IdempotencyScope { organization_id, key_id, operation, key };
            (scope, Fingerprint(digest(&[sent.bytes()])))
        });
        Ok(Self::new(state.clone(), caller, claim, sent.memory()))
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.is_keyed();
    }
}

/// A query beside a body.
impl<A, Q: Parameters + 'static> Beside<A> for Asking<Q> {
    const HAS_QUERY: bool = true;

    fn read(request: &HttpRequest, _: &Data<AppState>, _: &A, _: &Sent) -> Result<Self, Problem> {
        Self::of(request)
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.asks::<Q>();
    }
}

impl<A> Beside<A> for IfMatch {
    fn read(request: &HttpRequest, _: &Data<AppState>, _: &A, _: &Sent) -> Result<Self, Problem> {
        condition::if_match(request)
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.is_conditional();
    }
}

impl<A, H: Beside<A>, I: Beside<A>> Beside<A> for (H, I) {
    const HAS_QUERY: bool = H::HAS_QUERY || I::HAS_QUERY;

    fn read(
        request: &HttpRequest,
        state: &Data<AppState>,
        by: &A,
        sent: &Sent,
    ) -> Result<Self, Problem> {
        Ok((H::read(request, state, by, sent)?, I::read(request, state, by, sent)?))
    }

    fn describe(operation: &mut Operation<'_>) {
        H::describe(operation);
        I::describe(operation);
    }
}

/// A request without a body that may be for some versions of an entry only.
impl<A> Input<A> for IfMatch {
    async fn read(arrived: Arrived<'_>, _: &A) -> Result<Self, Problem> {
        condition::if_match(arrived.request)
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.is_conditional();
    }
}

/// The method and the path of a request, without what stands before every path, and with ids in
/// lower case.
fn operation(request: &HttpRequest, base_path: &str) -> String {
    let pattern = Pattern::of(request);
    let pattern = pattern.strip_prefix(base_path).unwrap_or(&pattern);
    let path = request.match_info().iter().fold(pattern.to_owned(), |path, (name, value)| {
        path.replace(&format!("{{{name}}}"), &value.to_ascii_lowercase())
    });
    format!("{} {path}", request.method())
}
