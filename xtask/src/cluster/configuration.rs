//! Slurm's configuration for a cluster on one machine, as text.

use std::fmt::Write as _;

use crate::cluster::home::Home;
use crate::cluster::size::ClusterSize;

/// slurmd 22.05 looks up the version of cgroups when it starts, even if nothing uses them, and dies where
/// /sys/fs/cgroup isn't mounted, as in containers. It does not look if a version is configured.
pub(crate) const CGROUPS: &str = "CgroupPlugin=cgroup/v1\n";

/// The text of slurm.conf; `host` is this machine's short name.
pub(crate) fn slurm(home: &Home, size: &ClusterSize, host: &str) -> String {
    let root = home.folder().display();
    let ClusterSize { nodes, cpus, port, max_array } = size;
    let (first, last) = (port + 1, port + nodes);
    let mut text = format!(
        "\
# written by `cargo xtask cluster start`, which replaces it
ClusterName=test

# All on the loopback address alone.
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny

# A job that was requeued doesn't start again before its old credential has expired: 5 s and not 2 minutes.
AuthType=auth/munge
AuthInfo=socket={root}/munge/socket,cred_expire=5
CredType=cred/munge

SlurmUser=root
SlurmdUser=root
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd-%n.pid
SlurmctldLogFile={root}/log/slurmctld.log
SlurmdLogFile={root}/log/slurmd-%n.log
JobCompType=jobcomp/filetxt
JobCompLoc={root}/log/jobcomp.log

# Nothing that wants cgroups, a database or a network of its own.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
MailProg=/bin/true

# The nodes claim processors that this machine doesn't have.
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU

# The least time from one decision to the next: with the default an element costs 2.6 s and not 1 s.
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0,default_queue_depth=1000

MaxJobCount=200000
MaxArraySize={max_array}
MaxStepCount=1000000
JobRequeue=1

# A job in the partition `urgent` takes the nodes of others, which are put back in the queue.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE

KillWait=2

# A node that doesn't answer is given up after 5 s, which is noticed some 16 s later, and not after 5 minutes. One that
# comes back is used again at once.
SlurmdTimeout=5
MessageTimeout=5
ReturnToService=2

"
    );
    writeln!(
        text,
        "NodeName=n[1-{nodes}] NodeHostname=localhost NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs={cpus} \
         RealMemory=1000 State=UNKNOWN\n\
         PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP PriorityTier=1\n\
         PartitionName=urgent Nodes=ALL MaxTime=INFINITE State=UP PriorityTier=2 PreemptMode=OFF"
    )
    .expect("BUG: a string takes all");
    text
}
