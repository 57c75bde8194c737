/* Manual pages in mdoc; see page.h. */
#include "page.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

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

void page_section(FILE *out, const char *title)
{
    fprintf(out, ".Sh %s\n", title);
}

void page_subsection(FILE *out, const char *title)
{
    fprintf(out, ".Ss %s\n", title);
}

/* Does a sentence end at this blank? */
static bool ends_sentence(const char *text, const char *blank)
{
    return blank > text && (blank[-1] == '.' || blank[-1] == '?' || blank[-1] == '!') && blank[1] != '\0';
}

void page_text(FILE *out, const char *text)
{
    bool fresh = true;

    for (const char *p = text; *p != '\0'; p++) {
        if (p[0] == '\n' && p[1] == '\n') {
            fputs("\n.Pp\n", out);
            fresh = true;
            p++;
        } else if (*p == '\n' || *p == ' ') {
            fresh = ends_sentence(text, p);
            fputc(fresh ? '\n' : ' ', out);
        } else {
            if (fresh && (*p == '.' || *p == '\''))
                fputs("\\&", out);
            put(out, *p);
            fresh = false;
        }
    }
    fputc('\n', out);
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
