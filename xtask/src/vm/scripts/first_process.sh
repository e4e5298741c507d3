# procpool as the machine's first process: it ends with 1, and reaps what a job has left.
exec procpool run --shell -- '
    (setsid sleep 0.2 > /dev/null 2>&1 &)
    sleep 0.5
    for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        grep -l "^State:.Z" /proc/[0-9]*/status > /tmp/zombies 2> /dev/null || { echo @orphans reaped; exit 1; }
        sleep 0.2
    done
    echo @orphans $(cat $(cat /tmp/zombies))' ::: 1 2> /dev/null
