/* iscsispec-target: an iSCSI target that is right by the letter of RFC 7143, or wrong in exactly the way it is told. */
#include <stdio.h>

#include "client.h"
#include "help.h"
#include "options.h"
#include "server.h"

static int perform(struct options *options)
{
    switch (options->action) {
    case OPTIONS_HELP:
        help_print(stdout);
        break;
    case OPTIONS_VERSION:
        puts("iscsispec-target " ISCSISPEC_VERSION);
        break;
    case OPTIONS_LIST_DEFECTS:
        help_print_defects(stdout);
        break;
    case OPTIONS_LIST_DEFECTS_JSON:
        if (!help_print_defects_json(stdout))
            return SERVER_UNREACHABLE;
        break;
    case OPTIONS_LIST_BENIGN:
        help_print_benign(stdout);
        break;
    case OPTIONS_LIST_BENIGN_JSON:
        if (!help_print_benign_json(stdout))
            return SERVER_UNREACHABLE;
        break;
    case OPTIONS_CONTROL:
        return client_run(options->control_path, options->control_line);
    case OPTIONS_SERVE:
        return server_run(options);
    }
    return fflush(stdout) == 0 ? SERVER_OK : SERVER_UNREACHABLE;
}

int main(int argc, char **argv)
{
    char error[OPTIONS_ERROR_MAX];
    struct options options;
    int result;

    if (options_parse(&options, argc, argv, error)) {
        result = perform(&options);
    } else {
        fprintf(stderr, "iscsispec-target: %s\n", error);
        result = SERVER_USAGE;
    }
    options_free(&options);
    return result;
}
