/*
 * The kill table: which defect of the reference target turned which case red, measured by `iscsispec selftest`. A case
 * counts as proven only while the table speaks of exactly this case and has every defect it names as killed.
 */
#ifndef HARNESS_KILLTABLE_H
#define HARNESS_KILLTABLE_H

#include "harness/case.h"
#include "harness/result.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct killtable {
    json_t *entries; /* array of {case, case_hash, defect, defect_hash, verdict}, ordered; owned */
    char hash[17];   /* of the file's bytes, "" when there is no file */
};

/* Reads PATH; a file that is not there gives an empty table. Returns 0, or -1 with the reason in err. */
int killtable_load(struct killtable *out, const char *path, char *err, size_t err_len);
void killtable_free(struct killtable *t);

/* Adds one measured entry. False: no memory. */
bool killtable_add(struct killtable *t, const char *case_id, const char *case_hash, const char *defect,
                   const char *defect_hash, enum verdict v);
/* Orders the entries by case, then defect. */
void killtable_sort(struct killtable *t);
/* Writes the table, one entry a line, nothing in it that changes from run to run. Returns 0, or -1 with err. */
int killtable_write(const struct killtable *t, const char *path, char *err, size_t err_len);

/* {defect: verdict or null} for each defect the case names; null: the table does not vouch for it (any more). */
json_t *killtable_proof(const struct killtable *t, const struct case_def *c);
/* True when every defect of such a proof is killed and there is one at least. */
bool killtable_proves(const json_t *proof);
/* A verdict that counts as killed. */
bool killtable_kills(enum verdict v);

/* 16 hex digits of FNV-1a 64 over the bytes. */
void killtable_hash(const void *bytes, size_t len, char out[17]);

#endif
