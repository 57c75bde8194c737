#include "harness/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool enter_one(pid_t pid, const char *kind, int flag)
{
    char path[64];
    struct stat own, other;
    int fd, rc = 0;

    snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, kind);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
    if (fstat(fd, &other) != 0 || stat(path, &own) != 0) {
        rc = -1;
    } else if (own.st_dev != other.st_dev || own.st_ino != other.st_ino) {
        rc = setns(fd, flag);
    }
    close(fd);
    return rc == 0;
}

bool netns_enter(pid_t pid, char *err, size_t err_len)
{
    if (enter_one(pid, "user", CLONE_NEWUSER) && enter_one(pid, "net", CLONE_NEWNET)) {
        return true;
    }
    snprintf(err, err_len, "the network namespace of process %d cannot be entered: %s", (int)pid, strerror(errno));
    return false;
}
