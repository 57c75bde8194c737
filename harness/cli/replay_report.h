/* What a replay came to, for a person, as JSON, and as a folder of evidence. */
#ifndef CLI_REPLAY_REPORT_H
#define CLI_REPLAY_REPORT_H

#include "harness/audit.h"
#include "harness/catalogue.h"
#include "harness/recording.h"
#include "harness/replay.h"
#include "harness/result.h"

#include <jansson.h>
#include <stdio.h>

struct replay_report {
    const char *file, *target; /* the capture; the target in words */
    const struct catalogue *rules;
    const struct recording *recording;
    const struct replay_script *script;
    const struct transcript *live;
    const struct replay_result *result;
    struct finding_list findings[2]; /* of the recording, of the replay */
    int status;                      /* exit status */
};

/* Audits both. False when out of memory. Free with replay_report_free(). */
bool replay_report_audit(struct replay_report *r);
void replay_report_free(struct replay_report *r);

/* 0 all answers agree, 1 they differ, 3 nothing, or not all of it, could be compared, 4 not reached, 130. */
enum results_exit replay_report_status(const struct replay_report *r);

void replay_report_print(FILE *out, const struct replay_report *r);
/* Caller decrefs; NULL: out of memory. */
json_t *replay_report_json(const struct replay_report *r);

/* capture.pcap, capture.txt, replay.pcap, replay.txt, replay.json. Returns 0, or -1 with the reason in err. */
int replay_report_save(const struct replay_report *r, const char *dir, char *err, size_t err_len);

#endif
