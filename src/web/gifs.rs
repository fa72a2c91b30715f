//! Routes that upload and serve GIFs.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use http_range_header::{EndPosition, StartPosition};
use multer::{Constraints, Multipart, SizeLimit};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

use super::{
    Web,
    error_pages::refuse,
    errors::Refused,
    extract::{Me, Path, Reader},
};
use crate::{
    chat::{self, Error, GetRange, GifFile, Requester, room_id},
    domain::{ClientId, Network, PersonId},
    keyed_limit::{KeyedLimit, KeyedPermit},
    protocol::Chat,
};

/// Bytes of a multipart body besides the GIF: boundaries, headers and `clientId`.
const ENVELOPE_BYTES: u64 = 16 * 1024;

/// Bytes of uploads that are in memory at the same time, while they are read and decoded. One
/// upload of the largest size always fits.
const MAX_BYTES_IN_MEMORY: usize = 32 << 20;
/// Size of the units in which they are counted, in bytes; an upload takes at least one.
const BLOCK: usize = 64 << 10;
/// Uploads of one person at the same time.
const MAX_PER_PERSON: usize = 4;
/// Retry delay in the refusal of an upload that does not fit in memory.
const RETRY_AFTER: Duration = Duration::from_secs(3);

/// Uploads of one network at the same time.
const MAX_PER_NETWORK: usize = 16;
/// Slowest upload that is read to its end, in bytes a second, after [`HEAD_START`].
const MIN_BYTES_PER_SECOND: u32 = 8 << 10;
const HEAD_START: Duration = Duration::from_secs(10);

/// The running uploads.
#[derive(Clone)]
pub(super) struct Uploads {
    blocks: Arc<Semaphore>,
    by_person: KeyedLimit<PersonId>,
    by_network: KeyedLimit<Network>,
}

impl Uploads {
    /// No uploads; `max_gif_bytes` bounds each.
    pub(super) fn new(max_gif_bytes: usize) -> Self {
        let blocks = Semaphore::new(MAX_BYTES_IN_MEMORY.max(max_gif_bytes).div_ceil(BLOCK));
        let (by_person, by_network) = Default::default();
        Self { blocks: Arc::new(blocks), by_person, by_network }
    }

    /// Begins an upload, until the result is dropped.
    fn begin(&self, of: Requester<'_>) -> Result<Upload, Error> {
        let too_many = || Error::SlowDown { retry_after: RETRY_AFTER };
        let theirs = self.by_person.take(of.id.clone(), MAX_PER_PERSON).ok_or_else(too_many)?;
        let network = match of.network {
            Some(network @ Network::Known(_)) => {
                let taken = self.by_network.take(network.clone(), MAX_PER_NETWORK);
                Some(taken.ok_or_else(too_many)?)
            }
            Some(Network::Unknown) | None => None,
        };
        let memory = self.blocks.clone().try_acquire_owned().map_err(|_| too_many())?;
        let (blocks, begun) = (self.blocks.clone(), Instant::now());
        Ok(Upload { blocks, memory, begun, received: 0, _places: (theirs, network) })
    }
}

/// A running upload. Memory is reserved for what has arrived, not for what was announced.
struct Upload {
    blocks: Arc<Semaphore>,
    memory: OwnedSemaphorePermit,
    begun: Instant,
    received: usize,
    _places: (KeyedPermit<PersonId>, Option<KeyedPermit<Network>>),
}

impl Upload {
    /// Waits for more of the upload for as long as its speed allows.
    async fn in_time<T>(&self, more: impl Future<Output = T>) -> Result<T, Error> {
        let received = u32::try_from(self.received).unwrap_or(u32::MAX);
        let allowed = Duration::from_secs(1) * received / MIN_BYTES_PER_SECOND;
        timeout_at(self.begun + HEAD_START + allowed, more).await.map_err(|_| Error::TooSlow)
    }

    /// Reserves memory for `bytes` that have arrived.
    fn receive(&mut self, bytes: usize) -> Result<(), Error> {
        self.received += bytes;
        let missing = self.received.div_ceil(BLOCK).saturating_sub(self.memory.num_permits());
        let missing = u32::try_from(missing).unwrap_or(u32::MAX);
        let more = self.blocks.clone().try_acquire_many_owned(missing);
        self.memory.merge(more.map_err(|_| Error::SlowDown { retry_after: RETRY_AFTER })?);
        Ok(())
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
    web.chat.may_share(&id, me.requester()).await?;
    let expected = expected_bytes(request.headers(), web.max_gif_bytes);
    let mut upload = web.uploads.begin(me.requester())?;
    let read = read_upload(request, web.max_gif_bytes, expected, &mut upload);
    let (file, client_id) = read.await?;
    if !web.sessions.is_alive(&me.visitor).await? {
        return Err(Error::Unauthorized.into()); // It ended during the upload.
    }
    let message = web.chat.share(&id, me.requester(), file, client_id).await?;
    Ok((StatusCode::CREATED, Json(Chat::from(&message))))
}

/// `GET /gif/{room}/{name}`
pub(super) async fn file(
    State(web): State<Web>,
    me: Option<Me>,
    reader: Reader,
    Path((room, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let room = room_id(&room)?;
    let me = me.ok_or(Error::NotInRoom)?;
    let range = requested_range(&headers);
    let partial = range.is_some();
    Ok(match web.chat.file(&room, me.id(), &name, range).await? {
        Some(file) => show(file, partial),
        None => refuse(reader, Error::NotFound),
    })
}

/// The requested byte range. A request for several ranges gets the whole file, as RFC 9110 (14.2)
/// allows.
fn requested_range(headers: &HeaderMap) -> Option<GetRange> {
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

/// The response with a file, sandboxed because people upload it.
fn show(file: GifFile, partial: bool) -> Response {
    let length = file.range.end - file.range.start;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(file.content_type)),
        (header::CONTENT_LENGTH, HeaderValue::from(length)),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("inline")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
    ];
    let body = Body::from_stream(file.body);
    if !partial {
        return (headers, body).into_response();
    }
    let part = format!("bytes {}-{}/{}", file.range.start, file.range.end - 1, file.size);
    (StatusCode::PARTIAL_CONTENT, headers, [(header::CONTENT_RANGE, part)], body).into_response()
}

/// Upper bound of a file's size, from the request's `Content-Length`.
fn expected_bytes(headers: &HeaderMap, limit: usize) -> usize {
    let stated = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    stated.and_then(|length| length.parse().ok()).map_or(limit, |length: usize| length.min(limit))
}

/// Reads the fields `gif` and `clientId`, each within its limit; refuses any other field.
async fn read_upload(
    request: Request,
    limit: usize,
    expected: usize,
    running: &mut Upload,
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
    while let Some(mut field) = running.in_time(upload.next_field()).await?.map_err(refuse)? {
        if field.name() == Some("gif") {
            // A growing buffer would need twice the memory at each reallocation. The system gives
            // the memory when it is written.
            let mut bytes = Vec::with_capacity(expected);
            while let Some(chunk) = running.in_time(field.chunk()).await?.map_err(refuse)? {
                running.receive(chunk.len())?;
                bytes.extend_from_slice(&chunk);
            }
            file = Some(Bytes::from(bytes));
        } else {
            let text = running.in_time(field.text()).await?.map_err(refuse)?;
            client_id = chat::client_id(Some(&text))?;
        }
    }
    Ok((file.ok_or(Error::field("gif", "gif_missing"))?, client_id))
}
