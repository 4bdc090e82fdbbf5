//! What all requests that change something have in common: who asks, under which idempotency key, and how it is answered.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use sha2::{Digest, Sha256};
use timelog_domain::idempotency::Render;
use timelog_domain::{ApiKey, Caller, Claim, Command, Fingerprint, IdempotencyScope, Refusal, Reply, Request};

use crate::answer;
use crate::http::idempotency_key;
use crate::http::problem::Problem;
use crate::state::AppState;

/// A change that is about to be asked for.
pub(super) struct Change {
    state: Data<AppState>,
    caller: Caller,
    claim: Option<(IdempotencyScope, Fingerprint)>,
}

impl Change {
    /// A change under the request's idempotency key, if it has one. The operation is its method and path, by which repeats are
    /// told: one spelling for one resource.
    pub(super) fn new(
        request: &HttpRequest,
        state: &Data<AppState>,
        key: &ApiKey,
        operation: String,
        body: &[u8],
    ) -> Result<Self, Problem> {
        let caller = Caller::from(key);
        let claim = idempotency_key::of(request.headers())?.map(|key| {
            let Caller { organization_id, key_id, .. } = caller;
            let scope = IdempotencyScope { organization_id, key_id, operation, key };
            (scope, Fingerprint(Sha256::digest(body).into()))
        });
        Ok(Self { state: state.clone(), caller, claim })
    }

    /// A change that knows no idempotency key, because repeating it is harmless.
    pub(super) fn without_key(state: &Data<AppState>, key: &ApiKey) -> Self {
        Self { state: state.clone(), caller: Caller::from(key), claim: None }
    }

    /// Has the command carried out and answers what came of it.
    pub(super) async fn carry_out(self, command: Command, render: Render) -> Result<HttpResponse, Problem> {
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
        let claim =
            self.claim.map(|(scope, fingerprint)| Claim { scope, fingerprint, on_mismatch, render: render.clone() });
        match self.state.execute(Request { caller: self.caller, command, claim }).await? {
            Ok(Reply::Done { answer: Some(answer), .. }) => Ok(answer::response(answer)),
            Ok(Reply::Done { outcome, answer: None }) => Ok(answer::response(render(&outcome))),
            Ok(Reply::Replayed { answer, same_body }) => Ok(answer::replay(answer, same_body)),
            Err(refusal) => Err(refused(refusal)),
        }
    }
}
