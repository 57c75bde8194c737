/* The parts of the HTML page as they stand in reports/html/; the build makes them bytes. */
#ifndef REPORTS_HTML_ASSETS_H
#define REPORTS_HTML_ASSETS_H

#include <stddef.h>

extern const unsigned char html_page[], html_style[], html_script[];
extern const size_t html_page_len, html_style_len, html_script_len;

#endif
