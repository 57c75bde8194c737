# TargetPortalGroupTag (RFC 7143 13.9).
- id: names.tag.first-response
  title: The portal group tag stands in the first response of a login and in no other
  proves: [L-TPGT-001, L-TPGT-004, L-TPGT-005]
  needs: [open]
  caught-by: [no-tpgt, tpgt-late, tpgt-in-every-response]
  steps:
    - login:
        base: security
        edits: [{ pdu: 1, header: { T: 0, NSG: 0 } }, { pdu: 3, header: { T: 0, NSG: 0 } }]
    - expect: { pdu: 1, keys: ["TargetPortalGroupTag=[0..65535]"] }
    - expect: { ffp: true, responses: 4 }

- id: names.tag.as-listed
  title: The portal group tag of a login is the one that SendTargets tells
  proves: [L-TPGT-003, L-TPGT-006]
  needs: [open, discovery]
  caught-by: [tpgt-wrong-tag, tpgt-out-of-range]
  steps:
    - login:  { as: A, base: discovery }
    - expect: { on: A, ffp: true }
    - text:   { on: A, keys: ["SendTargets={target}"] }
    - expect: { on: A, lists: "{target}" }
    - login:  { as: B, base: plain }
    - expect: { on: B, ffp: true, keys: ["TargetPortalGroupTag=[0..65535]"] }

- id: names.tag.second-group
  title: Two portal groups have two tags
  proves: [L-TPGT-006]
  needs: [open, second-group]
  caught-by: [tpgt-wrong-tag]
  steps:
    - login:  { as: A, base: plain }
    - expect: { on: A, ffp: true }
    - login:  { as: B, base: plain, portal: second-group }
    - expect: { on: B, ffp: true, keys: ["TargetPortalGroupTag=[0..65535]"] }
