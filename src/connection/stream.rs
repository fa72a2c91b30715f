//! The stream of a connection: it counts what its other end takes, and it takes turns.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::Taken;

/// Whoever has been given so many bytes waits until everybody else who is ready had a turn. Hundreds who ask for
/// files as fast as they can would each be given megabytes at once, and what is said meanwhile would wait for all of it.
const BYTES_A_TURN: usize = 64 * 1024;
/// A write costs as much as so many bytes, however few it has.
const BYTES_A_WRITE: usize = 1024;

/// A stream that counts and takes turns; it holds a connection's place for as long as there is something to write to.
pub(super) struct Fair<Place> {
    stream: TcpStream,
    taken: Taken,
    _place: Place,
    of_this_turn: usize,
}

impl<Place> Fair<Place> {
    pub(super) fn new(stream: TcpStream, taken: Taken, place: Place) -> Self {
        Self { stream, taken, _place: place, of_this_turn: 0 }
    }
}

impl<Place: Unpin> Fair<Place> {
    fn write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut TcpStream>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.of_this_turn >= BYTES_A_TURN {
            this.of_this_turn = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let bytes = ready!(write(Pin::new(&mut this.stream), cx))?;
        this.of_this_turn += bytes.max(BYTES_A_WRITE);
        this.taken.add(bytes);
        Poll::Ready(Ok(bytes))
    }
}

impl<Place: Unpin> AsyncWrite for Fair<Place> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let buf = &buf[..buf.len().min(BYTES_A_TURN)];
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
            all <= BYTES_A_TURN
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

impl<Place: Unpin> AsyncRead for Fair<Place> {
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
    async fn whoever_is_given_much_takes_turns_with_the_others() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (given, taken) =
            tokio::join!(TcpStream::connect(listener.local_addr().unwrap()), listener.accept());
        let (mut given, (stream, _)) = (given.unwrap(), taken.unwrap());
        let counter = Taken::default();
        let mut stream = Fair::new(stream, counter.clone(), ());

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
        let words = vec![7; 8 * BYTES_A_TURN];
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
