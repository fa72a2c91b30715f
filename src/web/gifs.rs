//! GIFs: shared, and shown.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http_range_header::{EndPosition, StartPosition};
use multer::{Constraints, Multipart, SizeLimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Web, errors::Refused, extract::Me};
use crate::{
    chat::{self, Error, GetRange, GifFile, room_id},
    domain::{ClientId, PersonId},
    keyed_limit::{KeyedLimit, KeyedPermit},
    protocol::Chat,
};

/// The boundaries, headers and the client's id around a GIF.
const ENVELOPE_BYTES: u64 = 16 * 1024;

/// As many bytes of uploads are in memory at the same time, while they are read and decoded; one upload fits always.
const BYTES_AT_ONCE: usize = 32 << 20;
/// They are counted in blocks of so many; an upload takes one at least.
const BLOCK: usize = 64 << 10;
/// As many uploads may be one person's at the same time.
const OF_ONE_PERSON: usize = 4;
/// Whoever finds all places taken tries again after this.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(3);

/// The uploads that are under way.
#[derive(Clone)]
pub(super) struct Uploads {
    blocks: Arc<Semaphore>,
    by_person: KeyedLimit<PersonId>,
}

impl Uploads {
    /// None yet; each has so many bytes at most.
    pub(super) fn new(max_gif_bytes: usize) -> Self {
        let blocks = Semaphore::new(BYTES_AT_ONCE.max(max_gif_bytes).div_ceil(BLOCK));
        Self { blocks: Arc::new(blocks), by_person: KeyedLimit::default() }
    }

    /// A place for an upload of so many bytes, for as long as it is not dropped.
    fn place(
        &self,
        of: &PersonId,
        bytes: usize,
    ) -> Result<(OwnedSemaphorePermit, KeyedPermit<PersonId>), Error> {
        let theirs = self.by_person.take(of.clone(), OF_ONE_PERSON);
        let blocks = u32::try_from(bytes.div_ceil(BLOCK).max(1)).unwrap_or(u32::MAX);
        let place = self.blocks.clone().try_acquire_many_owned(blocks).ok();
        place.zip(theirs).ok_or(Error::SlowDown { retry_after: TRY_AGAIN_AFTER })
    }
}

/// `POST /room/{id}/gif`
pub(super) async fn share(
    State(web): State<Web>,
    me: Me,
    Path(id): Path<String>,
    request: Request,
) -> Result<(StatusCode, Json<Chat>), Refused> {
    let id = room_id(&id)?;
    web.chat.may_share(&id, me.caller()).await?;
    let expected = expected_bytes(request.headers(), web.max_gif_bytes);
    let _place = web.uploads.place(me.id(), expected)?;
    let (file, client_id) = read_upload(request, web.max_gif_bytes, expected).await?;
    let message = web.chat.share(&id, me.caller(), file, client_id).await?;
    Ok((StatusCode::CREATED, Json(Chat::from(&message))))
}

/// `GET /gif/{room}/{name}`
pub(super) async fn file(
    State(web): State<Web>,
    me: Option<Me>,
    Path((room, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let room = room_id(&room)?;
    let me = me.ok_or(Error::NotInRoom)?;
    let pass = me.pass(&room).await?;
    let range = wanted_range(&headers);
    let partial = range.is_some();
    let found = web.chat.file(&room, me.with(pass.as_ref()), &name, range).await;
    let file = found.map_err(|error| match error {
        Error::RoomFull | Error::Locked => Error::NotInRoom, // Whoever is in sees it.
        other => other,
    })?;
    Ok(match file {
        Some(file) => show(file, partial),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

/// The one stretch of bytes that is asked for. Several at once are answered with all of the file,
/// as RFC 9110 (14.2) allows.
fn wanted_range(headers: &HeaderMap) -> Option<GetRange> {
    let header = headers.get(header::RANGE)?.to_str().ok()?;
    let ranges = http_range_header::parse_range_header(header).ok()?.ranges;
    let [range] = ranges.as_slice() else { return None };
    Some(match (range.start, range.end) {
        (StartPosition::FromLast(bytes), _) => GetRange::Suffix(bytes),
        (StartPosition::Index(from), EndPosition::LastByte) => GetRange::Offset(from),
        (StartPosition::Index(from), EndPosition::Index(to)) => {
            GetRange::Bounded(from..to.saturating_add(1))
        }
    })
}

/// The file never changes under its name, is shown and never run, and is for this reader alone.
fn show(file: GifFile, partial: bool) -> Response {
    let length = file.range.end - file.range.start;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.content_type)),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("inline")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable")),
    ];
    let body = Body::from_stream(file.body);
    if !partial {
        return (headers, body).into_response();
    }
    let part = format!("bytes {}-{}/{}", file.range.start, file.range.end - 1, file.size);
    (StatusCode::PARTIAL_CONTENT, headers, [(header::CONTENT_RANGE, part)], body).into_response()
}

/// How many bytes a file may have, as far as the request says.
fn expected_bytes(headers: &HeaderMap, limit: usize) -> usize {
    let said = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    said.and_then(|length| length.parse().ok()).map_or(limit, |length: usize| length.min(limit))
}

/// Reads the fields `gif` and `clientId`, each within its limit. What else there is, is refused.
async fn read_upload(
    request: Request,
    limit: usize,
    expected: usize,
) -> Result<(Bytes, Option<ClientId>), Error> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let boundary =
        multer::parse_boundary(kind.unwrap_or_default()).map_err(|_| Error::Malformed)?;
    let sizes = SizeLimit::new()
        .whole_stream(limit as u64 + ENVELOPE_BYTES)
        .for_field("gif", limit as u64)
        .for_field("clientId", 256);
    let constraints = Constraints::new().allowed_fields(vec!["gif", "clientId"]).size_limit(sizes);
    let body = request.into_body().into_data_stream();
    let mut upload = Multipart::with_constraints(body, boundary, constraints);
    let refuse = |error: multer::Error| match error {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            Error::TooLarge
        }
        _ => Error::Malformed, // Cut off, or not multipart at all.
    };
    let (mut file, mut client_id) = (None, None);
    while let Some(mut field) = upload.next_field().await.map_err(refuse)? {
        match field.name() {
            Some("gif") => {
                // One that grows would be there twice each time it does, and twice as large as needed at the end.
                let mut bytes = Vec::with_capacity(expected);
                while let Some(chunk) = field.chunk().await.map_err(refuse)? {
                    bytes.extend_from_slice(&chunk);
                }
                file = Some(Bytes::from(bytes));
            }
            _ => client_id = chat::client_id(Some(&field.text().await.map_err(refuse)?))?,
        }
    }
    Ok((file.ok_or(Error::field("gif", "gif_missing"))?, client_id))
}
