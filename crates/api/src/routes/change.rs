//! What all requests that change something have in common: who asks, under which idempotency key,
//! and how it is answered.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, rt};
use sha2::{Digest, Sha256};
use timelog_domain::idempotency::Render;
use timelog_domain::ports::PortError;
use timelog_domain::{
    ApiKey, Caller, Claim, Command, Decision, Fingerprint, IdempotencyScope, Refusal, Reply,
    Request,
};

use crate::answer;
use crate::http::body::{Memory, Sent};
use crate::http::idempotency_key;
use crate::http::problem::Problem;
use crate::state::AppState;

/// A change that is about to be asked for.
pub(super) struct Change {
    state: Data<AppState>,
    caller: Caller,
    claim: Option<(IdempotencyScope, Fingerprint)>,
    /// For the body that it was read from.
    memory: Memory,
}

impl Change {
    /// A change under the request's idempotency key, if it has one. The operation is its method and
    /// path, by which repeats are told: one spelling for one resource.
    pub(super) fn new(
        request: &HttpRequest,
        state: &Data<AppState>,
        key: &ApiKey,
        operation: String,
        body: &Sent,
    ) -> Result<Self, Problem> {
        let caller = Caller::from(key);
        let claim = idempotency_key::of(request.headers())?.map(|key| {
            let Caller { organization_id, key_id, .. } = caller;
            let scope = IdempotencyScope { organization_id, key_id, operation, key };
            (scope, Fingerprint(Sha256::digest(body.bytes()).into()))
        });
        Ok(Self { state: state.clone(), caller, claim, memory: body.memory() })
    }

    /// A change that knows no idempotency key, because repeating it is harmless.
    pub(super) fn without_key(state: &Data<AppState>, key: &ApiKey) -> Self {
        Self { state: state.clone(), caller: Caller::from(key), claim: None, memory: None }
    }

    /// Has the command carried out and answers what came of it.
    pub(super) async fn carry_out(
        self,
        command: Command,
        render: Render,
    ) -> Result<HttpResponse, Problem> {
        self.carry_out_or(command, render, Problem::from).await
    }

    /// Likewise, with an answer of its own to a refusal.
    pub(super) async fn carry_out_or(
        self,
        command: Command,
        render: Render,
        refused: impl FnOnce(Refusal) -> Problem,
    ) -> Result<HttpResponse, Problem> {
        let on_mismatch = self.state.on_mismatch;
        let claim = self.claim.map(|(scope, fingerprint)| Claim {
            scope,
            fingerprint,
            on_mismatch,
            render: render.clone(),
        });
        let request = Request { caller: self.caller, command, claim };
        match execute(self.state, request, self.memory).await? {
            Ok(Reply::Done { answer: Some(answer), .. }) => Ok(answer::response(answer)),
            Ok(Reply::Done { outcome, answer: None }) => Ok(answer::response(render(&outcome))),
            Ok(Reply::Replayed { answer, same_body }) => Ok(answer::replay(answer, same_body)),
            Err(refusal) => Err(refused(refusal)),
        }
    }
}

/// Has a request carried out. What takes much memory holds it until then, even if nobody waits any
/// more.
async fn execute(
    state: Data<AppState>,
    request: Request,
    memory: Memory,
) -> Result<Decision, PortError> {
    let Some(memory) = memory else { return state.execute(request).await };
    let work = async move {
        let decision = state.execute(request).await;
        drop(memory);
        decision
    };
    rt::spawn(work).await.unwrap_or_else(|error| Err(PortError::Internal(error.to_string())))
}
