//! Connections of one network take turns: whoever opens hundreds and asks for something on each holds up themselves,
//! and nobody else.
//!
//! Networks are told apart by a keyed hash into a few hundred queues, so that nothing is kept for them: "Stochastic
//! Fairness Queueing", by Paul McKenney, 1990.

use std::{
    future::poll_fn,
    hash::{BuildHasher as _, RandomState},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use futures_util::task::AtomicWaker;
use tokio::sync::Semaphore;
use tokio_util::sync::PollSemaphore;

use super::Network;

/// How many networks are told apart.
const QUEUES: usize = 256;
/// As many connections of one network are served before everybody else who is ready had a turn.
const AT_A_TIME: usize = 2;

/// The queues.
pub(super) struct Turns {
    queues: Vec<Arc<Semaphore>>,
    hasher: RandomState,
}

impl Default for Turns {
    fn default() -> Self {
        let queue = || Arc::new(Semaphore::new(AT_A_TIME));
        Self {
            queues: std::iter::repeat_with(queue).take(QUEUES).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl Turns {
    /// The queue of a network's connections.
    pub(super) fn of(&self, network: &Network) -> Queue {
        let hash = self.hasher.hash_one(network);
        let nth = usize::try_from(hash % QUEUES as u64).unwrap_or_default();
        Queue(self.queues[nth].clone())
    }
}

/// Where a connection waits for its turns.
#[derive(Clone)]
pub(super) struct Queue(Arc<Semaphore>);

impl Queue {
    /// Runs a future in turns: each lasts until all tasks that are ready have run once.
    pub(super) async fn run<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        let mut places = PollSemaphore::new(self.0.clone());
        let mut turn = None;
        let wanted = Arc::new(Wanted { yes: AtomicBool::new(true), task: AtomicWaker::new() });
        let waker = Waker::from(wanted.clone());
        poll_fn(|cx| {
            turn.take(); // If it had one: by now the others had theirs.
            wanted.task.register(cx.waker());
            if !wanted.yes.load(Ordering::SeqCst) {
                return Poll::Pending;
            }
            let Poll::Ready(place) = places.poll_acquire(cx) else { return Poll::Pending };
            wanted.yes.store(false, Ordering::SeqCst);
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_pending() {
                turn = place;
                cx.waker().wake_by_ref();
            }
            polled
        })
        .await
    }
}

/// Whether a future has something to do.
struct Wanted {
    yes: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Wanted {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.yes.store(true, Ordering::SeqCst);
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, net::Ipv4Addr, pin::pin, rc::Rc};

    use tokio::{
        sync::Notify,
        task::{LocalSet, yield_now},
    };

    use super::*;

    /// Goes to the end of those who are ready. Tokio's own way to yield lets whole rounds of them go first.
    async fn queue_up_again() {
        let mut been_here = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut been_here, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    #[tokio::test]
    async fn hundreds_of_one_network_hold_up_themselves_and_nobody_else() {
        let queue = Turns::default().of(&Network::of(Ipv4Addr::LOCALHOST.into()));
        let served = Rc::new(RefCell::new(Vec::new()));
        let work = |who: u32| {
            let served = served.clone();
            async move {
                for _ in 0..3 {
                    served.borrow_mut().push(who);
                    queue_up_again().await;
                }
            }
        };
        let everybody = LocalSet::new();
        let many: Vec<_> = (1..=100)
            .map(|who| {
                let (queue, work) = (queue.clone(), work(who));
                everybody.spawn_local(async move { queue.run(pin!(work)).await })
            })
            .collect();
        let alone = everybody.spawn_local(work(0));
        everybody
            .run_until(async {
                for one in many {
                    one.await.unwrap();
                }
                alone.await.unwrap();
            })
            .await;
        let last = served.borrow().iter().rposition(|who| *who == 0).unwrap();
        assert!(last <= 2 + 3 * AT_A_TIME, "{last} went before the one who is alone");
        assert_eq!(served.borrow().len(), 3 * 101, "everybody has their turns");
    }

    #[tokio::test]
    async fn whoever_waits_for_something_else_holds_up_nobody() {
        let queue = Turns::default().of(&Network::of(Ipv4Addr::LOCALHOST.into()));
        let go_on = Arc::new(Notify::new());
        let idle: Vec<_> = (0..20)
            .map(|_| {
                let (queue, go_on) = (queue.clone(), go_on.clone());
                tokio::spawn(async move { queue.run(pin!(go_on.notified())).await })
            })
            .collect();
        for _ in 0..20 {
            yield_now().await;
        }
        queue.run(pin!(yield_now())).await;
        go_on.notify_waiters();
        for one in idle {
            one.await.unwrap();
        }
    }
}
