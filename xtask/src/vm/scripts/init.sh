#!/bin/busybox sh
# The first process of a small machine. What it finds out goes to the console, a fact a line: `@NAME VALUE`.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ TMPDIR=/tmp
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mkdir -p /dev/shm /dev/pts
mount -t tmpfs none /dev/shm
mount -t devpts none /dev/pts
mount -t tmpfs none /tmp
mount -t cgroup2 none /sys/fs/cgroup
ip link set lo up
for module in 0 1 2 3 4 5; do insmod /modules/$module.ko; done
# The kernel's own lines would break ours; what it says in a panic comes all the same.
dmesg -n 1
# No echo, and newlines as they are.
stty -F /dev/console -echo -onlcr

fact() { echo "@$*"; }

# Waits up to 20 seconds until a command succeeds.
until_true() {
    tries=0
    while ! "$@"; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || return 1
        sleep 0.1
    done
}

fact booted
. /script
fact over
poweroff -f
