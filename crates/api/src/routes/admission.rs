//! Letting requests in: who asks, whether they may, and what the path names. Each type here is one
//! way to be let in; a handler gets nothing else of a request before it.

use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::HttpRequest;
use timelog_domain::{
    Action, ApiKey, Permission, ProjectId, Refusal, ReleaseId, Seq, TicketId, TimeEntryId, UserId,
    WebhookId,
};

use crate::document::{Operation, parameters};
use crate::http::code::Code;
use crate::http::pattern::Pattern;
use crate::http::problem::Problem;
use crate::state::AppState;
use crate::wire::{Fault, Violation};

/// The key a request is made with.
pub(super) type Key = Arc<ApiKey>;

/// A way to be let in.
pub(super) trait Admission: Sized + 'static {
    /// Whether it asks for a key.
    const HAS_KEY: bool = true;

    /// Lets a request in, or says why not.
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem>;

    /// Describes what it needs and how it refuses.
    fn describe(operation: &mut Operation<'_>);
}

/// Those that know the key.
pub(super) trait HasKey {
    fn key(&self) -> &Key;
}

/// Those that checked a permission of the key. Only they lead to a body.
pub(super) trait Authorized: HasKey {}

/// A permission that a key needs.
pub(super) trait Needed: 'static {
    const PERMISSION: Permission;
}

macro_rules! permissions {
    ($($name:ident),+) => {$(
        pub(super) struct $name;

        impl Needed for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )+};
}

permissions!(Read, Write, Admin);

/// Everybody is let in, without a key.
pub(super) struct Everybody;

impl Admission for Everybody {
    const HAS_KEY: bool = false;

    async fn admit(_: &HttpRequest, _: &AppState) -> Result<Self, Problem> {
        Ok(Self)
    }

    fn describe(_: &mut Operation<'_>) {}
}

/// Every key is let in.
pub(super) struct AnyKey(Key);

impl Admission for AnyKey {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        state.authenticate(request).await.map(Self)
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.needs_key();
    }
}

/// A key with that permission is let in, wherever its scope ends.
pub(super) struct Permitted<N>(Key, PhantomData<N>);

impl<N: Needed> Admission for Permitted<N> {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let key = state.authenticate(request).await?;
        key.check_permission(N::PERMISSION)?;
        Ok(Self(key, PhantomData))
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.needs_permission();
    }
}

/// A key with that permission is let in, unless it is limited to a project.
pub(super) struct ToAllProjects<N>(Permitted<N>);

impl<N: Needed> Admission for ToAllProjects<N> {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let permitted = Permitted::<N>::admit(request, state).await?;
        permitted.0.check_all_projects()?;
        Ok(Self(permitted))
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.needs_permission();
    }
}

/// A key with the permission `admin` is let in to what follows the entries of everybody, unless it
/// is limited to a project, or reads the entries of one user alone.
pub(super) struct ToFollowers(ToAllProjects<Admin>);

impl Admission for ToFollowers {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let admission = ToAllProjects::admit(request, state).await?;
        if admission.key().reads_only().is_some() {
            return Err(Refusal::LacksPermission(Permission::Read).into());
        }
        Ok(Self(admission))
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.needs_permission();
    }
}

/// A key with that permission is let in to the project in the path.
pub(super) struct ToProject<N> {
    pub(super) id: ProjectId,
    permitted: Permitted<N>,
}

impl<N: Needed> Admission for ToProject<N> {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let permitted = Permitted::<N>::admit(request, state).await?;
        let id = path_id(request, "projectId")?;
        permitted.0.check_scope(id)?;
        Ok(Self { id, permitted })
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.needs_permission();
        operation.concerns(&parameters::PROJECT_ID);
    }
}

/// A key with that permission is let in to a ticket of the project in the path.
pub(super) struct ToTicket<N> {
    pub(super) id: TicketId,
    pub(super) project: ToProject<N>,
}

impl<N: Needed> Admission for ToTicket<N> {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let project = ToProject::admit(request, state).await?;
        Ok(Self { id: path_id(request, "entryId")?, project })
    }

    fn describe(operation: &mut Operation<'_>) {
        ToProject::<N>::describe(operation);
        operation.concerns(&parameters::ENTRY_ID);
    }
}

/// A key with that permission is let in to a release of the project in the path.
pub(super) struct ToRelease<N> {
    pub(super) id: ReleaseId,
    pub(super) project: ToProject<N>,
}

impl<N: Needed> Admission for ToRelease<N> {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let project = ToProject::admit(request, state).await?;
        Ok(Self { id: path_id(request, "releaseId")?, project })
    }

    fn describe(operation: &mut Operation<'_>) {
        ToProject::<N>::describe(operation);
        operation.concerns(&parameters::RELEASE_ID);
    }
}

/// Whoever `A` lets in is let in to the user in the path.
pub(super) struct ToUser<A> {
    pub(super) id: UserId,
    admission: A,
}

impl<A: Admission> Admission for ToUser<A> {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let admission = A::admit(request, state).await?;
        Ok(Self { id: path_id(request, "userId")?, admission })
    }

    fn describe(operation: &mut Operation<'_>) {
        A::describe(operation);
        operation.concerns(&parameters::USER_ID);
    }
}

