/* A target that died: how that shows, and what is told of it. */
#include "harness/lastword.h"
#include "harness/probe.h"
#include "harness/schedule.h"

#include <stdio.h>
#include <string.h>

bool schedule_target_is_gone(struct runner *r, const struct plan_job *job, char *how, size_t how_len)
{
    struct hooks *hooks = r->lanes[job->lane].hooks;
    char line[160];

    if (hooks_is_gone(hooks)) {
        int signal_number = hooks->exit_code - 128;

        if (signal_number > 0) {
            snprintf(how, how_len, "it was ended by signal %d (%s)", signal_number, strsignal(signal_number));
        } else {
            snprintf(how, how_len, "it ended with status %d", hooks->exit_code);
        }
        return true;
    }
    if (hooks_log_tells_crash(hooks, line, sizeof(line))) {
        snprintf(how, how_len, "its log says: %s", line);
        return true;
    }
    if (job->brief.unreachable && !hooks_alive(hooks)) {
        snprintf(how, how_len, "it takes no connections any more");
        return true;
    }
    return false;
}

bool schedule_still_serves(struct runner *r, size_t lane)
{
    int64_t ignored;
    char err[256];

    return probe_login(r->lanes[lane].hooks, runner_initiator(r->options), r->options->seed + 1,
                       r->timeout_ms * SCHEDULE_PATIENCE, &ignored, err, sizeof(err));
}

void schedule_crash_reason(const struct runner *r, const struct plan_job *job, const char *how, char *out,
                           size_t out_len)
{
    struct worker_brief brief;
    const char *text;
    json_t *line = worker_text_read(job->text, &brief, &text) ? json_loads(text, 0, NULL) : NULL;
    const char *last = json_string_value(json_object_get(line, "last"));

    snprintf(out, out_len, "the target died of this case, alone (attempt %d): %s; sent last: %s; again: %s --select %s",
             job->attempt, how, last != NULL && last[0] != '\0' ? last : "not known",
             r->options->again != NULL ? r->options->again : "iscsispec run", job->c->id);
    json_decref(line);
}

void schedule_retitle(const struct runner *r, const json_t *line)
{
    const char *ladder = json_string_value(json_object_get(json_object_get(line, "evidence"), "text"));
    char path[PATH_MAX];

    if (ladder != NULL) {
        snprintf(path, sizeof(path), "%s/%s", r->options->out, ladder);
        lastword_retitle(path, json_string_value(json_object_get(line, "verdict")),
                         json_string_value(json_object_get(line, "reason")));
    }
}
