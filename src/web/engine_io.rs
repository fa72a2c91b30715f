//! What the Socket.IO library takes and answers over HTTP, for the document of the operations: the
//! library itself reads and writes it.

use schemars::JsonSchema;

/// The query of every request of Engine.IO, the transport of Socket.IO.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "a description")]
pub(super) struct Query {
    /// The version of the protocol: 4.
    #[schemars(rename = "EIO", range(min = 4, max = 4))]
    version: u8,
    /// How the packets travel.
    transport: Transport,
    /// The id of the connection; absent when the request opens one.
    sid: Option<String>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", inline)]
#[expect(dead_code, reason = "a description")]
enum Transport {
    Polling,
    WebSocket,
}

/// Why a request is not one of Engine.IO.
#[derive(JsonSchema)]
#[schemars(rename = "EngineIoError")]
#[expect(dead_code, reason = "a description")]
pub(super) struct Refusal {
    /// A digit.
    code: String,
    /// The reason, in English.
    message: String,
}
