/*
 * audit_loop SECONDS PCAP...: judges the transcripts of captures over and over on one core and tells how many PDUs a
 * second the auditor takes, by the processor time it used.
 */
#include "harness/audit.h"
#include "harness/capture_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct load {
    struct capture_conn **conns;
    size_t count;
    unsigned long long pdus;
};

static double cpu_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void keep(struct load *load, struct capture_conn *conn)
{
    struct capture_conn **grown = realloc(load->conns, (load->count + 1) * sizeof(struct capture_conn *));
    struct transcript_pdu *pdus = NULL;
    long count = transcript_cut(conn->conn, &pdus);

    if (grown == NULL || count < 0) {
        fputs("audit_loop: out of memory\n", stderr);
        exit(1);
    }
    free(pdus);
    load->conns = grown;
    load->conns[load->count++] = conn;
    load->pdus += (unsigned long long)count;
}

static void read_all(struct load *load, const char *path)
{
    char err[512];
    struct capture *capture = capture_open(path, NULL, err, sizeof(err));
    struct capture_conn *conn;
    enum capture_result result;

    if (capture == NULL) {
        fprintf(stderr, "audit_loop: %s\n", err);
        exit(1);
    }
    while ((result = capture_next(capture, &conn)) == CAPTURE_CONN || result == CAPTURE_PAUSE)
        if (result == CAPTURE_CONN)
            keep(load, conn);
    capture_close(capture);
}

int main(int argc, char **argv)
{
    struct load load = {NULL, 0, 0};
    double limit = argc > 2 ? atof(argv[1]) : 0, begin, took = 0;
    unsigned long long rounds = 0, findings = 0;

    if (limit <= 0) {
        fputs("usage: audit_loop SECONDS PCAP...\n", stderr);
        return 2;
    }
    for (int i = 2; i < argc; i++)
        read_all(&load, argv[i]);
    if (load.pdus == 0) {
        fputs("audit_loop: no PDU in these files\n", stderr);
        return 1;
    }
    begin = cpu_seconds();
    for (; took < limit; took = cpu_seconds() - begin, rounds++)
        for (size_t i = 0; i < load.count; i++) {
            struct finding_list list = {0};

            if (!audit_transcript(load.conns[i]->transcript, &list))
                return 1;
            findings += list.count;
            finding_list_free(&list);
        }
    printf("%.0f PDUs/s: %zu connections of %llu PDUs, %llu times in %.2f s of one core, %llu findings\n",
           (double)load.pdus * (double)rounds / took, load.count, load.pdus, rounds, took, findings);
    for (size_t i = 0; i < load.count; i++)
        capture_conn_free(load.conns[i]);
    free(load.conns);
    return 0;
}
