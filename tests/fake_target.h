/*
 * A small target for the tests of the drive library: a child process that listens on a loopback port of the kernel's
 * choice and answers in a fixed way. Well-behaved enough for plain logins, pings and logouts, or bad in one way.
 */
#ifndef TESTS_FAKE_TARGET_H
#define TESTS_FAKE_TARGET_H

#include <stdint.h>
#include <sys/types.h>

enum fake_behaviour {
    FAKE_GOOD,         /* completes each login, answers pings and logouts */
    FAKE_SILENT,       /* takes all, says nothing */
    FAKE_CLOSES,       /* closes at once */
    FAKE_RESETS,       /* resets at once */
    FAKE_GARBAGE,      /* answers with bytes that are no PDU */
    FAKE_ENDLESS,      /* answers with a stream that never ends */
    FAKE_HUGE,         /* announces a data segment of 16 MiB and sends a few bytes */
    FAKE_HALF,         /* breaks off in the middle of its answer */
    FAKE_REFUSES,      /* 0x0203, then closes */
    FAKE_REFUSE_RESET, /* 0x0203, then RST */
    FAKE_KEEPS_OPEN,   /* 0x0203 and no close */
    FAKE_REJECT,       /* Reject PDU, then closes */
    FAKE_NOP,          /* NOP-In instead of a Login Response */
    FAKE_ROUNDS,       /* T=0 twice, with proposals of its own and a text over two PDUs */
    FAKE_STAYS,        /* T=0 to every request, without keys */
    FAKE_LINGERS,      /* as GOOD, but leaves connections open that are logged out */
    FAKE_PINGS,        /* as GOOD, but pings the initiator right behind the login and wants the answer */
};

struct fake_target {
    pid_t pid;
    uint16_t port;
};

struct fake_target fake_start(enum fake_behaviour behaviour);
void fake_stop(struct fake_target *t);

#endif
