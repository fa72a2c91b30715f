//! `reader:put`: a reader's language and theme, on either namespace.

use socketioxide::extract::{HttpExtension, State};

use super::{
    Shared,
    ack::{Ack, RequestData},
    protocol::ReaderPut,
};
use crate::session::Session;

pub(super) async fn on_put(
    ack: Ack,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    RequestData(request): RequestData<ReaderPut>,
) {
    let act = async |chosen: ReaderPut| {
        let visitor = shared.visitor(&session).await?;
        Ok(visitor.choose(chosen.preferences(visitor.preferences)?).await?)
    };
    ack.respond(request, act).await;
}
