/* Loaded before the program: the system refuses links, and renaming with conditions, as some file
 * systems do. The kernel refuses, because not every caller goes through the C library. */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE(error) BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))
#define UNLESS(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)

__attribute__((constructor)) static void refuse_links(void)
{
    struct sock_filter filter[] = {
        LOAD(nr),
        UNLESS(SYS_linkat, 1),
        REFUSE(EPERM),
#ifdef SYS_link
        UNLESS(SYS_link, 1),
        REFUSE(EPERM),
#endif
        UNLESS(SYS_renameat2, 3),
        LOAD(args[4]),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
        REFUSE(EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("links cannot be refused");
        exit(99);
    }
}
