//! A recorded attempt for the tests of whoever reads journals, without a journal.
//! It is read as any other: what a record needs and this lacks fails here first.

use crate::format::entry::Entry;

/// One that says this, and of all else that it is a success of a moment.
#[must_use]
pub fn scripted(says: &serde_json::Value) -> Entry {
    let mut fields = serde_json::json!({
        "generation": 1, "attempt": 1, "job": "0", "fingerprint": "1", "ended": "2026-01-02T03:04:05.678Z",
        "outcome": "exited", "success": true, "status": 0, "exit_code": 0, "signal": null, "killer": null,
        "error": null, "errno": null, "started": "2026-01-02T03:04:05.478Z", "seconds": 0.2,
        "user_seconds": 0.1, "system_seconds": 0.05, "peak_memory": 4096, "peak_memory_below": null,
        "stdout_bytes": 0, "stderr_bytes": 0, "leaked": false, "output_complete": true, "seq": 1, "slot": 2,
        "waited_for": null, "key": "k",
    });
    for (name, value) in says.as_object().into_iter().flatten() {
        fields[name] = value.clone();
    }
    serde_json::from_value(fields).expect("it has all fields")
}
