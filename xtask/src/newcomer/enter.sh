# The way onto the stage, in a mount namespace of its own: `enter.sh STAGE PLACE... -- COMMAND...`. Each PLACE is covered by
# the copy of it in STAGE, so that programs find all files where they were built. A folder on the way there that is closed
# to others, such as /root, is covered by an empty one.
set -e
stage=$1
shift
while [ "$1" != -- ]; do
    way=
    rest=${1#/}/
    while [ -n "$rest" ]; do
        way=$way/${rest%%/*}
        rest=${rest#*/}
        case $(stat -L -c %A "$way" 2> /dev/null) in
        '' | *[xt]) ;;
        *) mount -t tmpfs -o mode=755 none "$way" ;;
        esac
    done
    mkdir -p "$1"
    mount --bind "$stage$1" "$1"
    shift
done
shift
exec "$@"
