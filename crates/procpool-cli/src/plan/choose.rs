//! Chooses whether the typed jobs run on this machine or on a cluster. Before that, it refuses options that
//! exclude each other in either case.

use crate::args::RunRequest;
use crate::guard::Guard;
use crate::plan::{Plan, cluster, here, records};

/// # Errors
/// If the options are invalid, or a file that they name.
pub(crate) fn plan(request: RunRequest, guard: Option<&Guard>) -> anyhow::Result<Plan> {
    records::refuse_raw(&request.args)?;
    records::refuse_detached(&request.args)?;
    match request.args.cluster.cluster() {
        Some(_) => cluster::plan(request, guard),
        None => here::plan(request, guard),
    }
}
