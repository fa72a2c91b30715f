//! A way to the database that loses an answer: what was asked is done, and the connection is cut
//! before anybody hears of it. No fail point does that.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use crate::{own::OwnServer, stage::Stage};

/// What passes by.
#[derive(Default)]
struct Passing {
    /// The next answer to this command is lost.
    losing: Mutex<Option<&'static str>>,
    /// How many insertions were asked for.
    insertions: AtomicUsize,
}

/// The way through which a chat server reaches its database server.
pub struct Lossy(Arc<Passing>);

impl Lossy {
    /// A stage whose two servers talk this way.
    pub async fn stage(options: &str) -> (Stage, Self) {
        let mongo = OwnServer::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Else the driver would ask the server where it is, and go there.
        let uri =
            format!("mongodb://{}/?directConnection=true{options}", listener.local_addr().unwrap());
        let to: SocketAddr = mongo.uri().trim_start_matches("mongodb://").parse().unwrap();
        let passing = Arc::<Passing>::default();
        tokio::spawn(forward(listener, to, passing.clone()));
        (Stage::reached_by(mongo, &uri).await, Self(passing))
    }

    pub fn lose_the_answer_to(&self, command: &'static str) {
        *self.0.losing.lock().unwrap() = Some(command);
    }

    /// How many insertions the chat server has asked for.
    pub fn insertions(&self) -> usize {
        self.0.insertions.load(Ordering::Relaxed)
    }
}

async fn forward(listener: TcpListener, to: SocketAddr, passing: Arc<Passing>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        let passing = passing.clone();
        tokio::spawn(async move {
            let server = TcpStream::connect(to).await?;
            connect(client, server, &passing).await
        });
    }
}

/// Until either end is gone, or an answer is lost: then both are.
async fn connect(
    client: TcpStream,
    server: TcpStream,
    passing: &Passing,
) -> io::Result<Infallible> {
    let (mut questions, mut to_client) = client.into_split();
    let (mut answers, mut to_server) = server.into_split();
    let lost = AtomicBool::new(false);
    let asking = async {
        loop {
            let question = message(&mut questions).await?;
            lost.fetch_or(passing.is_lost(&question), Ordering::Relaxed);
            to_server.write_all(&question).await?;
        }
    };
    let answering = async {
        loop {
            let answer = message(&mut answers).await?;
            if lost.load(Ordering::Relaxed) {
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            to_client.write_all(&answer).await?;
        }
    };
    tokio::select! {
        ended = asking => ended,
        ended = answering => ended,
    }
}

impl Passing {
    /// Whether this is the one to which the answer is lost.
    fn is_lost(&self, question: &[u8]) -> bool {
        let command = command(question);
        if command == b"insert" {
            self.insertions.fetch_add(1, Ordering::Relaxed);
        }
        let mut losing = self.losing.lock().unwrap();
        losing.take_if(|name| command == name.as_bytes()).is_some()
    }
}

/// One message: its length in its first four bytes, and the rest.
async fn message(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 4];
    from.read_exact(&mut message).await?;
    let length = u32::from_le_bytes([message[0], message[1], message[2], message[3]]);
    message.resize(length as usize, 0);
    from.read_exact(&mut message[4..]).await?;
    Ok(message)
}

/// The name of the command in a message: the first field of its document, which begins behind the
/// header, the flags, the kind of the section, the document's length and the field's type.
fn command(message: &[u8]) -> &[u8] {
    let name = message.get(16 + 4 + 1 + 4 + 1..).unwrap_or_default();
    name.split(|byte| *byte == 0).next().unwrap_or_default()
}
