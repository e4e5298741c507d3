//! Collects the output of a process in a thread, so that no process blocks on a full pipe by accident.

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::thread;

/// Collects the content of a stream up to its end.
#[derive(Clone, Default)]
pub(crate) struct Listener(Arc<Mutex<Heard>>);

#[derive(Default)]
struct Heard {
    bytes: Vec<u8>,
    over: bool,
}

impl Listener {
    pub(crate) fn new(stream: Option<impl Read + Send + 'static>) -> Listener {
        let listener = Listener::default();
        let Some(mut stream) = stream else {
            listener.0.lock().unwrap().over = true;
            return listener;
        };
        let ear = listener.clone();
        thread::spawn(move || {
            let mut part = vec![0; 1 << 16];
            // A terminal ends with an error.
            while let Ok(count @ 1..) = stream.read(&mut part) {
                ear.0.lock().unwrap().bytes.extend(&part[..count]);
            }
            ear.0.lock().unwrap().over = true;
        });
        listener
    }

    pub(crate) fn heard(&self) -> Vec<u8> {
        self.0.lock().unwrap().bytes.clone()
    }

    pub(crate) fn is_over(&self) -> bool {
        self.0.lock().unwrap().over
    }
}
