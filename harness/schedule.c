/* Which case runs when: groups by condition, one after another what must be alone, again what was silent or in
 * flight when the target died. */
#include "harness/schedule.h"

#include "harness/probe.h"
#include "harness/process.h"
#include "harness/waivers.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    SCHEDULE_RESTARTS_MAX = 50,
};

/* In the worker. */
static void complete_line(void *user, json_t *line)
{
    const struct plan_job *job = user;

    plan_complete_line(job->options, job, line);
}

static uint64_t case_seed(const struct runner *r, const struct plan_job *job)
{
    uint64_t sum = r->options->seed ^ (UINT64_C(0xcbf29ce484222325) * (uint64_t)job->attempt) ^
                   (UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)job->round);

    for (const char *at = job->c->id; *at != '\0'; at++) {
        sum = (sum ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
    }
    return sum;
}

static bool start_job(struct runner *r, struct plan_job *job, size_t lane, int patience)
{
    struct worker_task task = {
        .c = job->c,
        .rules = r->options->rules,
        .floor = r->options->floor,
        .hooks = r->lanes[lane].hooks,
        .out = r->options->out,
        .initiator = runner_initiator(r->options),
        .timeout_ms = r->timeout_ms * patience,
        .close_grace_ms = r->close_grace_ms * patience,
        .complete = complete_line,
        .user = job,
    };

    job->attempt++;
    task.attempt = job->attempt;
    task.rerun = plan_rerun_name(job->rerun);
    task.round = job->round;
    task.seed = case_seed(r, job);
    if (!pool_start(&r->pool, &task, job)) {
        snprintf(r->fault, sizeof(r->fault), "no worker could be started: %s", strerror(errno));
        return false;
    }
    job->state = PLAN_RUNNING;
    job->lane = lane;
    r->lanes[lane].busy++;
    r->lanes[lane].held |= job->locks;
    return true;
}

/* A worker that is gone may have left the target changed. */
static void undo_controls(struct runner *r, const struct plan_job *job)
{
    const struct case_def *c = job->c;
    char err[512];

    for (size_t i = 0; i < c->step_count; i++) {
        if (c->steps[i].kind == CASE_STEP_CONTROL && c->steps[i].control_undo != NULL &&
            hooks_control(r->lanes[job->lane].hooks, c->steps[i].control_undo, err, sizeof(err)) != HOOKS_OK) {
            runner_remark(r, "%s: undo: %s", c->id, err);
        }
    }
}

/* The result of a worker, kept in the job. Takes the outcome's text. */
static void take_outcome(struct runner *r, struct plan_job *job, struct pool_outcome *outcome)
{
    struct worker_brief brief;
    const char *line;

    r->lanes[job->lane].busy--;
    r->lanes[job->lane].held &= ~job->locks;
    if (worker_text_read(outcome->text, &brief, &line)) {
        schedule_keep(r, job, outcome->text);
        return;
    }
    free(outcome->text);
    schedule_keep_verdict(r, job, VERDICT_ERROR, outcome->reason);
    undo_controls(r, job);
}

/* A case that is in flight at a lane whose target died. */
static void suspect(void *user, void *job)
{
    struct runner *r = user;
    struct plan_job *running = job;

    if (r->lanes[running->lane].down && running->rerun != PLAN_AFTER_CRASH) {
        running->rerun = PLAN_AFTER_CRASH;
        running->crash = r->crashes;
    }
}

/* The target of a lane died: of a case that is in flight there, or of one that has just ended. */
static void suspect_all(struct runner *r, size_t lane, const char *id, const char *how)
{
    r->down = true;
    r->lanes[lane].down = true;
    r->crashes++;
    runner_remark(r, "the target is gone (%s, or a case beside it): %s", id, how);
    pool_each(&r->pool, suspect, r);
    for (size_t i = 0; i < r->plan.count; i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->state == PLAN_SETTLING && job->lane == lane) {
            suspect(r, job);
            job->state = PLAN_ALONE;
        }
    }
}

