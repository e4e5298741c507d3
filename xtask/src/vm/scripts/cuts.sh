# A run that is recorded, on a machine that loses its power. Told before: $start, the number of this start; $list, of which
# list the records are looked at; $next, which list is run then; $limit and $jobs; $durable, the option for it.

# Nothing reaches a disk but what somebody waits for, as long as a machine lives here.
echo 0 > /proc/sys/vm/dirty_writeback_centisecs
mount -t ext4 -o commit=300 /dev/vda /disk
mount -t ext4 -o commit=300 /dev/vdb /stamps

# A job writes down that it began, prints its line, and writes down that it ended. It waits for the disk both times.
# A stamp has lines of its own even behind one that was torn.
cat > /bin/job <<'J'
#!/bin/sh
stamp() { printf '\n%s\n' "$*" | dd of=/stamps/$next oflag=append conv=notrunc,fsync 2> /dev/null; }
stamp began $start $1
width=$((10 + $1 * 37 % 200))
[ $(($1 % 7)) != 0 ] || width=6000
printf "result $1 %0${width}d .\n" $1
stamp ended $start $1
J
sed -i "s/\$start/$start/; s/\$next/$next/" /bin/job
chmod +x /bin/job

journal=/disk/$list
if [ -s $journal/journal.jsonl ]; then
    procpool export --format jsonl $journal > /tmp/records 2> /tmp/words
    status=$?
    [ $status = 0 ] || cat /tmp/words
    fact export $status
    sed -n '/"success":true/s/.*"key":"\([0-9]*\)".*/@recorded \1/p' /tmp/records
fi
[ ! -e /stamps/$list ] || sed -n '/./s/^/@stamp /p' /stamps/$list
fact checked
[ $next != 0 ] || return 0

journal=/disk/$next
fact begun
by_command() {
    procpool run -j$limit --journal $journal --resume $durable -- job {} ::: $(seq $jobs) 2> /tmp/words
}

if [ -s $journal/journal.jsonl ] && [ $((start % 2)) = 0 ]; then
    procpool resume $journal 2> /tmp/words
    status=$?
    # Only the command knows what would have stood in a list that was cut off while it was written.
    if [ $status = 3 ] && grep -q 'run its command again with --resume' /tmp/words; then
        by_command
        status=$?
    fi
else
    by_command
    status=$?
fi
[ $status = 0 ] || tail /tmp/words
fact ended $status
# The power is cut now.
sleep 1000
