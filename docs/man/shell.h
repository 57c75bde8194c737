/* Writes completion for bash: functions that every completion needs, and rows of a case statement. */
#ifndef ISCSISPEC_DOCS_SHELL_H
#define ISCSISPEC_DOCS_SHELL_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Begins the file for program: the helpers PREFIX_offer LIST, PREFIX_offer_list LIST (values with commas between),
 * PREFIX_files -f|-d, and the head of PREFIX_complete. There `cur` is the word to be completed, whole, `prev` the one
 * before (or the flag, with --flag=VALUE), `head` what of cur is no value, `rest` the line up to cur. prefix is a name
 * that the shell takes. A case statement over $prev is open.
 */
void shell_begin(FILE *out, const char *program, const char *prefix);

/* What is offered behind a flag whose placeholder is not of the form a|b|c. */
struct shell_action {
    const char *placeholder;
    const char *call; /* a line of shell; "" for nothing to offer */
};

/*
 * One flag that takes a value: as the actions say (ended by placeholder NULL), the words of a placeholder a|b|c, or
 * nothing.
 */
void shell_value(FILE *out, const char *prefix, const char *flag, const char *placeholder,
                 const struct shell_action *actions);

/* The words of a placeholder a|b|c, blanks between; false: it is none. out may be NULL. */
bool shell_choice(FILE *out, const char *placeholder);

/* Ends the file; the case statement is closed already. */
void shell_end(FILE *out, const char *program, const char *prefix);

#endif
