//! Asynchronous code within the vat: a method may wait for promises with `.await`.
//!
//! Futures live in the vat's memory, which outlives restarts, and end with the incarnation. They run in the order in which they
//! became ready, at the end of the event that made them so.

use alloc::{
    boxed::Box,
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    sync::Arc,
    task::Wake,
};
use core::{
    cell::RefCell,
    future::{Future, IntoFuture},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use crate::{Promise, Value, runtime::with};

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What is under way.
#[derive(Default)]
pub(crate) struct Tasks {
    last: u64,
    waiting: BTreeMap<u64, Task>,
    ready: VecDeque<u64>,
}

struct Wakening {
    id: u64,
}

impl Wake for Wakening {
    fn wake(self: Arc<Self>) {
        let id = self.id;
        with(|tables| {
            if !tables.tasks.ready.contains(&id) {
                tables.tasks.ready.push_back(id);
            }
        });
    }
}

/// Runs a future to its end, beginning at this event's end.
pub fn spawn(future: impl Future<Output = ()> + 'static) {
    let task: Task = Box::pin(future);
    with(|tables| {
        tables.tasks.last += 1;
        let id = tables.tasks.last;
        tables.tasks.waiting.insert(id, task);
        tables.tasks.ready.push_back(id);
    });
}

/// Runs what is ready until nothing is.
pub(crate) fn run() {
    loop {
        let next = with(|tables| {
            let id = tables.tasks.ready.pop_front()?;
            Some((id, tables.tasks.waiting.remove(&id)))
        });
        let Some((id, task)) = next else { return };
        let Some(mut task) = task else { continue };
        let waker = Waker::from(Arc::new(Wakening { id }));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            with(|tables| tables.tasks.waiting.insert(id, task));
        }
    }
}

/// A promise's outcome, once it has settled.
pub struct Settled {
    promise: Option<Promise>,
    shared: Rc<RefCell<Awaiting>>,
}

#[derive(Default)]
struct Awaiting {
    outcome: Option<Result<Value, Value>>,
    waker: Option<Waker>,
}

impl core::fmt::Debug for Settled {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_tuple("Settled").finish()
    }
}

impl Future for Settled {
    type Output = Result<Value, Value>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(promise) = self.promise.take() {
            let shared = self.shared.clone();
            promise.when(move |outcome| {
                let waker = {
                    let mut awaiting = shared.borrow_mut();
                    awaiting.outcome = Some(outcome);
                    awaiting.waker.take()
                };
                if let Some(waker) = waker {
                    waker.wake();
                }
            });
        }
        let mut awaiting = self.shared.borrow_mut();
        match awaiting.outcome.take() {
            Some(outcome) => Poll::Ready(outcome),
            None => {
                awaiting.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl IntoFuture for Promise {
    type Output = Result<Value, Value>;
    type IntoFuture = Settled;

    /// `Ok` with its value or `Err` with the reason of its rejection.
    fn into_future(self) -> Settled {
        Settled {
            promise: Some(self),
            shared: Rc::default(),
        }
    }
}

impl IntoFuture for &Promise {
    type Output = Result<Value, Value>;
    type IntoFuture = Settled;

    fn into_future(self) -> Settled {
        self.clone().into_future()
    }
}
