# A readable ladder (evidence/CASE.txt) without what changes from run to run: times, ports, drawn values, who ended first.
/^connection / { sub(/: initiator .*/, ""); conn = $0; next }
/^ +[0-9]+\.[0-9]+  (-->|<--)  PDU/ {
    if (conn != "") { print (printed ? "\n" : "") conn; conn = ""; printed = 1 }
    sub(/^ +[0-9.]+/, "")
    sub(/, [0-9]+ bytes.*/, "")
    print
    inside = 1
    next
}
/^$/ { inside = 0; next }
!inside { next }
/^ +[!~+=] / || /^ +bytes/ || /^ +[0-9a-f]{4}  / { next }
{
    sub(/^ +/, "       ")
    sub(/ DataSegmentLength=[0-9]+/, "")
    gsub(/ISID=0x[0-9a-f]+/, "ISID=(isid)")
    gsub(/TSIH=0x0000/, "TSIH=0")
    gsub(/TSIH=0x[0-9a-f]+/, "TSIH=(tsih)")
    gsub(/(ITT|CmdSN|ExpStatSN|StatSN|ExpCmdSN|MaxCmdSN|TTT)=0x[0-9a-f]+/, "*&")
    while (match($0, /\*[A-Za-z]+=0x[0-9a-f]+/)) {
        field = substr($0, RSTART + 1, RLENGTH - 1)
        sub(/=.*/, "", field)
        value = substr($0, RSTART, RLENGTH) ~ /=0xffffffff$/ ? "none" : "(" tolower(field) ")"
        $0 = substr($0, 1, RSTART - 1) field "=" value substr($0, RSTART + RLENGTH)
    }
    sub(/CHAP_C=.*/, "CHAP_C=(challenge)")
    sub(/CHAP_R=.*/, "CHAP_R=(response)")
    sub(/CHAP_I=.*/, "CHAP_I=(identifier)")
    if ($0 ~ /TargetAddress=/) sub(/:[0-9]+(,|$)/, ":(port)&")
    sub(/\(port\):[0-9]+/, "(port)")
    print
}
