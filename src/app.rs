//! Assembles the server; the only module that knows every part.

use std::{
    future::Future,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Once},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    http::StatusCode,
    middleware::map_request,
    response::Response,
    routing::{MethodRouter, get_service},
};
use tokio::{net::TcpListener, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::{Layer as _, service_fn};
use tower_sessions::cookie::Key;
use tracing::{info, warn};

use crate::{
    bus::Bus,
    chat::{ChatService, Policy, TakeOverError},
    config::{Config, MIN_SECRET_BYTES},
    data_dir::{self, DataDir},
    domain::{Event, Network, NetworkKey},
    gateway::Gateway,
    media::Media,
    net::{self, Bounds, Misconfiguration, Peer, Proxies},
    session::Sessions,
    socketio::{SocketIoEdge, handshake},
    store::{Store, mongo::MongoStore, sqlite::SqliteStore},
    web,
};

/// Deadline of a shutdown: less than the five seconds that a deployment is promised.
const STOP_WITHIN: Duration = Duration::from_millis(4_500);
/// Time in a shutdown for queued messages, and then again for running requests.
const FINISH_WITHIN: Duration = Duration::from_millis(1_500);

/// Why a server could not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database cannot be used.
    #[error("{place}: the database cannot be opened: {cause}")]
    Store {
        /// The file, or the setting that names the server.
        place: String,
        /// What the store says.
        cause: crate::store::Error,
    },
    /// The data folder cannot be used.
    #[error(transparent)]
    DataDir(#[from] data_dir::Error),
    /// The folder or bucket of the GIFs cannot be used.
    #[error("UPLOADS_URL={0}: {1}")]
    Media(String, #[source] crate::media::OpenError),
    /// The files of the GIFs cannot be listed or removed.
    #[error("UPLOADS_URL={0}: {1}")]
    Files(String, #[source] crate::media::StorageError),
    /// The chat could not clean up after the previous process, or stop.
    #[error("the chat could not start or stop: {0:?}")]
    Chat(#[from] crate::chat::Error),
    /// An allowed origin is invalid.
    #[error("ALLOWED_ORIGINS: {0}")]
    Origins(#[from] web::ConfigError),
    /// The server cannot serve any longer.
    #[error("cannot serve: {0}")]
    Io(#[from] std::io::Error),
}

/// Installs ring as the process-wide TLS crypto provider; call once, before any TLS connection.
pub fn choose_tls() {
    // A provider that was installed before stays.
    rustls::crypto::ring::default_provider().install_default().ok();
}

/// A server, ready to serve.
pub struct App {
    config: Config,
    chat: Arc<ChatService>,
    sessions: Sessions,
    bus: Bus,
    secret: Vec<u8>,
}

impl App {
    /// Opens the store and the uploads, and cleans up after the previous process.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub async fn build(config: Config) -> Result<Self, Error> {
        let data = DataDir::open(&config.data_dir)?;
        let secret = match &config.cookie_secret {
            Some(secret) => secret.reveal().as_bytes().to_vec(),
            None => data.cookie_secret(MIN_SECRET_BYTES)?,
        };
        let OpenedStore { store, alone, place } = open_store(&config, &data).await?;
        let s3 = config.s3.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned()));
        let media =
            Media::open(&config.uploads_url, s3, config.max_gif_bytes, config.max_uploads_bytes);
        let media = media.map_err(|cause| Error::Media(config.uploads_url.clone(), cause))?;
        info!(uploads = %config.uploads_url, "keeping GIFs");
        let bus = Bus::default();
        let policy = Policy {
            grace: config.room_grace,
            max_rooms: config.max_rooms,
            max_capacity: config.max_room_capacity,
            max_chats: config.max_chats_per_room,
            max_connections: config.max_connections_per_person,
            rates: config.rates.clone(),
            kick_networks: config.kick_networks.then(|| NetworkKey::new(&secret)),
        };
        let chat = Arc::new(ChatService::new(store.clone(), media, bus.clone(), policy)?);
        match chat.take_over(alone).await {
            Ok(()) => {}
            Err(TakeOverError::Store(cause)) if cause.is_away() => {
                warn!("MONGODB_URI: {cause}; pages say so until it answers");
            }
            Err(TakeOverError::Store(cause)) => return Err(Error::Store { place, cause }),
            Err(TakeOverError::Uploads(cause)) => {
                return Err(Error::Media(config.uploads_url.clone(), cause));
            }
            Err(TakeOverError::Files(cause)) => {
                return Err(Error::Files(config.uploads_url.clone(), cause));
            }
        }
        let sessions = Sessions::new(store, &secret);
        Ok(Self { config, chat, sessions, bus, secret })
    }

    /// Serves until `stop`, then stores queued messages and disconnects every seat, so that
    /// visitors have their grace period to reconnect.
    ///
    /// # Errors
    /// When the listener fails, or the store does at the end.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let address = listener.local_addr()?;
        let stopping = CancellationToken::new();
        let (sockets, layer) = SocketIoEdge::new(&self.chat, &self.sessions);
        let (gateway, bots) = Gateway::new(&self.chat, &self.sessions, self.config.heartbeat);
        self.bus.connect(vec![sockets.clone(), gateway.clone()]).ok(); // This is the only call.
        let requests = TaskTracker::new();
        let router = self.router(&layer, bots, address, requests.clone())?;
        let maintenance = tokio::spawn({
            let (chat, stopping) = (self.chat.clone(), stopping.clone());
            async move { chat.maintain(stopping).await }
        });
        info!(open = %public_url(&self.config, address), "listening on http://{address}");
        let proxies = self.config.trusted_proxies.clone();
        let bounds = Bounds {
            in_all: net::within_file_limit(self.config.max_connections),
            of_one_network: self.config.max_connections_per_network,
        };
        let serving = net::serve(listener, router, bounds, proxies, stopping.clone());
        let mut serving = tokio::spawn(serving);
        tokio::select! {
            ended = &mut serving => return Ok(ended.map_err(std::io::Error::other)?),
            () = stop => info!("stopping"),
        }
        let finished = async {
            self.drain(&sockets, &gateway, &requests).await;
            stopping.cancel();
            (&mut serving).await.ok(); // It only finishes the requests that have arrived.
            maintenance.await.ok(); // It ends when `stopping` is cancelled.
            self.chat.stop().await
        };
        if let Ok(stopped) = timeout(STOP_WITHIN, finished).await {
            stopped?;
        } else {
            warn!("did not finish in time; the next start does the rest");
        }
        serving.abort();
        info!("stopped");
        Ok(())
    }

    /// Drains the server: refuses new rooms and entries, stores and broadcasts queued messages,
    /// asks clients to reconnect, and finishes running requests. Meanwhile `/readyz` reports not
    /// ready.
    async fn drain(&self, sockets: &SocketIoEdge, gateway: &Gateway, requests: &TaskTracker) {
        self.chat.drain();
        timeout(FINISH_WITHIN, self.chat.finish_what_was_said()).await.ok(); // Clients resend.
        self.bus.announce(Event::Restarting).await;
        requests.close();
        timeout(FINISH_WITHIN, requests.wait()).await.ok(); // The rest is aborted at the end.
        sockets.close().await;
        gateway.close().await;
    }

    fn router(
        &self,
        sockets: &socketioxide::layer::SocketIoLayer,
        bots: MethodRouter<web::Web>,
        address: SocketAddr,
        requests: TaskTracker,
    ) -> Result<Router, Error> {
        let setup = web::Setup {
            public_url: public_url(&self.config, address),
            origins: self.config.origins(),
            max_gif_bytes: self.config.max_gif_bytes,
            token_days: self.config.token_days,
            cookie_key: Key::derive_from(&self.secret),
            old_cookie_keys: self
                .config
                .old_cookie_secrets
                .iter()
                .map(|secret| Key::derive_from(secret.reveal().as_bytes()))
                .collect(),
            requests,
        };
        // The layer responds by itself, for the methods of long polling. It is one service for both,
        // because each service has connections of its own.
        let sockets =
            sockets.layer(service_fn(async |_: Request| Ok(Response::new(Body::empty()))));
        let socket_io = get_service(sockets.clone()).post_service(sockets).layer(map_request(
            async |ConnectInfo(peer): ConnectInfo<Peer>, request: Request| {
                handshake::minimize(request, peer.taken).ok_or(StatusCode::BAD_REQUEST)
            },
        ));
        let proxies = ClientNetworks::new(self.config.trusted_proxies.clone());
        let arrive = move |ConnectInfo(peer): ConnectInfo<Peer>, mut request: Request| {
            let network = proxies.network(peer.address.ip(), &request);
            request.extensions_mut().insert(network);
            std::future::ready(request)
        };
        let routes = web::router(&self.chat, &self.sessions, socket_io, bots, setup)?;
        Ok(routes.layer(map_request(arrive)))
    }
}

/// Finds the network of each request's client, and warns once of each kind of misconfiguration.
#[derive(Clone)]
struct ClientNetworks {
    proxies: Proxies,
    warned_of_forwarder: Arc<Once>,
    warned_of_silence: Arc<Once>,
}

impl ClientNetworks {
    fn new(proxies: Proxies) -> Self {
        let once = || Arc::new(Once::new());
        Self { proxies, warned_of_forwarder: once(), warned_of_silence: once() }
    }

    fn network(&self, peer: IpAddr, request: &Request) -> Network {
        match self.proxies.misconfiguration(peer, request.headers()) {
            Some(found @ Misconfiguration::UntrustedForwarder(_)) => {
                self.warned_of_forwarder.call_once(|| warn!("{found}"));
            }
            // A health check comes from this machine itself.
            Some(found) if !web::is_health_check(request.uri().path()) => {
                self.warned_of_silence.call_once(|| warn!("{found}"));
            }
            Some(_) | None => {}
        }
        match self.proxies.network(peer, request.headers()) {
            Some(network) => Network::known(network.to_string()),
            None => Network::Unknown,
        }
    }
}

/// The server's public URL: the setting, or else the address it listens on.
fn public_url(config: &Config, address: SocketAddr) -> String {
    match &config.public_url {
        Some(url) => url.to_string(),
        None if address.ip().is_loopback() => format!("http://localhost:{}/", address.port()),
        None => format!("http://{address}/"),
    }
}

/// The configured store.
struct OpenedStore {
    store: Arc<dyn Store>,
    /// Whether this process is its only user.
    alone: bool,
    /// The file, or the setting that names the server.
    place: String,
}

async fn open_store(config: &Config, data: &DataDir) -> Result<OpenedStore, Error> {
    let Some(uri) = &config.mongodb_uri else {
        let path = data.database()?;
        let place = path.display().to_string();
        info!(file = %place, "keeping rooms in a file");
        let store = SqliteStore::open(&path)
            .map_err(|cause| Error::Store { place: place.clone(), cause })?;
        return Ok(OpenedStore { store: Arc::new(store), alone: true, place });
    };
    let credentials = config.mongo_credentials();
    let place = "MONGODB_URI".to_owned();
    let store = MongoStore::open(uri.reveal(), credentials)
        .await
        .map_err(|cause| Error::Store { place: place.clone(), cause })?;
    info!("keeping rooms in MongoDB");
    Ok(OpenedStore { store: Arc::new(store), alone: false, place })
}