/* Cases that ended long enough ago have their verdict; with all, every one that ended. */
static void settle_ended(struct runner *r, bool all)
{
    int64_t now = process_now_ms();

    for (size_t i = 0; i < r->plan.count; i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->state == PLAN_SETTLING && (all || now - job->ended_ms >= SCHEDULE_SETTLE_MS)) {
            schedule_finalize(r, job);
        }
    }
}

/* Nothing is in flight: a target that died of the last cases shows that by now. */
static void settle_last(struct runner *r)
{
    int64_t deadline = process_now_ms() + SCHEDULE_DYING_MS;
    char how[256];
    bool waiting = true;

    while (waiting && !r->down && process_now_ms() < deadline) {
        waiting = false;
        for (size_t i = 0; i < r->plan.count && !r->down; i++) {
            const struct plan_job *job = &r->plan.jobs[i];

            waiting = waiting || job->state == PLAN_SETTLING;
            if (job->state == PLAN_SETTLING && hooks_is_gone(r->lanes[job->lane].hooks) &&
                schedule_target_is_gone(r, job, how, sizeof(how))) {
                suspect_all(r, job->lane, job->c->id, how);
            }
        }
        process_sleep_ms(waiting && !r->down ? 5 : 0);
    }
    settle_ended(r, true);
}

/* What becomes of a job whose worker ended while others ran beside it. */
static void judge_beside_others(struct runner *r, struct plan_job *job)
{
    bool silent = job->brief.verdict == VERDICT_FAIL && job->brief.silence;
    char how[256];

    r->lanes[job->lane].unusual |= silent || job->brief.unreachable || job->brief.verdict == VERDICT_ERROR;
    if (!r->lanes[job->lane].down && schedule_target_is_gone(r, job, how, sizeof(how))) {
        suspect_all(r, job->lane, job->c->id, how);
        suspect(r, job);
    }
    if (job->rerun == PLAN_AFTER_CRASH) {
        job->state = PLAN_ALONE;
    } else if (silent && !r->options->no_rerun) {
        job->rerun = PLAN_AFTER_SILENCE;
        job->state = PLAN_ALONE;
    } else if (job->brief.hung_up && (job->rerun == PLAN_FIRST_RUN || job->rerun == PLAN_AFTER_HANGUP) &&
               job->attempt < SCHEDULE_HANGUP_ATTEMPTS && !r->options->no_rerun && !r->down &&
               r->hangups < SCHEDULE_HANGUPS_MAX) {
        /* Some targets end the connection before the answer has left, now and then: what shows each time is meant. */
        r->hangups++;
        job->rerun = PLAN_AFTER_HANGUP;
        job->state = PLAN_WAITING;
    } else {
        job->state = PLAN_SETTLING;
        job->ended_ms = process_now_ms();
    }
}

/* The instance with the least to do that can take the case; SIZE_MAX: none. What changes a whole target does so on the
 * first. */
static size_t lane_for(const struct runner *r, const struct plan_job *job)
{
    size_t count = job->group != 0 ? 1 : r->lane_count;
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < count; i++) {
        const struct schedule_lane *lane = &r->lanes[i];

        if (lane->busy < r->lane_limit && (job->locks & lane->held) == 0 &&
            (best == SIZE_MAX || lane->busy < r->lanes[best].busy)) {
            best = i;
        }
    }
    return best;
}

static struct plan_job *next_job(struct runner *r, uint64_t group, size_t *lane)
{
    for (size_t i = 0; i < r->plan.count; i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->state == PLAN_WAITING && job->group == group) {
            *lane = lane_for(r, job);
            if (*lane != SIZE_MAX) {
                return job;
            }
        }
    }
    return NULL;
}

static bool may_go_on(const struct runner *r)
{
    return !r->interrupted && !r->lost && r->fault[0] == '\0' && r->stopped[0] == '\0';
}

