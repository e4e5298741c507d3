//! An engine implemented outside of the crate, called by the engine thread.

use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use procpool_cluster::{
    Allocation, Answer, Array, ArrayId, ArrayState, CancelScope, Capacity, Engine, EngineError, EngineThread,
    SubmittedArray, Task,
};

struct Mine;

impl Engine for Mine {
    fn name(&self) -> &'static str {
        "mine"
    }

    fn check(&self) -> Result<(), EngineError> {
        Ok(())
    }

    fn survey(&self) -> Result<Capacity, EngineError> {
        Err(EngineError::Unreachable("gone fishing".into()))
    }

    fn submit(&self, array: &Array) -> Result<ArrayId, EngineError> {
        Ok(ArrayId::new(array.name.clone()))
    }

    fn find(&self, name: &str) -> Result<Option<ArrayId>, EngineError> {
        Ok((name == "here").then(|| ArrayId::new("1")))
    }

    fn poll(&self, _array: &SubmittedArray) -> Result<ArrayState, EngineError> {
        panic!("the engine has a bug");
    }

    fn cancel(&self, _array: &SubmittedArray, _whom: CancelScope) -> Result<(), EngineError> {
        Ok(())
    }

    fn allocation(&self, _variable: &dyn Fn(&str) -> Option<String>) -> Option<Allocation> {
        None
    }

    fn end_of(&self, _allocation: &Allocation) -> Result<Option<SystemTime>, EngineError> {
        Ok(None)
    }

    fn warning(&self) -> Duration {
        Duration::ZERO
    }
}

fn engine_thread() -> (EngineThread, impl Fn()) {
    let (wake, woken) = mpsc::channel();
    // The receiver of the wake-up may be gone.
    let wake = move || {
        let _ = wake.send(());
    };
    let engine_thread = EngineThread::new(Box::new(Mine), wake).expect("a thread");
    (engine_thread, move || woken.recv_timeout(Duration::from_secs(60)).expect("an answer"))
}

#[test]
fn answers_come_in_the_order_of_the_questions_and_wake_who_waits() {
    let (engine_thread, wait) = engine_thread();
    assert_eq!(engine_thread.take(), None);
    engine_thread.ask(Task::Survey);
    engine_thread.ask(Task::Find("here".into()));
    engine_thread.ask(Task::Find("there".into()));
    (0..3).for_each(|_| wait());
    assert_eq!(
        engine_thread.take(),
        Some(Answer::Surveyed(Err(EngineError::Unreachable("gone fishing".into()))))
    );
    assert_eq!(engine_thread.take(), Some(Answer::Found(Ok(Some(ArrayId::new("1"))))));
    assert_eq!(engine_thread.take(), Some(Answer::Found(Ok(None))));
    assert_eq!(engine_thread.take(), None);
}

#[test]
#[should_panic(expected = "BUG: the engine has panicked")]
fn nobody_waits_for_an_engine_that_has_panicked() {
    let (engine_thread, _) = engine_thread();
    engine_thread.ask(Task::Poll(SubmittedArray { id: ArrayId::new("1"), name: "run-1".into() }));
    while engine_thread.take().is_none() {
        std::thread::yield_now();
    }
}
