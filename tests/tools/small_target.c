/*
 * A target in the smallest sense, which the suite does not know: plain logins, pings, logouts, one process for each
 * connection. For the tests of profiles that are written from the documents alone, and of targets that die.
 *
 * usage: small_target PORT [--ready-after MS] [--log FILE]
 *                          [--die-on OPCODE | --deaf-on OPCODE | --oops-on OPCODE | --hang-up-on OPCODE]
 *
 * Binds 127.0.0.1:PORT. On a PDU with the opcode it dies of SIGSEGV, answers nothing any more on any connection, or
 * writes "BUG: it is broken" to its log (default: standard output) and lives on; or it ends the connection instead of an
 * answer, on every second of them.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct setup {
    int die_on, deaf_on, oops_on, hang_up_on; /* opcodes, -1 none */
    const char *log;
    volatile struct {
        bool deaf;
        unsigned hung_up_on; /* PDUs of that opcode so far */
    } *all; /* shared by all processes */
};

struct reply {
    uint8_t bytes[48 + 8192];
    size_t len; /* of the data segment */
};

static bool read_all(int fd, uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t got = read(fd, bytes, len);

        if (got <= 0)
            return false;
        bytes += got;
        len -= (size_t)got;
    }
    return true;
}

static void put32(uint8_t *at, uint32_t value)
{
    value = htonl(value);
    memcpy(at, &value, 4);
}

static void add_text(struct reply *r, const char *text)
{
    size_t len = strlen(text) + 1;

    if (r->len + len <= 4096) {
        memcpy(r->bytes + 48 + r->len, text, len);
        r->len += len;
    }
}

/* Declarations need no answer; of anything else the first value offered is taken. */
static void answer_key(struct reply *r, char *pair)
{
    static const char *const declared[] = {"InitiatorName=", "InitiatorAlias=", "TargetName=", "SessionType=",
                                           "MaxRecvDataSegmentLength="};

    for (size_t i = 0; i < sizeof declared / sizeof declared[0]; i++)
        if (strncmp(pair, declared[i], strlen(declared[i])) == 0)
            return;
    pair[strcspn(pair, ",")] = '\0';
    add_text(r, pair);
}

static void answer_login(struct reply *r, const uint8_t *request, char *text, size_t len)
{
    add_text(r, "TargetPortalGroupTag=1");
    for (size_t at = 0; at < len; at += strlen(text + at) + 1)
        answer_key(r, memcpy((char[4096]){0}, text + at, strnlen(text + at, 4000)));
    r->bytes[0] = 0x23;
    r->bytes[1] = request[1];
    memcpy(r->bytes + 8, request + 8, 6); /* ISID */
    if ((request[1] & 0x83) == 0x83)
        r->bytes[15] = 1; /* TSIH of the one session */
}

/* Fills the answer to a request; false: the connection ends. */
static bool answer(struct reply *r, uint8_t *request, char *text, size_t len, uint32_t *stat_sn)
{
    memset(r, 0, sizeof *r);
    memcpy(r->bytes + 16, request + 16, 4); /* ITT */
    r->bytes[1] = 0x80;
    switch (request[0] & 0x3f) {
    case 0x00:
        r->bytes[0] = 0x20;
        put32(r->bytes + 20, 0xffffffff);
        break;
    case 0x03:
        answer_login(r, request, text, len);
        break;
    case 0x06:
        r->bytes[0] = 0x26;
        break;
    default:
        return false;
    }
    put32(r->bytes + 24, (*stat_sn)++);
    memcpy(r->bytes + 28, request + 24, 4); /* ExpCmdSN */
    memcpy(r->bytes + 32, request + 24, 4); /* MaxCmdSN */
    r->bytes[6] = (uint8_t)(r->len >> 8);
    r->bytes[7] = (uint8_t)r->len;
    return true;
}

static void misbehave(const struct setup *s, int opcode)
{
    if (opcode == s->die_on) {
        kill(getppid(), SIGSEGV);
        _exit(1);
    }
    if (opcode == s->deaf_on)
        s->all->deaf = true;
    if (opcode == s->oops_on) {
        FILE *log = s->log ? fopen(s->log, "a") : stdout;

        fputs("BUG: it is broken\n", log);
        fflush(log);
    }
}

static void serve(const struct setup *s, int fd)
{
    uint32_t stat_sn = 1;
    struct reply r;
    uint8_t request[48];
    char text[8196];

    while (read_all(fd, request, sizeof request)) {
        size_t len = (size_t)request[6] << 8 | request[7];

        if (request[5] != 0 || len > 8192 || !read_all(fd, (uint8_t *)text, (len + 3) / 4 * 4))
            return;
        text[len] = '\0';
        misbehave(s, request[0] & 0x3f);
        while (s->all->deaf)
            pause();
        if ((request[0] & 0x3f) == s->hang_up_on && ++s->all->hung_up_on % 2 == 0)
            return;
        if (!answer(&r, request, text, len, &stat_sn) || write(fd, r.bytes, 48 + (r.len + 3) / 4 * 4) < 0)
            return;
        if ((request[0] & 0x3f) == 0x06)
            return;
    }
}

static void wait_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct setup s = {-1, -1, -1, -1, NULL, NULL};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int one = 1;

    for (int i = 2; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--ready-after") == 0)
            wait_ms(strtol(argv[i + 1], NULL, 10));
        else if (strcmp(argv[i], "--log") == 0)
            s.log = argv[i + 1];
        else
            *(strcmp(argv[i], "--die-on") == 0       ? &s.die_on
              : strcmp(argv[i], "--deaf-on") == 0    ? &s.deaf_on
              : strcmp(argv[i], "--hang-up-on") == 0 ? &s.hang_up_on
                                                     : &s.oops_on) = (int)strtol(argv[i + 1], NULL, 0);
    }
    s.all = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    signal(SIGCHLD, SIG_IGN);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    address.sin_port = htons((uint16_t)(argc > 1 ? strtol(argv[1], NULL, 10) : 0));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0) {
        perror("small_target: bind");
        return 1;
    }
    for (;;) {
        int conn = accept(fd, NULL, NULL);

        if (conn >= 0 && fork() == 0) {
            close(fd);
            serve(&s, conn);
            _exit(0);
        }
        close(conn);
    }
}
