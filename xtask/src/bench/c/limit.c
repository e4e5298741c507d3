/* The limit: THREADS threads that do nothing but posix_spawn(3) and waitpid(2), until PROGRAM has run COUNT times.
 * It captures nothing, and of the words that PROGRAM gets only the last differs: the number of the start, from 1.
 *
 *     limit COUNT THREADS PROGRAM [ARGUMENT...] */

#include <pthread.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

extern char **environ;

static long count;
static int words;
static char **command;
static atomic_long begun;
static atomic_int failed;

static void *start_and_wait(void *unused) {
    char number[24];
    char **argv = calloc(words + 2, sizeof *argv);
    if (!argv) {
        failed = 1;
        return unused;
    }
    memcpy(argv, command, words * sizeof *argv);
    argv[words] = number;
    for (long mine; (mine = ++begun) <= count;) {
        snprintf(number, sizeof number, "%ld", mine);
        pid_t child;
        int status;
        if (posix_spawn(&child, argv[0], NULL, NULL, argv, environ) != 0 ||
            waitpid(child, &status, 0) != child || status != 0) {
            failed = 1;
        }
    }
    return unused;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        return 2;
    }
    count = atol(argv[1]);
    int threads = atoi(argv[2]);
    words = argc - 3;
    command = argv + 3;
    pthread_attr_t small;
    pthread_t *all = calloc(threads, sizeof *all);
    if (!all || pthread_attr_init(&small) != 0 || pthread_attr_setstacksize(&small, 128 * 1024) != 0) {
        return 1;
    }
    for (int i = 0; i < threads; i++) {
        if (pthread_create(&all[i], &small, start_and_wait, NULL) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(all[i], NULL);
    }
    return failed;
}
