#!/usr/bin/env python3
"""replayed.py DIR: is what `iscsispec replay --out DIR` says true of the bytes in DIR/capture.pcap and DIR/replay.pcap?

The bytes are read here by the layouts of RFCs 791, 8200, 9293 and 7143, not by the suite (which writes these files
whole and in order). An answer that is called
different has to differ in what is no live value, one that is not must not; and each key, flag and status that is named
has to stand there as it is said to. Prints how many were checked."""
import ipaddress
import json
import re
import struct
import sys

LIVE_KEYS = {"CHAP_C", "CHAP_I", "CHAP_R", "CHAP_N"}
OPCODES = {"SCSI Response": 0x21, "SCSI Data-In": 0x25, "Login Response": 0x23, "Text Response": 0x24,
           "Logout Response": 0x26, "R2T": 0x31, "NOP-In": 0x20, "Reject": 0x3F, "Async Message": 0x32}


def packets(path):
    """(source, destination, flags, payload) of each TCP segment; addresses as a TargetAddress writes them."""
    with open(path, "rb") as f:
        file = f.read()
    order = "<" if file[:4] == b"\xd4\xc3\xb2\xa1" else ">"
    at = 24
    while at < len(file):
        length = struct.unpack_from(order + "I", file, at + 8)[0]
        ip = file[at + 16 + 14:at + 16 + length]
        at += 16 + length
        if ip[0] >> 4 == 4:
            hosts = [str(ipaddress.IPv4Address(ip[i:i + 4])) for i in (12, 16)]
            tcp = ip[4 * (ip[0] & 15):int.from_bytes(ip[2:4], "big")]
        else:
            hosts = [f"[{ipaddress.IPv6Address(ip[i:i + 16])}]" for i in (8, 24)]
            tcp = ip[40:40 + int.from_bytes(ip[4:6], "big")]
        ports = struct.unpack_from(">HH", tcp)
        yield f"{hosts[0]}:{ports[0]}", f"{hosts[1]}:{ports[1]}", tcp[13], tcp[4 * (tcp[12] >> 4):]


def streams(path):
    """For each TCP connection, in their order: the target's address, and its bytes."""
    found, current = [], {}
    for source, to, flags, payload in packets(path):
        if flags & 0x12 == 0x02:
            current[source, to] = bytearray()
            found.append((to, current[source, to]))
        elif (to, source) in current:
            current[to, source] += payload
    return [(portal, bytes(said)) for portal, said in found]


def pdus(stream):
    found, at = [], 0
    while at + 48 <= len(stream):
        length = int.from_bytes(stream[at + 5:at + 8], "big")
        start = at + 48 + 4 * stream[at + 4]
        found.append((stream[at:at + 48], stream[start:start + length]))
        at = start + (length + 3) // 4 * 4
    return found


def keys(data):
    pairs = [p.decode("latin-1").partition("=") for p in data.split(b"\0") if p]
    return {k: v for k, _, v in pairs}


def view(pdu, portal):
    """What of an answer is no live value, and no sequence number."""
    bhs, data = pdu
    opcode = bhs[0] & 0x3F
    text = data.decode("latin-1").replace(portal, "PORTAL").encode("latin-1")
    if opcode == 0x23:
        return (opcode, bhs[1:4], bhs[36:38], any(bhs[8:14]), any(bhs[14:16]),
                {k: v for k, v in keys(text).items() if k not in LIVE_KEYS})
    if opcode == 0x24:
        return (opcode, bhs[1] & 0xC0, text)
    return (opcode, bhs[1:4], bhs[40:48] if opcode == 0x26 else bhs[44:48], data)


def claim(part, pdu, old):
    """Is one part of a difference, as `NSG 0 -> 1`, true of the old or the new answer? None: it cannot be told here."""
    bhs, data = pdu
    login = bhs[0] & 0x3F == 0x23
    m = re.fullmatch(r"(T|C|CSG|NSG) (\d) -> (\d)", part)
    if m and login:
        value = {"T": bhs[1] >> 7, "C": bhs[1] >> 6 & 1, "CSG": bhs[1] >> 2 & 3, "NSG": bhs[1] & 3}[m[1]]
        return value == int(m[2 if old else 3])
    m = re.fullmatch(r"Status 0x(....)\b.* -> 0x(....)\b.*", part)
    if m and login:
        return bhs[36:38].hex() == m[1 if old else 2]
    m = re.fullmatch(r"no ([^= ]+)=(.*)", part)
    if m and login:
        return (keys(data).get(m[1]) == m[2]) == old
    m = re.fullmatch(r"([^= ]+)=(.*) was not there", part)
    if m and login:
        return (keys(data).get(m[1]) == m[2]) != old
    m = re.fullmatch(r"([A-Za-z0-9]+)=(.*) -> (.*)", part)
    if m and login:
        return keys(data).get(m[1]) == m[2 if old else 3]
    m = re.fullmatch(r"(.+) -> (.+)", part)
    if m and m[1] in OPCODES and m[2] in OPCODES:
        return bhs[0] & 0x3F == OPCODES[m[1 if old else 2]]
    return None


def main(folder):
    with open(folder + "/replay.json", encoding="utf-8") as f:
        report = json.load(f)
    recorded, live = streams(folder + "/capture.pcap"), streams(folder + "/replay.pcap")
    played = [i for i, c in enumerate(report["connections"]) if not c["not_played"]]
    answers = claims = faults = 0
    for at, number in enumerate(played):
        if at >= len(live):
            break
        (old_portal, old_bytes), (new_portal, new_bytes) = recorded[number], live[at]
        old_pdus, new_pdus = pdus(old_bytes), pdus(new_bytes)
        for row in report["connections"][number]["answers"]:
            if not row["recorded"] or not row["live"]:
                continue
            old, new = old_pdus[row["recorded"] - 1], new_pdus[row["live"] - 1]
            was, became = view(old, old_portal), view(new, new_portal)
            # An ExpCmdSN that stands elsewhere than it did is a difference; where it stood is the session's affair.
            numbers_only = all("ExpCmdSN" in p or "StatSN" in p for p in row["what"].split("; "))
            answers += 1
            different = row["verdict"] == "different"
            if not different and "TargetAddress" in row["what"] and was[0] == became[0] == 0x23:
                was[5].pop("TargetAddress"), became[5].pop("TargetAddress")  # another portal of both
            if (was != became) != different and not (different and numbers_only):
                faults += 1
                print(f"frame {row['frame']}: {row['verdict']} ({row['what']}), but {was} -> {became}")
            for part in row["what"].split("; ") if different else []:
                verdicts = [claim(part, old, True), claim(part, new, False)]
                claims += verdicts[0] is not None
                if False in verdicts:
                    faults += 1
                    print(f"frame {row['frame']}: '{part}' is not so: {old[0].hex()} {old[1]} -> {new[0].hex()} {new[1]}")
    print(f"{answers} answers and {claims} differences in them are as they are said to be")
    return faults != 0 or answers == 0


sys.exit(main(sys.argv[1]))
