/* Sleeps as many milliseconds as its first argument says; others mean nothing. */

#include <errno.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv) {
    if (argc < 2) {
        return 2;
    }
    long milliseconds = atol(argv[1]);
    struct timespec rest = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&rest, &rest) != 0) {
        if (errno != EINTR) {
            return 1;
        }
    }
    return 0;
}
