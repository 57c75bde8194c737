/* The table of commands of iscsispec; see commands.h. */
#include "harness/cli/commands.h"

static const struct commands_row rows[] = {
    {"run", "", OPTIONS_RUN, cli_run, "run cases against a target and write the reports",
     "  iscsispec run                                  the reference target, started for you\n"
     "  iscsispec run --profile tgt --out report-tgt   tgtd, started and armed by its profile\n"
     "  iscsispec run --target iscsi://192.0.2.7/iqn.2020-01.com.example:disk\n"
     "                                                 a target that runs: what needs no arming\n"
     "  iscsispec run --target iscsi://192.0.2.7 --safe --write-profile mine.yaml\n"
     "                                                 one that is in use: asked for its names, not disturbed\n"
     "  iscsispec run --profile my.yaml --portal 127.0.0.1:3260\n"
     "                                                 the profile's target, running already or behind a relay\n"
     "  iscsispec run --select code:0x0203 --select 'chap.*'\n"},
    {"list", "cases|codes|profiles|rules|conditions", OPTIONS_LIST, cli_list, "what there is",
     "  iscsispec list codes\n"
     "  iscsispec list cases --select subject:chap\n"},
    {"explain", "CODE|CASE|RULE", OPTIONS_EXPLAIN, cli_explain, "what a status code, case or rule means",
     "  iscsispec explain 0x0203\n"
     "  iscsispec explain 515                          the same, as libiscsi prints it\n"
     "  iscsispec explain L-TSIH-003\n"
     "  iscsispec explain status.denied.plain\n"},
    {"report", "DIR...", OPTIONS_REPORT, cli_report, "make the reports of runs again; several: a matrix of targets",
     "  iscsispec report iscsispec-report\n"
     "  iscsispec report report-reference report-tgt --out matrix\n"},
    {"compare", "OLD NEW", OPTIONS_COMPARE, cli_compare, "what changed between two runs; exits 1 on a regression",
     "  iscsispec compare report-yesterday report-today\n"},
    {"profile", "check NAME|FILE", OPTIONS_PROFILE, cli_profile, "try everything in a profile and say what works",
     "  iscsispec profile check my.yaml                start, portals, each condition and control, stop\n"
     "  iscsispec profile check tgt\n"},
    {"selftest", "", OPTIONS_SELFTEST, cli_selftest,
     "show that each case can fail: every defect of the reference target",
     "  iscsispec selftest\n"
     "  iscsispec selftest --select no-tpgt\n"},
    {"fuzz", "", OPTIONS_FUZZ, cli_fuzz, "mutated logins over the network, until the target breaks",
     "  iscsispec fuzz --profile tgt --time 8h --out fuzz-tgt\n"
     "                                                 tgtd overnight; the same line goes on after Ctrl-C\n"
     "  iscsispec fuzz --target iscsi://192.0.2.7/iqn.2020-01.com.example:disk --time 10m\n"
     "  iscsispec fuzz --profile tgt --replay fuzz-tgt/findings\n"
     "                                                 what still shows itself\n"},
    {"replay", "CAPTURE", OPTIONS_REPLAY, cli_replay,
     "play the initiator's side of a capture against a target and compare the answers",
     "  iscsispec replay field.pcap --target iscsi://127.0.0.1/iqn.2020-01.com.example:disk\n"
     "  iscsispec replay field.pcap --profile reference\n"
     "  iscsispec replay chap.pcap --target iscsi://127.0.0.1/iqn.2020-01.com.example:disk \\\n"
     "      --user alice --secret-file secret.txt --map iqn.1993-08.org.debian:01:old=iqn.1993-08.org.debian:01:new\n"
     "                                                 exit 0: all answers agree, 1: some differ,\n"
     "                                                 3: not all could be compared, and none differs\n"},
    {"lint", "CAPTURE...", OPTIONS_LINT, cli_lint, "judge the logins in captures, both sides, whatever made them",
     "  iscsispec lint trouble.pcapng                  what happened, and whose fault it was\n"
     "  iscsispec lint --brief --filter 'host 192.0.2.7' *.pcap.gz\n"
     "  iscsispec lint trouble.pcap --format text --format html=trouble.html --format sarif=trouble.sarif\n"
     "  tcpdump -i eth0 -s 0 -w - port 3260 | iscsispec lint -\n"},
    {"capture-to-case", "CAPTURE", OPTIONS_CAPTURE_TO_CASE, cli_capture_to_case,
     "make a case of each login in a capture",
     "  iscsispec capture-to-case field.pcap > field.yaml\n"
     "  iscsispec run --cases field.yaml --profile my.yaml\n"
     "                                                 the same logins, with live values, and the same outcomes\n"},
    {"schema", "case|profile|waivers", OPTIONS_SCHEMA, cli_schema, "JSON schema of a file format, for editors",
     "  iscsispec schema case > case.schema.json\n"},
};

const struct commands_row *commands_at(size_t index)
{
    return index < sizeof(rows) / sizeof(rows[0]) ? &rows[index] : NULL;
}

static const struct commands_exit exits[] = {
    {EXIT_INTERRUPTED, "interrupted; the report of what was done is complete"},
    {EXIT_USAGE, "wrong use, or a bad case, profile or waiver file"},
    {EXIT_UNREACHABLE, "the target could not be started or reached"},
    {EXIT_FAULT, "a fault of the suite or its set-up"},
    {EXIT_FINDINGS, "a case failed, the target crashed, or a waiver is over"},
    {EXIT_NOTHING, "nothing was selected, or everything was skipped"},
    {EXIT_ALL_PASSED, "all selected cases passed"},
};

const struct commands_exit *commands_exit_at(size_t index)
{
    return index < sizeof(exits) / sizeof(exits[0]) ? &exits[index] : NULL;
}
