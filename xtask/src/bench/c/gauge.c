/* Runs PROGRAM COUNT times, one after the other, each with standard input from its start, and writes to REPORT:
 * nanoseconds in all, processor time in microseconds, the highest peak memory in KiB, the first wait status that is
 * not 0. All of these are of the program and of whom it has waited for.
 *
 *     gauge REPORT COUNT PROGRAM [ARGUMENT...]
 *
 * It is C and static because the kernel never shows less peak memory for a process than its parent had at its start. */

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long microseconds(struct timeval time) {
    return time.tv_sec * 1000000LL + time.tv_usec;
}

static long long nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        return 2;
    }
    long long processor = 0;
    long peak = 0;
    int first_failure = 0;
    long long start = nanoseconds();
    for (long left = atol(argv[2]); left > 0 && first_failure == 0; left--) {
        lseek(0, 0, SEEK_SET);
        pid_t child;
        struct rusage used;
        if (posix_spawnp(&child, argv[3], NULL, NULL, argv + 3, environ) != 0) {
            perror(argv[3]);
            return 127;
        }
        if (wait4(child, &first_failure, 0, &used) != child) {
            perror("wait4");
            return 1;
        }
        processor += microseconds(used.ru_utime) + microseconds(used.ru_stime);
        peak = used.ru_maxrss > peak ? used.ru_maxrss : peak;
    }
    long long end = nanoseconds();
    FILE *report = fopen(argv[1], "w");
    if (!report) {
        perror(argv[1]);
        return 1;
    }
    fprintf(report, "%lld %lld %ld %d\n", end - start, processor, peak, first_failure);
    return fclose(report) == 0 ? 0 : 1;
}
