/* Loaded before the C library: a disk that reports its operations in order, and fails when it is
 * told to.
 *
 * DISK_FILES: a part of the paths of the watched files.
 * DISK_LOG: where operations are reported. Each record is one append, so records of several threads
 *   and processes are in order.
 * DISK_FAULT: a file. If it exists, its one line says which calls fail: its own number, `w` for
 *   writing or `s` for syncing, the error, how many such calls still work, how many then fail, and
 *   a part of the paths of their files.
 *
 * A write is reported once it is done; a sync when it begins and when it is done, because later
 * writes are not covered by it; an answer over HTTP before it is sent. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define REAL(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

struct __attribute__((packed)) record {
    uint8_t kind;
    uint32_t thread;
    uint64_t at;
    uint32_t of_name;
    uint32_t of_data;
};

static void tell(uint8_t kind, const char *name, uint64_t at, const struct iovec *data, int parts) {
    static int log = -1;
    const char *path = getenv("DISK_LOG");
    if (!path) return;
    if (log < 0) {
        int opened = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CLOEXEC);
        int none = -1;
        if (opened < 0) return;
        if (!__atomic_compare_exchange_n(
                &log, &none, opened, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
            syscall(SYS_close, opened);
    }
    struct iovec all[66];
    size_t length = 0;
    if (parts > 64) abort();
    for (int part = 0; part < parts; part++) {
        all[part + 2] = data[part];
        length += data[part].iov_len;
    }
    struct record record = { kind, syscall(SYS_gettid), at, strlen(name), length };
    all[0] = (struct iovec){ &record, sizeof record };
    all[1] = (struct iovec){ (void *)name, strlen(name) };
    long expected = sizeof record + record.of_name + length;
    if (syscall(SYS_writev, log, all, parts + 2) != expected) abort();
}

/* The path of a watched file, or nothing. */
static const char *meant(int fd, char *path, size_t size) {
    const char *part = getenv("DISK_FILES");
    char link[64];
    if (!part) return NULL;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
    if (length <= 0) return NULL;
    path[length] = 0;
    return strstr(path, part) ? path : NULL;
}

/* Whether the call fails, with errno set. The last failure removes the fault; a process that cannot
 * remove it does not fail. */
