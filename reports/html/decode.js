"use strict";
/* PDUs from their bytes, with the tables of the suite (data.wire): names, fields, stages, statuses. */
const data = JSON.parse(document.getElementById("data").textContent);

function bytesOf(hex) {
    const bytes = new Uint8Array(hex.length / 2);
    for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.substr(2 * i, 2), 16);
    return bytes;
}

function layoutOf(opcode) {
    return data.wire.pdus[opcode] || data.wire.pdus.other;
}

/* A field is [name, byte, width, shift, bits, flags]; values above 2^53 exist, hence BigInt. */
function valueOf(field, bytes) {
    let value = 0n;
    for (let i = 0; i < field[2]; i++) value = (value << 8n) | BigInt(bytes[field[1] + i]);
    return (value >> BigInt(field[3])) & ((1n << BigInt(field[4])) - 1n);
}

function statusName(code) {
    const entry = data.wire.statuses.find((s) => s[0] === code);
    return entry ? entry[1] : "unassigned";
}

function hexText(value, digits) {
    return "0x" + value.toString(16).padStart(digits, "0");
}

function fieldText(opcode, field, value) {
    const [name, , , , bits] = field;
    if ((name === "CSG" || name === "NSG") && (opcode === 0x03 || opcode === 0x23)) return value + " " + data.wire.stages[Number(value)].replace("LoginOperational", "Operational").replace("Negotiation", "");
    if (name === "Status" && opcode === 0x23) return hexText(value, 4) + " " + statusName(Number(value));
    if (name === "Opcode") return hexText(value, 2);
    if (bits === 1 || name.includes("Length") || name === "CID") return String(value);
    return hexText(value, Math.ceil(bits / 4));
}

const RESERVED = 1, PART = 2;

function fieldsOf(bytes) {
    if (bytes.length < 48) return [];
    const opcode = bytes[0] & 0x3f;
    return layoutOf(opcode).fields.filter((f) => !(f[5] & PART)).map((f) => {
        const value = valueOf(f, bytes);
        return { name: f[0], text: fieldText(opcode, f, value), value, reserved: !!(f[5] & RESERVED), from: f[1], to: f[1] + f[2] };
    });
}

/* What is worth a look before anything is opened. */
function summaryOf(bytes, fields) {
    const opcode = bytes[0] & 0x3f;
    const get = (name) => { const f = fields.find((x) => x.name === name); return f ? f.text : ""; };
    const stage = (name) => get(name).split(" ")[1] || "";
    if (opcode === 0x03) return `T=${get("T")} C=${get("C")} ${stage("CSG")}` + (get("T") === "1" ? ` → ${stage("NSG")}` : "") + ` TSIH=${get("TSIH")}`;
    if (opcode === 0x23) return `${get("Status")} · T=${get("T")} C=${get("C")} ${stage("CSG")}` + (get("T") === "1" ? ` → ${stage("NSG")}` : "") + ` TSIH=${get("TSIH")}`;
    return fields.filter((f) => ["F", "Reason", "Response", "AsyncEvent"].includes(f.name)).map((f) => f.name + "=" + f.text).join(" ");
}

function printable(bytes) {
    let text = "";
    for (const b of bytes) text += b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : "\\x" + b.toString(16).padStart(2, "0");
    return text;
}

/* Strings of a text segment: {key, value, from, to} with offsets in the PDU; without = the key is null. */
function pairsOf(row, bytes) {
    const opcode = bytes[0] & 0x3f;
    if (!row.data || ![0x03, 0x04, 0x23, 0x24].includes(opcode)) return [];
    const [from, len] = row.data, end = Math.min(from + len, bytes.length), pairs = [];
    for (let at = from; at < end;) {
        let stop = at;
        while (stop < end && bytes[stop] !== 0) stop++;
        const string = bytes.slice(at, stop), equals = string.indexOf(0x3d);
        pairs.push({ key: equals < 0 ? null : printable(string.slice(0, equals)), value: printable(equals < 0 ? string : string.slice(equals + 1)),
            from: at, to: Math.min(stop + 1, end), open: stop === end });
        at = stop + 1;
    }
    return pairs;
}
