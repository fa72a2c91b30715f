//! Fair scheduling of connections by network: a network with hundreds of busy connections delays
//! only itself.
//!
//! Networks are mapped to a fixed number of queues by a keyed hash, so there is no state per
//! network (Paul McKenney, "Stochastic Fairness Queueing", 1990).

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

/// Number of queues.
const QUEUES: usize = 256;
/// Number of connections that one queue may poll before all other ready tasks have run.
const PERMITS_PER_QUEUE: usize = 2;

/// All queues, and the hash that maps networks to them.
pub(super) struct FairQueues {
    queues: Vec<Arc<Semaphore>>,
    hasher: RandomState,
}

impl Default for FairQueues {
    fn default() -> Self {
        let queue = || Arc::new(Semaphore::new(PERMITS_PER_QUEUE));
        Self {
            queues: std::iter::repeat_with(queue).take(QUEUES).collect(),
            hasher: RandomState::new(),
        }
    }
}

impl FairQueues {
    /// The queue of a network's connections.
    pub(super) fn of(&self, network: &Network) -> Queue {
        let hash = self.hasher.hash_one(network);
        let nth = usize::try_from(hash % QUEUES as u64).unwrap_or_default();
        Queue(self.queues[nth].clone())
    }
}

/// A handle to a queue.
#[derive(Clone)]
pub(super) struct Queue(Arc<Semaphore>);

impl Queue {
    /// Runs a future, polling it only while it holds a permit of the queue. The permit is kept
    /// until all other ready tasks have run once.
    pub(super) async fn run<F: Future>(&self, mut future: Pin<&mut F>) -> F::Output {
        let mut permits = PollSemaphore::new(self.0.clone());
        let mut permit = None;
        let readiness =
            Arc::new(Readiness { woken: AtomicBool::new(true), task: AtomicWaker::new() });
        let waker = Waker::from(readiness.clone());
        poll_fn(|cx| {
            permit.take(); // Other ready tasks have run since the previous poll.
            readiness.task.register(cx.waker());
            if !readiness.woken.load(Ordering::SeqCst) {
                return Poll::Pending;
            }
            let Poll::Ready(acquired) = permits.poll_acquire(cx) else { return Poll::Pending };
            readiness.woken.store(false, Ordering::SeqCst);
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            if polled.is_pending() {
                permit = acquired;
                cx.waker().wake_by_ref();
            }
            polled
        })
        .await
    }
}

/// Whether a future has been woken since its last poll.
struct Readiness {
    woken: AtomicBool,
    task: AtomicWaker,
}

impl Wake for Readiness {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::SeqCst);
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

    /// Yields to every ready task once. Tokio's `yield_now` may run several rounds of them first.
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
        let queue = FairQueues::default().of(&Network::of(Ipv4Addr::LOCALHOST.into()));
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
        assert!(last <= 2 + 3 * PERMITS_PER_QUEUE, "{last} went before the one who is alone");
        assert_eq!(served.borrow().len(), 3 * 101, "everybody has their turns");
    }

    #[tokio::test]
    async fn an_idle_connection_holds_no_permit() {
        let queue = FairQueues::default().of(&Network::of(Ipv4Addr::LOCALHOST.into()));
        let resume = Arc::new(Notify::new());
        let idle: Vec<_> = (0..20)
            .map(|_| {
                let (queue, resume) = (queue.clone(), resume.clone());
                tokio::spawn(async move { queue.run(pin!(resume.notified())).await })
            })
            .collect();
        for _ in 0..20 {
            yield_now().await;
        }
        queue.run(pin!(yield_now())).await;
        resume.notify_waiters();
        for one in idle {
            one.await.unwrap();
        }
    }
}