/* Nothing more is started; what is in flight is dropped. */
static void stop_for_time(struct runner *r)
{
    snprintf(r->stopped, sizeof(r->stopped), "--max-time is over");
}

/* A condition that cannot be armed costs the cases that need it their verdict. */
static void fail_unarmed(struct runner *r, size_t condition, const char *reason)
{
    for (size_t k = 0; k < r->plan.count; k++) {
        struct plan_job *job = &r->plan.jobs[k];

        if ((job->arms >> condition & 1) != 0 && (job->state == PLAN_WAITING || job->state == PLAN_ALONE)) {
            schedule_finalize_with(r, job, VERDICT_ERROR, reason);
        }
    }
}

/* On the first so many instances. Returns the conditions that could not be armed as bits. */
static uint64_t arm_all(struct runner *r, size_t lanes, uint64_t conditions)
{
    uint64_t failed = 0;
    char err[1024];

    for (size_t i = 0; i < PLAN_CONDITIONS_MAX; i++) {
        for (size_t lane = 0; lane < lanes && (conditions & ~failed) >> i & 1 && may_go_on(r); lane++) {
            enum hooks_status status = hooks_arm(r->lanes[lane].hooks, i, err, sizeof(err));

            if (status == HOOKS_INTERRUPTED) {
                r->interrupted = true;
            } else if (status != HOOKS_OK) {
                failed |= UINT64_C(1) << i;
                fail_unarmed(r, i, err);
            }
        }
    }
    return failed;
}

/* What a group needed of the first instance. */
static void disarm_all(struct runner *r, uint64_t conditions)
{
    char err[1024];

    for (size_t i = 0; i < PLAN_CONDITIONS_MAX; i++) {
        if ((conditions >> i & 1) != 0 && hooks_disarm(r->hooks, i, err, sizeof(err)) != HOOKS_OK) {
            runner_remark(r, "%s", err);
        }
    }
}

/* Up again, or lost: err says why. */
static bool restart_lane(struct runner *r, struct schedule_lane *lane, char *err, size_t err_len)
{
    enum hooks_status status;

    lane->down = false;
    if (lane->hooks->external || lane->hooks->profile->start == NULL) {
        snprintf(err, err_len, "it was not started by this run");
        return false;
    }
    if (r->crashes > SCHEDULE_RESTARTS_MAX) {
        snprintf(err, err_len, "it died more than %d times", SCHEDULE_RESTARTS_MAX);
        return false;
    }
    status = hooks_restart(lane->hooks, err, err_len);
    r->interrupted = r->interrupted || status == HOOKS_INTERRUPTED;
    return status == HOOKS_OK;
}

/* The target died, or some of its instances did. */
static void bring_back(struct runner *r, uint64_t armed)
{
    char err[4096] = "";

    r->down = false;
    for (size_t i = 0; i < r->lane_count && !r->lost; i++) {
        r->lost = r->lanes[i].down && !restart_lane(r, &r->lanes[i], err, sizeof(err));
    }
    pool_renew(&r->pool); /* they know the old ports */
    if (r->lost) {
        runner_remark(r, "the target does not come back: %s", err);
    } else {
        runner_remark(r, "the target was restarted");
        arm_all(r, r->lane_count, armed);
    }
}

/* With --fail-fast nothing more is started while a failure waits for its final verdict. */
static bool awaits_failure(const struct runner *r)
{
    for (size_t i = 0; r->options->fail_fast && i < r->plan.count; i++) {
        const struct plan_job *job = &r->plan.jobs[i];

        if (job->state == PLAN_SETTLING && (job->brief.verdict == VERDICT_FAIL || job->brief.verdict == VERDICT_CRASH ||
                                            job->brief.verdict == VERDICT_ERROR)) {
            return true;
        }
    }
    return false;
}

