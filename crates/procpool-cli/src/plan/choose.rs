//! Chooses where the jobs run that were typed: here or on a cluster.
//! What goes with neither is refused first.

use crate::args::RunRequest;
use crate::guard::Guard;
use crate::plan::{Plan, cluster, here, records};

/// # Errors
/// Whatever is wrong with what was typed, or with a file that it names.
pub(crate) fn plan(request: RunRequest, guard: Option<&Guard>) -> anyhow::Result<Plan> {
    records::refuse_raw(&request.args)?;
    records::refuse_detached(&request.args)?;
    match request.args.cluster.cluster() {
        Some(_) => cluster::plan(request, guard),
        None => here::plan(request, guard),
    }
}
