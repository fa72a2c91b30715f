//! Routes of a room: its page, admission, settings and moderation.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Web,
    body::Fields,
    errors::Refused,
    extract::{Me, Path, Query, Reader},
    pages::RoomPage,
};
use crate::{
    chat::{Error, Reported, person_id, room_id},
    domain::{RoomId, Seq, Window},
    protocol::{Person, Room, RoomPatch, Whom},
};

/// Number of the newest messages in the page's HTML, before scripts run.
const SHOWN: usize = 50;

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Password {
    /// The room's password.
    password: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct Unlock {
    /// The room's password.
    password: Option<String>,
    /// Whether to take a seat as well, as a page without scripts asks for.
    #[serde(default)]
    seat: bool,
}

/// `GET /room/{id}`, with or without `?password=`.
pub(super) async fn enter(
    State(web): State<Web>,
    me: Me,
    reader: Reader,
    Path(id): Path<String>,
    Query(Password { password }): Query<Password>,
) -> Result<Response, Refused> {
    let id = room_id(&id)?;
    if let Some(password) = password {
        // Redirects to the address without the password, so that it does not stay visible.
        show_password(&web, &me, &id, &password).await?;
        return Ok(Redirect::to(&format!("/room/{id}")).into_response());
    }
    let pass = me.pass(&id).await?;
    if reader.wants_json {
        let room = web.chat.get_room(&id, me.with(pass.as_ref())).await?;
        return Ok(Json(Room::from(&room.summary())).into_response());
    }
    let window = Window::Latest { before: None, limit: SHOWN };
    let (room, history) =
        web.chat.get_room_with_history(&id, me.with(pass.as_ref()), window).await?;
    let mut frame = web.frame(reader, &me.visitor);
    let seat = room.seat(me.id());
    let is_seated = seat.is_some();
    if let Some(seat) = seat {
        frame.me = seat.person.clone(); // The name in this room may have another number.
    }
    let summary = room.summary();
    Ok(RoomPage {
        frame,
        room: summary,
        people: room.people.into_iter().map(|seat| seat.person).collect(),
        is_seated,
        messages: history.messages,
        more: history.more,
        max_gif_bytes: web.max_gif_bytes,
        max_capacity: web.chat.policy().max_capacity,
    }
    .into_response())
}

/// `POST /room/{id}/enter`
pub(super) async fn unlock(
    State(web): State<Web>,
    me: Me,
    reader: Reader,
    Path(id): Path<String>,
    Fields(Unlock { password, seat }): Fields<Unlock>,
) -> Result<Response, Refused> {
    let id = room_id(&id)?;
    let pass = me.pass(&id).await?;
    if seat {
        let network = me.requester().network;
        web.chat.sit(&id, &me.visitor.person, pass, network).await?;
    } else {
        show_password(&web, &me, &id, &password.unwrap_or_default()).await?;
    }
    Ok(if reader.wants_json {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Redirect::to(&format!("/room/{id}")).into_response()
    })
}

async fn show_password(web: &Web, me: &Me, room: &RoomId, password: &str) -> Result<(), Refused> {
    if let Some(pass) = web.chat.unlock(room, me.requester(), password).await? {
        me.visitor.keep_pass(room, &pass).await?;
    }
    Ok(())
}

/// `PATCH /room/{id}`
pub(super) async fn change(
    State(web): State<Web>,
    me: Me,
    Path(id): Path<String>,
    Fields(patch): Fields<RoomPatch>,
) -> Result<Json<Room>, Refused> {
    let id = room_id(&id)?;
    let changed = web.chat.change(&id, me.requester(), &patch.into()).await?;
    if let Some(pass) = &changed.pass {
        me.visitor.keep_pass(&id, pass).await?;
    }
    Ok(Json(Room::from(&changed.room)))
}

/// `DELETE /room/{id}`
pub(super) async fn close(
    State(web): State<Web>,
    me: Me,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    web.chat.close(&room_id(&id)?, me.requester()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /room/{id}/person/{who}`
pub(super) async fn kick(
    State(web): State<Web>,
    me: Me,
    Path((id, who)): Path<(String, String)>,
) -> Result<StatusCode, Refused> {
    web.chat.kick(&room_id(&id)?, me.requester(), &person_id(&who)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `PUT /room/{id}/owner`
pub(super) async fn hand_over(
    State(web): State<Web>,
    me: Me,
    Path(id): Path<String>,
    Fields(Whom { id: who }): Fields<Whom>,
) -> Result<Json<Person>, Refused> {
    let owner = web.chat.hand_over(&room_id(&id)?, me.requester(), &person_id(&who)?).await?;
    Ok(Json(Person::from(&owner)))
}

#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ReportForm {
    /// The number of the message, when it is about one.
    seq: Option<Seq>,
    /// The person's id, when it is about one.
    person: Option<String>,
    /// The reason: at most 500 characters.
    #[serde(default)]
    why: String,
}

/// `POST /room/{id}/report`
pub(super) async fn report(
    State(web): State<Web>,
    me: Me,
    Path(id): Path<String>,
    Fields(ReportForm { seq, person, why }): Fields<ReportForm>,
) -> Result<StatusCode, Refused> {
    let what = match (seq, person) {
        (Some(seq), _) => Reported::Message(seq),
        (None, Some(person)) => Reported::Person(person_id(&person)?),
        (None, None) => Reported::Room,
    };
    web.chat.report(&room_id(&id)?, me.requester(), &what, &why).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /room/{id}/leave`: for pages without scripts; pages with scripts emit `exit`.
pub(super) async fn leave(
    State(web): State<Web>,
    me: Me,
    reader: Reader,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    let id = room_id(&id)?;
    match web.chat.exit(&id, &me.visitor.person).await {
        // The visitor has left already.
        Ok(()) | Err(Error::NotInRoom) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(if reader.wants_json {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Redirect::to("/").into_response()
    })
}
