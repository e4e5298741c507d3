# Jobs in a cgroup of version 2 that may have 64 MiB, and in one below it.
cd /sys/fs/cgroup
echo +memory > cgroup.subtree_control
mkdir small
echo 64M > small/memory.max

in_small() { sh -c 'echo $$ > /sys/fs/cgroup/small/cgroup.procs; exec "$@"' sh "$@"; }

# A field of the record of a job.
field() { grep '"key":"'$1'"' /tmp/records | sed 's/.*"'$2'":"\{0,1\}\([^",}]*\).*/\1/'; }

cat > /tmp/jobs.jsonl <<'J'
{"key": "before", "shell": "while ! [ -e /tmp/over ]; do sleep 0.1; done"}
{"key": "greedy", "shell": "exec tail /dev/zero"}
{"key": "after", "shell": "while ! grep -q '^oom_kill 1' /sys/fs/cgroup/small/memory.events; do sleep 0.1; done; touch /tmp/over"}
J
in_small procpool run -j3 --journal /tmp/journal --file /tmp/jobs.jsonl 2> /tmp/words
fact status $?
procpool export --format jsonl /tmp/journal > /tmp/records
fact killer-of-greedy $(field greedy killer)
fact signal-of-greedy $(field greedy signal)
fact others-that-succeeded $(grep -c '"success":true' /tmp/records)
fact words $(cat /tmp/words)
fact peak-of-cgroup $(cat small/memory.peak)
fact kills-of-cgroup $(sed -n 's/^oom_kill //p' small/memory.events)

cat > /tmp/jobs.jsonl <<'J'
{"key": "twenty", "cmd": ["dd", "if=/dev/zero", "of=/dev/null", "bs=20M", "count=2"]}
{"key": "killed", "shell": "kill -KILL $$"}
J
in_small procpool run --journal /tmp/second --file /tmp/jobs.jsonl 2> /dev/null
procpool export --format jsonl /tmp/second > /tmp/records
fact peak-of-twenty $(field twenty peak_memory)
fact killer-of-killed $(field killed killer)

mkdir own
echo 16M > own/memory.max
procpool run --journal /tmp/third --shell -- 'echo $$ > /sys/fs/cgroup/own/cgroup.procs; exec tail /dev/zero' ::: own 2> /dev/null
procpool export --format jsonl /tmp/third > /tmp/records
fact killer-below $(field own killer)
