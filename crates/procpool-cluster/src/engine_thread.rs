//! A thread that calls an engine, so that the head's caller never waits for it.

use std::io;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;

use crate::engine::Engine;
use crate::task::{Answer, Task};

/// Carries out tasks on an engine, one after another.
///
/// Dropping it doesn't wait: its thread ends after the current call, which has a timeout.
#[derive(Debug)]
pub struct EngineThread {
    tasks: Sender<Task>,
    answers: Receiver<Answer>,
}

impl EngineThread {
    /// Starts the thread.
    ///
    /// `wake` is called on that thread after each answer, for callers that wait for several things at once.
    ///
    /// # Errors
    /// If the thread can't be created.
    pub fn new(engine: Box<dyn Engine>, wake: impl Fn() + Send + 'static) -> io::Result<EngineThread> {
        let (tasks, asked) = mpsc::channel();
        let (answered, answers) = mpsc::channel();
        let work = move || {
            for task in asked {
                if answered.send(carry_out(&*engine, task)).is_err() {
                    return;
                }
                wake();
            }
        };
        thread::Builder::new().name("procpool-engine".into()).spawn(work)?;
        Ok(EngineThread { tasks, answers })
    }

    /// Queues a task, and returns at once.
    ///
    /// # Panics
    /// If the engine has panicked.
    pub fn ask(&self, task: Task) {
        assert!(self.tasks.send(task).is_ok(), "BUG: the engine has panicked");
    }

    /// The next answer, if there is one already.
    ///
    /// # Panics
    /// If the engine has panicked.
    #[must_use]
    pub fn take(&self) -> Option<Answer> {
        let answer = self.answers.try_recv();
        assert!(answer != Err(TryRecvError::Disconnected), "BUG: the engine has panicked");
        answer.ok()
    }
}

/// Makes the call that a task describes.
pub fn carry_out(engine: &dyn Engine, task: Task) -> Answer {
    match task {
        Task::Survey => Answer::Surveyed(engine.survey()),
        Task::Submit(array) => Answer::Submitted(engine.submit(&array)),
        Task::Find(name) => Answer::Found(engine.find(&name)),
        Task::Poll(array) => Answer::Polled(engine.poll(&array)),
        Task::Cancel(array, scope) => Answer::Cancelled(engine.cancel(&array, scope)),
    }
}
