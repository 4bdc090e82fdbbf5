/* Loaded before the C library: a disk that loses unsynced data, and a process that dies before a
 * sync.
 *
 * POWER_DISK: a folder. Whenever a database file or its log is synced, its bytes are copied there,
 *   under its name.
 * POWER_TRIGGER: a file. If it exists, the process dies instead of syncing a log, whose bytes are
 *   written by then. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ends_with(const char *text, const char *end) {
    size_t length = strlen(text), of_end = strlen(end);
    return length >= of_end && strcmp(text + length - of_end, end) == 0;
}

/* The name of an open file without its folder, or nothing. */
static const char *name_of(int fd, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length < 0) return NULL;
    path[length] = 0;
    char *name = strrchr(path, '/');
    return name ? name + 1 : NULL;
}

/* The file is read through the open descriptor: closing another one would release its locks. */
static void keep(int fd, const char *name) {
    const char *disk = getenv("POWER_DISK");
    if (!disk) return;
    char kept[4096], growing[4200], buffer[65536];
    snprintf(kept, sizeof kept, "%s/%s", disk, name);
    snprintf(growing, sizeof growing, "%s.%ld", kept, (long)syscall(SYS_gettid));
    int out = open(growing, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (out < 0) abort();
    off_t at = 0;
    ssize_t length;
    while ((length = pread(fd, buffer, sizeof buffer, at)) > 0) {
        if (write(out, buffer, length) != length) abort();
        at += length;
    }
    close(out);
    if (rename(growing, kept) != 0) abort();
}

static int sync_with(const char *function, int fd) {
    char path[4096];
    const char *name = name_of(fd, path, sizeof path);
    int is_log = name && ends_with(name, "-wal");
    const char *trigger = getenv("POWER_TRIGGER");
    if (is_log && trigger && unlink(trigger) == 0) {
        kill(getpid(), SIGKILL);
        pause();
    }
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, function);
    int result = real(fd);
    if (result == 0 && name && (is_log || ends_with(name, ".db"))) keep(fd, name);
    return result;
}

int fsync(int fd) { return sync_with("fsync", fd); }

int fdatasync(int fd) { return sync_with("fdatasync", fd); }
