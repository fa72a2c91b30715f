//! What a reader chooses for their pages, from whichever page they have open.

use socketioxide::extract::{HttpExtension, State, TryData};

use super::{Shared, answer::Answer, protocol::ReaderPut};
use crate::session::Session;

pub(super) async fn on_put(
    answer: Answer,
    State(shared): State<Shared>,
    HttpExtension(session): HttpExtension<Session>,
    TryData(request): TryData<ReaderPut>,
) {
    let act = async |wanted: ReaderPut| {
        let visitor = shared.visitor(&session).await?;
        Ok(visitor.choose_now(wanted.choices(visitor.choices)?).await?)
    };
    answer.after(request, act).await;
}
