# The root is read-only; /tmp and /dev/shm are not.
mount -o remount,ro /
touch /x 2> /dev/null || fact root read-only

procpool run -- echo {} ::: 1 2 3 > /tmp/out
fact status $?
fact output $(sort /tmp/out)

procpool run --journal /tmp/journal -- true ::: 1 2 3
fact status-of-journal $?
fact succeeded-in-journal $(procpool ls /tmp/journal | grep -c succeeded)

procpool run --journal /journal -- touch /tmp/started-{} ::: 1 2 3 2> /tmp/words
fact status-of-refused-journal $?
fact words-of-refused-journal $(cat /tmp/words)
fact started-of-refused-journal $(ls /tmp | grep -c started)

procpool run --results /results -- true ::: 1 2> /tmp/words
fact status-of-refused-results $?
fact words-of-refused-results $(cat /tmp/words)

TMPDIR=/etc procpool run --output raw -- echo {} ::: 1 2 3 > /tmp/out
fact status-of-raw-without-spool $?
fact output-of-raw-without-spool $(sort /tmp/out)