/// Whoever `A` lets in is let in to the webhook in the path.
pub(super) struct ToWebhook<A> {
    pub(super) id: WebhookId,
    admission: A,
}

impl<A: Admission> Admission for ToWebhook<A> {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let admission = A::admit(request, state).await?;
        Ok(Self { id: path_id(request, "webhookId")?, admission })
    }

    fn describe(operation: &mut Operation<'_>) {
        A::describe(operation);
        operation.concerns(&parameters::WEBHOOK_ID);
    }
}

/// Whoever `A` lets in to a webhook is let in to the event in the path that it refused.
pub(super) struct ToFailure<A> {
    pub(super) seq: Seq,
    pub(super) webhook: ToWebhook<A>,
}

impl<A: Admission> Admission for ToFailure<A> {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let webhook = ToWebhook::admit(request, state).await?;
        let seq = request.match_info().query("seq");
        let is_number = !seq.is_empty() && seq.bytes().all(|byte| byte.is_ascii_digit());
        let seq = seq.parse().ok().filter(|seq| is_number && *seq >= 1).map(Seq::new);
        let seq = seq.ok_or_else(|| {
            let message = "must be the number of a change: a whole number from 1";
            Problem::invalid(vec![Violation::in_parameter("seq", "out_of_range", message)])
        })?;
        Ok(Self { seq, webhook })
    }

    fn describe(operation: &mut Operation<'_>) {
        ToWebhook::<A>::describe(operation);
        operation.concerns(&parameters::SEQ);
    }
}

/// A key with that permission is let in to the time entry in the path. Of which project that is,
/// only the entry tells.
pub(super) struct ToTimeEntry<N> {
    pub(super) id: TimeEntryId,
    permitted: Permitted<N>,
}

impl<N: Needed> Admission for ToTimeEntry<N> {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let permitted = Permitted::<N>::admit(request, state).await?;
        Ok(Self { id: path_id(request, "timeEntryId")?, permitted })
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.needs_permission();
        operation.concerns(&parameters::TIME_ENTRY_ID);
    }
}

/// A key that may take the action at the end of the path is let in to the time entry in it.
pub(super) struct ToAction {
    pub(super) id: TimeEntryId,
    pub(super) action: Action,
    key: Key,
}

impl Admission for ToAction {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let key = state.authenticate(request).await?;
        let pattern = Pattern::of(request);
        let action = pattern.rsplit('/').next().and_then(|action| action.parse::<Action>().ok());
        let action =
            action.ok_or_else(|| Problem::new(Code::NotFound, "There is no such action."))?;
        key.check_permission(action.permission())?;
        Ok(Self { id: path_id(request, "timeEntryId")?, action, key })
    }

    fn describe(operation: &mut Operation<'_>) {
        ToTimeEntry::<Write>::describe(operation);
    }
}

/// A key that may take any action is let in. Which permission is needed, the action decides, and
/// that stands in the body.
pub(super) struct ToSomeAction(Key);

impl Admission for ToSomeAction {
    async fn admit(request: &HttpRequest, state: &AppState) -> Result<Self, Problem> {
        let key = state.authenticate(request).await?;
        if Action::ALL.iter().any(|action| key.permissions.contains(action.permission())) {
            return Ok(Self(key));
        }
        Err(Problem::new(Code::Forbidden, "This API key lacks the permission for every action."))
    }

    fn describe(operation: &mut Operation<'_>) {
        operation.needs_permission();
    }
}

macro_rules! authorized {
    ($($type:ty $(, $parameter:ident)? => $($field:tt).+;)+) => {$(
        impl $(<$parameter: 'static>)? HasKey for $type {
            fn key(&self) -> &Key {
                &self.$($field).+
            }
        }

        impl $(<$parameter: 'static>)? Authorized for $type {}
    )+};
}

authorized! {
    Permitted<N>, N => 0;
    ToAllProjects<N>, N => 0.0;
    ToFollowers => 0.0.0;
    ToProject<N>, N => permitted.0;
    ToTicket<N>, N => project.permitted.0;
    ToRelease<N>, N => project.permitted.0;
    ToTimeEntry<N>, N => permitted.0;
    ToAction => key;
    ToSomeAction => 0;
}

impl HasKey for AnyKey {
    fn key(&self) -> &Key {
        &self.0
    }
}

macro_rules! authorized_as {
    ($($type:ident => $($field:tt).+;)+) => {$(
        impl<A: Authorized> Authorized for $type<A> {}

        impl<A: HasKey> HasKey for $type<A> {
            fn key(&self) -> &Key {
                self.$($field).+.key()
            }
        }
    )+};
}

authorized_as! {
    ToUser => admission;
    ToWebhook => admission;
    ToFailure => webhook.admission;
}

/// An id in the path.
fn path_id<T>(request: &HttpRequest, name: &str) -> Result<T, Problem>
where
    T: std::str::FromStr<Err: Fault>,
{
    let text = request.match_info().query(name);
    text.parse::<T>().map_err(|error| {
        Problem::invalid(vec![Violation::in_parameter(name, error.code(), error.to_string())])
    })
}
