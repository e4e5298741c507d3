/* Writes as many bytes as its first argument says, all of them the first letter of its second. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As much as a pipe holds. */
static char block[64 * 1024];

int main(int argc, char **argv) {
    if (argc < 3) {
        return 2;
    }
    memset(block, argv[2][0], sizeof block);
    long long left = atoll(argv[1]);
    while (left > 0) {
        size_t wanted = left < (long long)sizeof block ? (size_t)left : sizeof block;
        ssize_t written = write(1, block, wanted);
        if (written <= 0) {
            return 1;
        }
        left -= written;
    }
    return 0;
}
