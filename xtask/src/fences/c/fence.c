// A fence: the kernel refuses one system call to procpool and to all that it starts, as a container's seccomp filter would.
// Preloaded, from procpool's own first step on, behind the loader and the language's runtime; with ALONE, a program that
// another one is started by, from before the loader.
//
// FENCE is `NUMBER ERRNO ARGUMENT MASK VALUE`: refused is a call whose argument, as far as the mask goes, has that
// value. A mask of 0 with a value of 0 refuses them all.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

static void put_up(void) {
    const char *text = getenv("FENCE");
    unsigned number, error, argument, mask, value;
    if (text == NULL) return;
    if (sscanf(text, "%u %u %u %u %u", &number, &error, &argument, &mask, &value) != 5) _exit(99);
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4),
        // The lower half of it, which all that is asked for here fits into.
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * argument),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        _exit(98);
}

#ifdef ALONE

int main(int count, char **words) {
    if (count < 2) return 97;
    put_up();
    execv(words[1], words + 1);
    return 96;
}

#else

// The first thing that procpool does once it knows that it is to run something.
int pthread_sigmask(int how, const sigset_t *set, sigset_t *before) {
    static int is_up;
    int (*real)(int, const sigset_t *, sigset_t *) =
        (int (*)(int, const sigset_t *, sigset_t *))dlsym(RTLD_NEXT, "pthread_sigmask");
    if (!is_up) {
        is_up = 1;
        put_up();
    }
    return real(how, set, before);
}

#endif
