/*
 * Broken inputs of tests/bad/: the first line of each file says where and how it is refused, "# error: TEXT". The
 * loader's message has to begin with FILE: and TEXT, which begins with the place. In TEXT, @ stands for the file, @DIR
 * for its folder.
 */
#ifndef TESTS_BAD_INPUTS_H
#define TESTS_BAD_INPUTS_H

#include "harness/position.h"

/* Loads one file: 0 when it was accepted, -1 with err filled. */
typedef int bad_load_fn(const char *path, struct load_error *err);

/* Runs all files of tests/bad/FOLDER; fails the running cmocka test at the first one that differs. Returns their
 * number. */
int bad_inputs_check(const char *folder, bad_load_fn *load);

#endif
