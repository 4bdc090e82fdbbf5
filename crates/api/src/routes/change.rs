//! What all requests that change something have in common: who asks, under which idempotency key,
//! and how it is answered.

use actix_web::web::Data;
use actix_web::{HttpResponse, rt};
use timelog_domain::idempotency::Render;
use timelog_domain::ports::PortError;
use timelog_domain::{
    Caller, Claim, Command, Decision, Fingerprint, IdempotencyScope, Refusal, Reply, Request,
};

use super::admission::HasKey;
use crate::http::body::Memory;
use crate::http::problem::Problem;
use crate::http::stored_answer;
use crate::state::AppState;
use crate::wire::include::Include;

/// A change that is about to be asked for.
pub(super) struct Change {
    state: Data<AppState>,
    caller: Caller,
    claim: Option<(IdempotencyScope, Fingerprint)>,
    /// For the body that it was read from.
    memory: Memory,
}

impl Change {
    pub(super) const fn new(
        state: Data<AppState>,
        caller: Caller,
        claim: Option<(IdempotencyScope, Fingerprint)>,
        memory: Memory,
    ) -> Self {
        Self { state, caller, claim, memory }
    }

    /// A change that knows no idempotency key, because repeating it is harmless.
    pub(super) fn without_key(state: Data<AppState>, by: &impl HasKey) -> Self {
        Self::new(state, Caller::from(&**by.key()), None, None)
    }

    /// Who asks for it.
    pub(super) const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Has the command carried out and answers what became of it.
    pub(super) async fn carry_out(self, command: Command) -> Result<HttpResponse, Problem> {
        self.carry_out_showing(command, Include::default()).await
    }

    /// Likewise, with what is asked for of the one entry.
    pub(super) async fn carry_out_showing(
        self,
        command: Command,
        include: Include,
    ) -> Result<HttpResponse, Problem> {
        let render = stored_answer::renderer(&self.state.base_path, include);
        self.carry_out_with(command, render, Problem::from).await
    }

    /// Likewise, with answers of its own.
    pub(super) async fn carry_out_with(
        self,
        command: Command,
        render: Render,
        refused: impl FnOnce(Refusal) -> Problem,
    ) -> Result<HttpResponse, Problem> {
        let claim = self.claim(render.clone());
        let request = Request { caller: self.caller, command, claim };
        execute(self.state, request, self.memory)
            .await?
            .map(|reply| answer(reply, &render))
            .map_err(refused)
    }

    /// The stored answer, if the request repeats another one. For changes that do something before
    /// they are stored.
    pub(super) async fn replayed(&self) -> Result<Option<HttpResponse>, Problem> {
        let render = stored_answer::renderer(&self.state.base_path, Include::default());
        let Some(claim) = self.claim(render.clone()) else { return Ok(None) };
        let ports = &self.state.ports;
        let record = ports.answers.find(&claim.scope, ports.clock.now()).await?;
        let Some(record) = record else { return Ok(None) };
        Ok(Some(answer(timelog_domain::replay(&claim, &record)?, &render)))
    }

    fn claim(&self, render: Render) -> Option<Claim> {
        let on_mismatch = self.state.on_mismatch;
        let (scope, fingerprint) = self.claim.clone()?;
        Some(Claim { scope, fingerprint, on_mismatch, render })
    }
}

fn answer(reply: Reply, render: &Render) -> HttpResponse {
    match reply {
        Reply::Done { answer: Some(answer), .. } => stored_answer::response(answer),
        Reply::Done { outcome, answer: None } => stored_answer::response(render(&outcome)),
        Reply::Replayed { answer, same_body } => stored_answer::replay(answer, same_body),
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
