// A job that a fence around procpool doesn't concern: no loader, no C library, and other system calls than procpool's.
//
//     job words KEY       a line on each of the two streams
//     job large KEY       the same, and 2 MiB on standard output
//     job stubborn KEY    the same, and then waits for ever, whatever TERM says

#include <sys/syscall.h>
#include <sys/uio.h>

static long call(long number, long a, long b, long c, long d) {
    long result;
#if defined(__x86_64__)
    register long fourth __asm__("r10") = d;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                     : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long eighth __asm__("x8") = number;
    register long zeroth __asm__("x0") = a;
    register long first __asm__("x1") = b;
    register long second __asm__("x2") = c;
    register long third __asm__("x3") = d;
    __asm__ volatile("svc 0" : "+r"(zeroth) : "r"(eighth), "r"(first), "r"(second), "r"(third) : "memory");
    result = zeroth;
#else
#error "no system call known for this processor"
#endif
    return result;
}

static void leave(long status) {
    for (;;) call(SYS_exit_group, status, 0, 0, 0);
}

static unsigned long length(const char *text) {
    unsigned long count = 0;
    while (text[count]) count++;
    return count;
}

// All of it, by writev(2), which procpool's own output has no need of.
static void put(int descriptor, const char *text, unsigned long count) {
    while (count > 0) {
        struct iovec piece = {(void *)text, count};
        long written = call(SYS_writev, descriptor, (long)&piece, 1, 0);
        if (written <= 0) leave(9);
        text += written;
        count -= written;
    }
}

static void line(int descriptor, const char *word, const char *key) {
    put(descriptor, word, length(word));
    put(descriptor, key, length(key));
    put(descriptor, "\n", 1);
}

static char block[4096];

__attribute__((used)) static void start(long *stack) {
    char **words = (char **)(stack + 1);
    if (stack[0] < 3) leave(8);
    line(1, "out ", words[2]);
    line(2, "err ", words[2]);
    if (words[1][0] == 'l') {
        for (unsigned i = 0; i < sizeof block; i++) block[i] = i % 64 == 63 ? '\n' : 'x';
        for (int i = 0; i < 512; i++) put(1, block, sizeof block);
    }
    if (words[1][0] == 's') {
        // Signal 15 is ignored (handler 1).
        struct { void *handler; unsigned long flags; void *restorer; unsigned long mask; } ignore = {(void *)1, 0, 0, 0};
        call(SYS_rt_sigaction, 15, (long)&ignore, 0, 8);
        struct { long seconds, nanoseconds; } minute = {60, 0};
        call(SYS_nanosleep, (long)&minute, 0, 0, 0);
    }
    leave(0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n mov %rsp, %rdi\n and $-16, %rsp\n call start\n");
#else
__asm__(".globl _start\n_start:\n mov x0, sp\n bl start\n");
#endif
