# procpool as the machine's first process, which a process of before asks to end once its jobs run.
(
    until_true test -e /tmp/up
    kill -TERM 1
) &
exec procpool run --shell -- 'touch /tmp/up; exec sleep 77' ::: 1
