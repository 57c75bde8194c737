"""findings.py FINDINGS.md TARGET RESULTS.jsonl: each failure of TARGET that is known (XFAIL) stands in FINDINGS.md: a row
of the target names a rule that the case proves or that was found broken in it, or the file names the case. Prints those
that do not, and exits 1 then."""

import fnmatch
import json
import re
import sys

RULE = r"L-[A-Z0-9]+(?:-[A-Z0-9]+)*-[0-9]+"


def rules_of(row):
    """Rules that a row names; "L-DUP-001 to L-DUP-012" is all between."""
    rules = set(re.findall(RULE, row))
    for first, last in re.findall(f"({RULE}) to ({RULE})", row):
        stem, low = first.rsplit("-", 1)
        rules |= {f"{stem}-{n:03}" for n in range(int(low), int(last.rsplit("-", 1)[1]) + 1)}
    return rules


def main(findings, target, results):
    rules, cases = set(), []
    for line in open(findings, encoding="utf-8"):
        cells = [cell.strip().lower() for cell in line.strip().strip("|").split("|")]
        row = line.startswith("|")
        if row and target in cells[0].split(", "):
            rules |= rules_of(line)
        if not row or target in cells[0].split(", "):
            cases += re.findall("`([^`]+)`", line)
    known = untold = 0
    for line in open(results, encoding="utf-8"):
        case = json.loads(line)
        if case.get("verdict") != "XFAIL":
            continue
        known += 1
        broken = {finding["rule"] for finding in case["findings"]} | set(case["proves"])
        if not broken & rules and not any(fnmatch.fnmatchcase(case["id"], name) for name in cases):
            untold += 1
            print(f"{target}: {case['id']} ({', '.join(sorted(broken))}): {case['reason']}")
    print(f"{target}: {known} known failures, {untold} of them not in {findings}")
    return untold > 0 or known == 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