/* All waiting cases of a group, side by side. */
static void run_group(struct runner *r, uint64_t group, size_t limit, uint64_t armed)
{
    struct pool_outcome outcome;

    while (may_go_on(r)) {
        struct plan_job *job;
        size_t lane;

        while (!r->down && r->pool.busy < limit && !awaits_failure(r) && (job = next_job(r, group, &lane)) != NULL &&
               start_job(r, job, lane, 1)) {
        }
        settle_ended(r, false);
        if (r->pool.busy == 0) {
            bool waited = awaits_failure(r);

            settle_last(r);
            if (waited && !r->down) {
                continue; /* it may have been waived */
            }
        }
        if (r->pool.busy == 0 && !r->down) {
            break;
        }
        if (r->pool.busy == 0) {
            bring_back(r, armed);
            continue;
        }
        switch (pool_wait(&r->pool, &outcome)) {
        case POOL_FINISHED:
            take_outcome(r, outcome.job, &outcome);
            judge_beside_others(r, outcome.job);
            break;
        case POOL_INTERRUPTED:
            r->interrupted = true;
            break;
        case POOL_TIME_OVER:
            stop_for_time(r);
            break;
        case POOL_IDLE:
            snprintf(r->fault, sizeof(r->fault), "waiting for workers failed: %s", strerror(errno));
            break;
        }
    }
}

/* One case with nothing beside it. What kills the target now is known to kill it. */
static void run_alone(struct runner *r, struct plan_job *job)
{
    int patience = job->rerun == PLAN_AFTER_SILENCE ? SCHEDULE_PATIENCE : 1;
    struct pool_outcome outcome;
    char how[256], reason[768];
    enum pool_event event;
    bool gone, unusual;

    pool_renew(&r->pool); /* they do not know that this is a rerun */
    if ((arm_all(r, 1, job->arms) & job->arms) != 0 || !may_go_on(r) || !start_job(r, job, 0, patience)) {
        return;
    }
    event = pool_wait(&r->pool, &outcome);
    if (event != POOL_FINISHED) {
        r->interrupted = event == POOL_INTERRUPTED;
        if (event == POOL_TIME_OVER) {
            stop_for_time(r);
        }
        return;
    }
    unusual = outcome.text == NULL;
    take_outcome(r, job, &outcome);
    unusual = unusual || job->brief.silence || job->brief.unreachable;
    r->lanes[0].unusual = true;
    for (int64_t until = process_now_ms() + SCHEDULE_DYING_MS;
         !hooks_is_gone(r->hooks) && process_now_ms() < until && r->hooks->pid > 0;) {
        process_sleep_ms(5);
    }
    gone = schedule_target_is_gone(r, job, how, sizeof(how));
    if (!gone && unusual && r->served && !schedule_still_serves(r, 0)) {
        gone = true;
        snprintf(how, sizeof(how), "a plain login after it is not answered");
    }
    if (gone) {
        schedule_crash_reason(r, job, how, reason, sizeof(reason));
        schedule_change_verdict(r, job, VERDICT_CRASH, reason);
        r->crashes++;
        r->lanes[0].down = true;
        bring_back(r, 0);
    }
}

static bool is_reproduced(const struct runner *r, size_t crash)
{
    for (size_t i = 0; i < r->plan.count; i++) {
        const struct plan_job *job = &r->plan.jobs[i];

        if (job->crash == crash && job->text != NULL && job->brief.verdict == VERDICT_CRASH) {
            return true;
        }
    }
    return false;
}

/* A death that nobody causes alone is still one: all that were in flight share it. */
static void settle_crashes(struct runner *r)
{
    for (size_t crash = 1; crash <= r->crashes; crash++) {
        bool reproduced = is_reproduced(r, crash);

        for (size_t i = 0; i < r->plan.count; i++) {
            struct plan_job *job = &r->plan.jobs[i];

            if (job->crash != crash || job->text == NULL || job->state == PLAN_DONE) {
                continue;
            }
            if (!reproduced) {
                schedule_change_verdict(r, job, VERDICT_CRASH,
                                        "the target died while this case ran; alone it did not, or could not be tried");
            }
            schedule_finalize(r, job);
        }
    }
}

