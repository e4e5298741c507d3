# procpool with a /proc that is not its own, or not all of it, or without any. $1 is what the facts are called by.
tell() {
    fact status-of-$1 $?
    fact output-of-$1 $(sort /tmp/out)
    cat /tmp/words
}

# Those that have the numbers which a namespace's processes believe to be theirs.
for bystander in 1 2 3; do sleep 1000 & done
unshare -p -f procpool run -- echo {} ::: 1 2 3 > /tmp/out 2> /tmp/words
tell foreign
fact lines-of-foreign $(grep -c . /tmp/words)
fact bystanders-of-foreign $(ps -o args | grep -c '^sleep 100[0]')

umount /proc
mount -t proc -o hidepid=2 none /proc
procpool run -- echo {} ::: 1 2 3 > /tmp/out 2> /tmp/words
tell hidden

umount /proc
mount -t proc -o subset=pid none /proc
procpool run -- echo {} ::: 1 2 3 > /tmp/out 2> /tmp/words
tell subset

umount /proc
procpool run -- echo {} ::: 1 2 3 > /tmp/out 2> /tmp/words
tell absent
fact lines-of-absent $(grep -c . /tmp/words)
procpool run --no-guard -- echo {} ::: 1 2 3 > /tmp/out 2> /tmp/words
tell unguarded
