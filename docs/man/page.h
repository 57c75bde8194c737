/* Writes manual pages in mdoc: what would be taken for markup is escaped here, and nowhere else. */
#ifndef ISCSISPEC_DOCS_PAGE_H
#define ISCSISPEC_DOCS_PAGE_H

#include <stddef.h>
#include <stdio.h>

/* Title, NAME section and the head of a page. date as mdoc wants it: "January 2, 2026". */
void page_begin(FILE *out, const char *name, int section, const char *date, const char *about);

/* .Sh and .Ss */
void page_section(FILE *out, const char *title);
void page_subsection(FILE *out, const char *title);

/* Running text, a source line for each sentence. Blank lines (two newlines) begin a paragraph. */
void page_text(FILE *out, const char *text);

/* The head of an item of a list: a flag "--name" with what it takes ("" without); gap tells whether a blank stands
 * between the two. */
void page_flag(FILE *out, const char *name, const char *gap, const char *argument);

/* The same for a word with an argument; command chooses bold type (.Cm) instead of literal (.Li). */
void page_item(FILE *out, const char *word, const char *argument);

/* Lists of items with text, and lines shown as they are. */
void page_list_begin(FILE *out);
void page_list_end(FILE *out);
void page_lines_begin(FILE *out);
void page_line(FILE *out, const char *line, size_t length);
void page_lines_end(FILE *out);

#endif
