/*
 * Results: the one thing all reports are made from. results.jsonl has a head line and then a line a case; the JSON
 * shape stands in docs/results.md. Here: the model, writing and reading.
 */
#ifndef HARNESS_RESULT_H
#define HARNESS_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum verdict {
    VERDICT_PASS,
    VERDICT_WARN,
    VERDICT_FAIL,
    VERDICT_SKIP,
    VERDICT_XFAIL,
    VERDICT_XPASS,
    VERDICT_CRASH,
    VERDICT_ERROR,
};

const char *verdict_name(enum verdict v);
/* Returns false for an unknown name. */
bool verdict_parse(const char *name, enum verdict *out);

/*
 * One case's line as a JSON object. Fields:
 *   id title subject code(-1|number) proves[] verdict reason
 *   judged     verdict of the expectations alone, before the audit
 *   expected   what was allowed, in words
 *   seen       [{conn, status: ["0x0000",..], statuses natural from Login Responses, keys: {}, end, by, ffp}]
 *   findings   [{rule, severity, conn, pdu, side, offset, length, was, allowed}]
 *   ms         wall time
 *   evidence   {pcap, text} relative to the run's directory
 *   wire       hash of the normalised transcript
 *   needs      conditions of the target that the case needs []
 *   proven     {defect: verdict} for each defect the case names: what the kill table vouches for, null: nothing
 *   attempt    1, or 2 after a rerun
 *   case_fault true when the case itself is wrong in a way that only its run shows
 *   rerun      "silence", "crash" or "hung-up": why it was run again
 *   unreachable true when TCP could not be opened
 *   silence    true when the verdict rests on nothing having come (it is then run again, alone)
 *   hung_up    true when the target ended a connection in place of an answer to a Logout of the suite (it is then run
 *              again, up to three times)
 */
json_t *result_new(const char *id, enum verdict v, const char *reason);

/* The text of a member; "" when it has none. Borrowed. */
const char *result_string(const json_t *object, const char *key);

/* A JSON string of text that may hold anything: bytes that are no UTF-8 become \\xNN. NULL: no memory. */
json_t *result_text(const char *text);

/* The verdict of a line; ERROR when it has none that we know. */
enum verdict result_verdict(const json_t *line);
/* The worse of two verdicts of one case: PASS < WARN < FAIL < CRASH < ERROR. */
enum verdict verdict_worse(enum verdict a, enum verdict b);

/* A run as it stands in results.jsonl. */
struct results {
    json_t *head;  /* object: the first line; owned */
    json_t *cases; /* array of lines, by id; owned */
};

#define RESULTS_SCHEMA "iscsispec-results/1"
#define RESULTS_FILE   "results.jsonl"

/* An empty run: head with the schema only. False: no memory. */
bool results_init(struct results *out);
void results_free(struct results *r);
/* Orders the lines by id, byte by byte. */
void results_sort(struct results *r);
/* How many lines have this verdict. */
size_t results_count(const struct results *r, enum verdict v);

/* Reads DIR/results.jsonl, or a file of that shape. Returns 0, or -1 with "FILE:LINE: reason" in err. */
int results_read(const char *path, struct results *out, char *err, size_t err_len);
/* Writes DIR/results.jsonl, all or nothing. Returns 0, or -1 with the reason in err. */
int results_write(const char *dir, const struct results *r, char *err, size_t err_len);

/* Exit statuses of `run`; the highest that applies wins: 130, 2, 4, 5, 1, 3, 0. */
enum results_exit {
    EXIT_ALL_PASSED = 0,
    EXIT_FINDINGS = 1,
    EXIT_USAGE = 2,
    EXIT_NOTHING = 3,
    EXIT_UNREACHABLE = 4,
    EXIT_FAULT = 5,
    EXIT_INTERRUPTED = 130,
};

struct results_policy {
    bool interrupted;
    bool fail_on_skip; /* a SKIP counts as a failure */
    bool exit_zero;    /* findings do not show in the exit status */
};

/* What a run that could be started comes to. */
enum results_exit results_exit_status(const struct results *r, const struct results_policy *policy);

#endif