/*
 * A target that does not answer a plain login within five times the limit was not merely slow. One of ours is started
 * anew before it is asked again: a case may have made it deaf, and its turn to show that comes.
 */
static bool silence_is_sure(struct runner *r)
{
    if (!r->served) {
        return true;
    }
    if (schedule_still_serves(r, 0)) {
        return false;
    }
    if (r->hooks->external || r->hooks->profile->start == NULL) {
        return true;
    }
    runner_remark(r, "a plain login is not answered any more");
    r->crashes++;
    r->lanes[0].down = true;
    bring_back(r, 0);
    return r->lost || !schedule_still_serves(r, 0);
}

static void run_again(struct runner *r)
{
    bool asked = false, sure = false;

    for (size_t i = 0; i < r->plan.count && may_go_on(r); i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->state != PLAN_ALONE) {
            continue;
        }
        if (job->rerun == PLAN_AFTER_SILENCE && !asked) {
            asked = true;
            sure = silence_is_sure(r);
            if (sure) {
                runner_remark(r, "a plain login is not answered within %d ms either: silence counts as it is",
                              r->timeout_ms * SCHEDULE_PATIENCE);
            }
        }
        if (job->rerun != PLAN_AFTER_SILENCE || !sure) {
            run_alone(r, job);
            disarm_all(r, job->group);
        }
        if (job->rerun == PLAN_AFTER_SILENCE && job->text != NULL && job->state != PLAN_DONE && may_go_on(r)) {
            schedule_finalize(r, job);
        }
    }
    settle_crashes(r);
}

/* The target is lost: those in flight have their line, the others never ran. */
static void give_up_waiting(struct runner *r)
{
    settle_crashes(r);
    for (size_t i = 0; i < r->plan.count; i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->state == PLAN_DONE) {
            continue;
        }
        if (job->text != NULL) {
            schedule_finalize(r, job);
        } else {
            schedule_finalize_with(r, job, VERDICT_SKIP, "not run: the target is gone");
        }
    }
}

/* When anything was unusual, a plain login shows that the target still serves. */
static void see_that_it_serves(struct runner *r)
{
    for (size_t i = 0; r->served && !r->lost && may_go_on(r) && i < r->lane_count; i++) {
        if (r->lanes[i].unusual && !schedule_still_serves(r, i)) {
            runner_remark(r, "after the last case a plain login is not answered any more");
            json_object_set_new(r->results->head, "serves_at_end", json_false());
            return;
        }
    }
    if (r->served && !r->lost) {
        json_object_set_new(r->results->head, "serves_at_end", json_true());
    }
}

static void skip_left_out(struct runner *r)
{
    for (size_t i = 0; i < r->plan.count; i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->skip != NULL) {
            schedule_finalize_with(r, job, VERDICT_SKIP, job->skip);
        }
    }
}

void schedule_run(struct runner *r)
{
    size_t limit = r->pool.size;
    uint64_t shared = 0;

    skip_left_out(r);
    for (size_t i = 0; i < r->plan.count; i++) {
        shared |= r->plan.jobs[i].skip == NULL ? r->plan.jobs[i].arms & ~r->plan.jobs[i].group : 0;
    }
    arm_all(r, r->lane_count, shared);
    run_group(r, 0, limit, shared);
    for (size_t i = 0; i < r->plan.count && may_go_on(r); i++) {
        struct plan_job *job = &r->plan.jobs[i];

        if (job->state == PLAN_WAITING) {
            uint64_t group = job->group;

            if (arm_all(r, 1, group) == 0) {
                run_group(r, group, 1, shared | group);
            }
            disarm_all(r, group);
        }
    }
    settle_ended(r, true);
    run_again(r);
    see_that_it_serves(r);
    if (r->lost && !r->interrupted && r->fault[0] == '\0') {
        give_up_waiting(r);
    }
    schedule_collect(r);
}
