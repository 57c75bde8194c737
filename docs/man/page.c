/* Manual pages in mdoc; see page.h. */
#include "page.h"

#include <ctype.h>
#include <string.h>

enum { TEXT_WIDTH = 72 }; /* of a source line, before what is escaped */

/* One character of text or of an argument, so that roff shows it as it is. */
static void put(FILE *out, char c)
{
    switch (c) {
    case '\\':
        fputs("\\e", out);
        break;
    case '-':
        fputs("\\-", out);
        break;
    case '"':
        fputs("\\(dq", out);
        break;
    case '\'':
        fputs("\\(aq", out);
        break;
    case '`':
        fputs("\\(ga", out);
        break;
    default:
        fputc(c, out);
    }
}

/* An argument of a macro. \& keeps a word like "On" from being called as a macro. */
static void put_argument(FILE *out, const char *text)
{
    fputs(" \"\\&", out);
    for (; *text != '\0'; text++)
        put(out, *text);
    fputc('"', out);
}

void page_begin(FILE *out, const char *name, int section, const char *date, const char *about)
{
    fprintf(out, ".Dd %s\n.Dt ", date);
    for (const char *p = name; *p != '\0'; p++)
        fputc(toupper((unsigned char)*p), out);
    fprintf(out, " %d\n.Os\n.Sh NAME\n.Nm %s\n.Nd %s\n", section, name, about);
}

/* A title; \\& keeps a point at its end from being taken for the end of a sentence. */
static void put_title(FILE *out, const char *macro, const char *title)
{
    fprintf(out, "%s ", macro);
    for (const char *p = title; *p != '\0'; p++)
        put(out, *p);
    fputs(title[strlen(title) - 1] == '.' ? "\\&\n" : "\n", out);
}

void page_section(FILE *out, const char *title)
{
    put_title(out, ".Sh", title);
}

void page_subsection(FILE *out, const char *title)
{
    put_title(out, ".Ss", title);
}

/* One word of running text at the place column of a source line; returns where it ends. */
static size_t put_word(FILE *out, const char *word, size_t length, size_t column)
{
    if (column > 0 && column + 1 + length > TEXT_WIDTH) {
        fputc('\n', out);
        column = 0;
    } else if (column > 0) {
        fputc(' ', out);
        column++;
    }
    if (column == 0 && (*word == '.' || *word == '\''))
        fputs("\\&", out);
    for (size_t i = 0; i < length; i++)
        put(out, word[i]);
    return column + length;
}

void page_text(FILE *out, const char *text)
{
    size_t column = 0;

    while (*text != '\0') {
        size_t length = strcspn(text, " \n"), blanks = strspn(text + length, " \n");
        column = put_word(out, text, length, column);
        text += length;
        if (strncmp(text, "\n\n", 2) == 0)
            fputs("\n.Pp", out);
        if (strncmp(text, "\n\n", 2) == 0 || *text == '\0' || (length > 1 && strchr(".?!", text[-1]) != NULL)) {
            fputc('\n', out);
            column = 0;
        }
        text += blanks;
    }
}

void page_flag(FILE *out, const char *name, const char *gap, const char *argument)
{
    fputs(".It Fl \\-", out);
    for (const char *p = name; *p != '\0'; p++)
        put(out, *p);
    if (argument[0] != '\0') {
        fputs(gap[0] == '\0' ? " Ns Op" : " Ar", out);
        put_argument(out, argument);
    }
    fputc('\n', out);
}

void page_item(FILE *out, const char *word, const char *argument)
{
    fputs(".It Cm", out);
    put_argument(out, word);
    if (argument[0] != '\0') {
        fputs(" Ar", out);
        put_argument(out, argument);
    }
    fputc('\n', out);
}

void page_list_begin(FILE *out)
{
    fputs(".Bl -tag -width indent\n", out);
}

void page_list_end(FILE *out)
{
    fputs(".El\n", out);
}

void page_lines_begin(FILE *out)
{
    fputs(".Bd -literal -offset indent\n", out);
}

void page_line(FILE *out, const char *line, size_t length)
{
    if (length > 0 && (line[0] == '.' || line[0] == '\''))
        fputs("\\&", out);
    for (size_t i = 0; i < length; i++)
        put(out, line[i]);
    fputc('\n', out);
}

void page_lines_end(FILE *out)
{
    fputs(".Ed\n", out);
}
