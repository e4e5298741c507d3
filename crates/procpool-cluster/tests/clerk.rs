//! A foreign engine, called by the thread for engines.

use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use procpool_cluster::{
    Allocation, Answer, Array, ArrayId, Capacity, Clerk, Engine, EngineError, HandedIn, Seen, Task, Whom,
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

    fn poll(&self, _array: &HandedIn) -> Result<Seen, EngineError> {
        panic!("the engine has a bug");
    }

    fn cancel(&self, _array: &HandedIn, _whom: Whom) -> Result<(), EngineError> {
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

fn clerk() -> (Clerk, impl Fn()) {
    let (wake, woken) = mpsc::channel();
    // The receiver of the wake-up may be gone.
    let wake = move || {
        let _ = wake.send(());
    };
    let clerk = Clerk::new(Box::new(Mine), wake).expect("a thread");
    (clerk, move || woken.recv_timeout(Duration::from_secs(60)).expect("an answer"))
}

#[test]
fn answers_come_in_the_order_of_the_questions_and_wake_who_waits() {
    let (clerk, wait) = clerk();
    assert_eq!(clerk.take(), None);
    clerk.ask(Task::Survey);
    clerk.ask(Task::Find("here".into()));
    clerk.ask(Task::Find("there".into()));
    (0..3).for_each(|_| wait());
    assert_eq!(clerk.take(), Some(Answer::Surveyed(Err(EngineError::Unreachable("gone fishing".into())))));
    assert_eq!(clerk.take(), Some(Answer::Found(Ok(Some(ArrayId::new("1"))))));
    assert_eq!(clerk.take(), Some(Answer::Found(Ok(None))));
    assert_eq!(clerk.take(), None);
}

#[test]
#[should_panic(expected = "BUG: the engine has panicked")]
fn nobody_waits_for_an_engine_that_has_panicked() {
    let (clerk, _) = clerk();
    clerk.ask(Task::Poll(HandedIn { id: ArrayId::new("1"), name: "run-1".into() }));
    while clerk.take().is_none() {
        std::thread::yield_now();
    }
}