static int fails(char call, int fd) {
    static uint64_t known, calls;
    const char *fault = getenv("DISK_FAULT");
    if (!fault) return 0;
    int file = syscall(SYS_openat, AT_FDCWD, fault, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    char text[512] = "", which = 0, part[256] = "", link[64], path[4096];
    long length = syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    unsigned long long number;
    unsigned error, works, broken;
    const char *format = "%llu %c %u %u %u %255s";
    if (length <= 0
        || sscanf(text, format, &number, &which, &error, &works, &broken, part) != 6)
        return 0;
    if (which != call) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    if (!strstr(path, part)) return 0;
    if (__atomic_exchange_n(&known, number, __ATOMIC_SEQ_CST) != number)
        __atomic_store_n(&calls, 0, __ATOMIC_SEQ_CST);
    uint64_t call_number = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (call_number <= works) return 0;
    if (call_number >= works + broken && syscall(SYS_unlinkat, AT_FDCWD, fault, 0) != 0) return 0;
    errno = error;
    return 1;
}

static void told_write(int fd, const struct iovec *data, int parts, off_t at, ssize_t written) {
    char path[4096];
    const char *name = written > 0 ? meant(fd, path, sizeof path) : NULL;
    if (!name) return;
    struct iovec some[64];
    size_t left = written;
    int used = 0;
    for (; used < parts && left > 0; used++) {
        some[used] = data[used];
        if (some[used].iov_len > left) some[used].iov_len = left;
        left -= some[used].iov_len;
    }
    int error = errno;
    tell('w', name, at, some, used);
    errno = error;
}

static void told_answer(const struct iovec *data, int parts) {
    if (parts > 0 && data[0].iov_len > 9 && memcmp(data[0].iov_base, "HTTP/1.1 ", 9) == 0)
        tell('a', "", 0, data, parts);
}

static ssize_t write_at(int fd, const struct iovec *data, int parts, off_t at) {
    if (fails('w', fd)) return -1;
    ssize_t written = syscall(SYS_pwritev, fd, data, parts, (long)at, 0L);
    told_write(fd, data, parts, at, written);
    return written;
}

/* Without a position, it is the current position of the file. */
static ssize_t write_on(int fd, const struct iovec *data, int parts) {
    if (fails('w', fd)) return -1;
    off_t at = lseek(fd, 0, SEEK_CUR);
    int is_file = at >= 0;
    if (!is_file) told_answer(data, parts);
    ssize_t written = syscall(SYS_writev, fd, data, parts);
    if (is_file && written > 0) {
        int flags = syscall(SYS_fcntl, fd, F_GETFL);
        if (flags & O_APPEND) at = lseek(fd, 0, SEEK_CUR) - written;
        told_write(fd, data, parts, at, written);
    }
    return written;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
    return write_at(fd, &(struct iovec){ (void *)data, length }, 1, at);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
    return pwrite(fd, data, length, at);
}

ssize_t pwritev(int fd, const struct iovec *data, int parts, off_t at) {
    return write_at(fd, data, parts, at);
}

ssize_t pwritev64(int fd, const struct iovec *data, int parts, off64_t at) {
    return write_at(fd, data, parts, at);
}

ssize_t write(int fd, const void *data, size_t length) {
    return write_on(fd, &(struct iovec){ (void *)data, length }, 1);
}

ssize_t writev(int fd, const struct iovec *data, int parts) { return write_on(fd, data, parts); }

ssize_t send(int fd, const void *data, size_t length, int flags) {
    told_answer(&(struct iovec){ (void *)data, length }, 1);
    return REAL(send)(fd, data, length, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    told_answer(message->msg_iov, message->msg_iovlen);
    return REAL(sendmsg)(fd, message, flags);
}

int ftruncate(int fd, off_t length) {
    if (fails('w', fd)) return -1;
    int result = syscall(SYS_ftruncate, fd, (long)length);
    char path[4096];
    const char *name = result == 0 ? meant(fd, path, sizeof path) : NULL;
    if (name) tell('t', name, length, NULL, 0);
    return result;
}

int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

static int sync_by(long call, int fd) {
    char path[4096];
    const char *name = meant(fd, path, sizeof path);
    if (name) tell('b', name, 0, NULL, 0);
    int result = fails('s', fd) ? -1 : syscall(call, fd);
    int error = errno;
    if (name) tell(result == 0 ? 's' : 'f', name, 0, NULL, 0);
    errno = error;
    return result;
}

int fsync(int fd) { return sync_by(SYS_fsync, fd); }

int fdatasync(int fd) { return sync_by(SYS_fdatasync, fd); }

/* The path in the form in which the names of open files are reported. */
static const char *whole(const char *path, char *buffer, size_t size) {
    if (path[0] == '/') return path;
    if (!getcwd(buffer, size)) abort();
    strncat(buffer, "/", size - strlen(buffer) - 1);
    strncat(buffer, path, size - strlen(buffer) - 1);
    return buffer;
}

int rename(const char *from, const char *to) {
    int result = syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
    const char *part = getenv("DISK_FILES");
    char one[4096], other[4096];
    const char *old = whole(from, one, sizeof one), *new = whole(to, other, sizeof other);
    if (result == 0 && part && strstr(new, part))
        tell('r', old, 0, &(struct iovec){ (void *)new, strlen(new) }, 1);
    return result;
}

int link(const char *from, const char *to) {
    int result = syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
    const char *part = getenv("DISK_FILES");
    char one[4096], other[4096];
    const char *old = whole(from, one, sizeof one), *new = whole(to, other, sizeof other);
    if (result == 0 && part && strstr(new, part))
        tell('l', old, 0, &(struct iovec){ (void *)new, strlen(new) }, 1);
    return result;
}

int unlink(const char *path) {
    int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    const char *part = getenv("DISK_FILES");
    char buffer[4096];
    const char *name = whole(path, buffer, sizeof buffer);
    if (result == 0 && part && strstr(name, part)) tell('u', name, 0, NULL, 0);
    return result;
}
