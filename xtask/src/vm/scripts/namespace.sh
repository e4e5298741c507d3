# procpool as the first process of a PID namespace.
within() { unshare -p -f --mount-proc "$@"; }

# Processes of jobs that are still there, after a second of patience.
left() {
    tries=0
    while [ "$(ps -o args | grep -c '^sleep 7[7]')" != 0 ] && [ $tries -lt 10 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
    ps -o args | grep -c '^sleep 7[7]'
}

up() { [ "$(ps -o args | grep -c '^sleep 7[7]')" = 3 ]; }

within procpool run -- echo {} ::: 1 2 3 > /tmp/out
fact status-of-success $?
fact output-of-success $(sort /tmp/out)
within procpool run -- false ::: 1 2> /dev/null
fact status-of-failure $?

for signal in INT TERM HUP; do
    # The third job asks for the end. It waits until the others are there.
    within procpool run -j3 --cwd /tmp --shell -- '
        touch up-$PROCPOOL_KEY
        if [ $PROCPOOL_KEY = c ]; then
            while ! [ -e up-a ] || ! [ -e up-b ]; do sleep 0.05; done
            kill -'$signal' 1
        fi
        exec sleep 77' ::: a b c 2> /dev/null
    fact status-of-$signal-from-within $?
    fact left-by-$signal-from-within $(left)
    rm -f /tmp/up-*
done

# Waits until three jobs run in a namespace, and sends a signal to one of its processes: the first, the child of that, or
# the one that has started the jobs. From behind, for a shell has its own background ignore INT.
strike() {
    until_true up || fact unseen jobs
    unshared=$(pidof unshare)
    read -r first rest < /proc/$unshared/task/$unshared/children
    case $2 in
        first) kill -$1 $first ;;
        child) read -r child rest < /proc/$first/task/$first/children; kill -$1 $child ;;
        pool) kill -$1 $(awk '/^PPid/ { print $2 }' /proc/$(pidof sleep | awk '{ print $1 }')/status) ;;
    esac
}

# Runs three jobs, which are stricken.
run_three() {
    strike $1 $2 &
    within procpool run -j3 -- sleep {} ::: 77 77.0 77.00 2> /dev/null
}

for signal in INT TERM HUP; do
    run_three $signal first
    fact status-of-$signal-from-outside $?
    fact left-by-$signal-from-outside $(left)
done

# A job that leaves two: one of which the parent ends at once, and one in a session of its own. Both end soon.
within procpool run --shell -- '
    (sleep 0.2 > /dev/null 2>&1 &)
    (setsid sleep 0.3 > /dev/null 2>&1 &)
    sleep 0.6
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        grep -l "^State:.Z" /proc/[0-9]*/status > /tmp/zombies 2> /dev/null || { echo reaped; exit 0; }
        sleep 0.2
    done
    cat $(cat /tmp/zombies)' ::: 1 > /tmp/out 2> /dev/null
fact status-of-orphans $?
fact orphans $(cat /tmp/out)

for whom in child pool first; do
    run_three KILL $whom
    fact status-of-a-killed-$whom $?
    fact left-by-a-killed-$whom $(left)
done
