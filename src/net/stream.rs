//! The TCP stream of a connection: counts written bytes, and yields after each share.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::BytesWritten;

/// A task yields to the other ready tasks after writing this many bytes. Without it, hundreds of
/// clients that download files would each be sent megabytes at once, delaying all messages.
const BYTES_PER_TURN: usize = 64 * 1024;
/// Smallest cost of one write, in bytes.
const MIN_WRITE_COST: usize = 1024;

/// A stream that counts and yields; it holds the connection's permits until it is closed.
pub(super) struct FairStream<Permits> {
    stream: TcpStream,
    taken: BytesWritten,
    _permits: Permits,
    turn_bytes: usize,
}

impl<Permits> FairStream<Permits> {
    pub(super) fn new(stream: TcpStream, taken: BytesWritten, permits: Permits) -> Self {
        Self { stream, taken, _permits: permits, turn_bytes: 0 }
    }
}

impl<Permits: Unpin> FairStream<Permits> {
    fn write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.turn_bytes >= BYTES_PER_TURN {
            this.turn_bytes = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let bytes = ready!(write(Pin::new(&mut this.stream), cx))?;
        this.turn_bytes += bytes.max(MIN_WRITE_COST);
        this.taken.add(bytes);
        Poll::Ready(Ok(bytes))
    }
}

impl<Permits: Unpin> AsyncWrite for FairStream<Permits> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let buf = &buf[..buf.len().min(BYTES_PER_TURN)];
        self.write(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut all = 0;
        let fit = bufs.iter().take_while(|buf| {
            all += buf.len();
            all <= BYTES_PER_TURN
        });
        match fit.count() {
            0 => self.poll_write(cx, bufs.first().map_or(&[], |buf| &**buf)),
            fit => self.write(cx, |stream, cx| stream.poll_write_vectored(cx, &bufs[..fit])),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl<Permits: Unpin> AsyncRead for FairStream<Permits> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
        task::yield_now,
    };

    use super::*;

    #[tokio::test]
    async fn a_large_write_yields_to_other_tasks() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (given, taken) =
            tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (mut given, (stream, _)) = (given.unwrap(), taken.unwrap());
        let counter = BytesWritten::default();
        let mut stream = FairStream::new(stream, counter.clone(), ());

        let turns = Arc::new(AtomicUsize::new(0));
        let others = tokio::spawn({
            let turns = turns.clone();
            async move {
                loop {
                    turns.fetch_add(1, Ordering::Relaxed);
                    yield_now().await;
                }
            }
        });
        yield_now().await;
        let before = turns.load(Ordering::Relaxed);
        let words = vec![7; 8 * BYTES_PER_TURN];
        let parts = [IoSlice::new(&[7; 5]), IoSlice::new(&words)];
        let mut at = stream.write_vectored(&parts).await.unwrap();
        assert_eq!(at, 5, "no write takes more than a turn");
        let writing = async {
            stream.write_all(&words).await.unwrap();
            turns.load(Ordering::Relaxed) - before
        };
        let reading = async {
            let mut read = vec![0; 5 + words.len()];
            given.read_exact(&mut read).await.unwrap();
            read
        };
        let (had, read) =
            tokio::time::timeout(Duration::from_secs(30), async { tokio::join!(writing, reading) })
                .await
                .unwrap();
        others.abort();
        at += words.len();
        assert!(had >= 7, "the others had {had} turns");
        assert_eq!(read, vec![7; at]);
        assert_eq!(counter.bytes(), at as u64);
    }
}
