/*
 * Exchanges of test_defects.c that the defects of reference_target/defects_course.h show in. It is a part of that file.
 */
static void open_and_say(unsigned flags, const char *text, size_t length)
{
    peer_open(&world, PORTAL_A, &a);
    peer_login(&a, flags, text, length);
    watch(&a);
}

static void do_odd_values(void)
{
    static char text[512];

    open_and_say(0x87, TEXT(N("open") "InitiatorAlias=a=b"));
    open_and_say(0x87, TEXT(N("open") "InitiatorAlias=\xff"));
    open_and_say(0x87, TEXT(N("open") "InitiatorAlias=a\nHeaderDigest=CRC32C"));
    open_and_say(0x87, TEXT(N("open") "OFMarkInt=2048~8192"));
    memset(text, 'x', 400);
    memcpy(text, "InitiatorName=iqn.", 18);
    memcpy(text + 400, "\0TargetName=iqn.2024-01.org.example:open", 41);
    open_and_say(0x87, text, 441);
}

static void do_changed_header(void)
{
    open_and_say(0x04, TEXT(N("open")));
    a.header.cid++;
    peer_login(&a, 0x87, "", 0);
    watch(&a);
    open_and_say(0x04, TEXT(N("open")));
    for (int i = 0; i < 5; i++)
        peer_login(&a, 0x04, "", 0);
    watch(&a);
}

/* A command in a login that is under way, and behind one that was refused. */
static void do_command_in_login(void)
{
    static const struct pdu_request command = { .opcode = PDU_SCSI_COMMAND, .flags = PDU_FLAG_FINAL, .itt = 9 };

    open_and_say(0x04, TEXT(N("open")));
    say(&a, command, NULL, 0);
    open_and_say(0x87, TEXT(N("nowhere")));
    say(&a, command, NULL, 0);
}

/* A Login Request whose first byte and TotalAHSLength are others; the text begins with what would be the AHS. */
static void do_odd_header(void)
{
    static const uint8_t first[] = { 0x43, 0x03 };
    static const char text[] = "\0\0\0\0" N("open") "InitiatorAlias=ab";
    uint8_t wire[PDU_BHS_LEN + sizeof(text) + 8] = { 0 };

    for (size_t i = 0; i < sizeof(first); i++) {
        peer_open(&world, PORTAL_A, &a);
        a.header.data_len = sizeof(text);
        pdu_login_request_encode(&a.header, wire);
        wire[0] = first[i];
        wire[1] = 0x87;
        wire[4] = i == 0;
        memcpy(wire + PDU_BHS_LEN, text, sizeof(text));
        conn_input(a.conn, wire, PDU_BHS_LEN + pdu_padded_len(sizeof(text)) + (i == 0 ? 4 : 0));
        watch(&a);
    }
}

static void do_left_unfinished(void)
{
    for (int i = 0; i < 4; i++) {
        open_and_say(0x04, TEXT(N("open")));
        peer_close(&a);
    }
    enter(&a, PORTAL_A, TARGET_OPEN, TEXT("MaxConnections=2"));
    peer_open(&world, PORTAL_A, &b);
    memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
    b.header.tsih = a.header.tsih;
    b.header.cid = 9;
    peer_login(&b, 0x04, TEXT(N("open")));
    peer_close(&b);
    watch(&a);
}

/* Into a session of one user: without authentication, and as another user. */
static void do_foreign_join(void)
{
    static struct config_credential users[2];
    static char other[] = "user-two";

    users[0] = users[1] = *world.targets[TARGET_CHAP].auth.users;
    users[1].user = other;
    world.targets[TARGET_CHAP].auth.users = users;
    world.targets[TARGET_CHAP].auth.user_count = 2;
    chap(TARGET_CHAP, 5, PEER_USER, PEER_SECRET, NULL);
    peer_login(&a, 0x87, TEXT("MaxConnections=3"));
    (void)peer_receive(&a);
    a.header.tsih = a.response.tsih;
    join(PORTAL_A, TARGET_CHAP, "", 0);
    peer_open(&world, PORTAL_A, &b);
    memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
    b.header.tsih = a.header.tsih;
    b.header.cid = 9;
    peer_chap(&b, TARGET_CHAP, 5, other, PEER_SECRET, NULL);
    peer_login(&b, 0x87, "", 0);
    watch(&b);
}

static void do_long_data(void)
{
    static char big[9000] = "big";
    static const uint8_t write[16] = { 0x2a, 0, 0, 0, 0, 0, 0, 0, 1 };
    struct pdu_request command = { .opcode = PDU_SCSI_COMMAND, .flags = PDU_FLAG_FINAL | PDU_FLAG_WRITE, .itt = 9,
                                   .word20 = 512 };

    enter(&a, PORTAL_A, TARGET_OPEN, "", 0);
    say(&a, (struct pdu_request){ .opcode = PDU_NOP_OUT, .flags = PDU_FLAG_FINAL, .itt = 8, .word20 = PDU_NO_TAG },
        big, sizeof(big));
    ask(&a, TEXT("MaxRecvDataSegmentLength=512"));
    say(&a, (struct pdu_request){ .opcode = PDU_NOP_OUT, .flags = PDU_FLAG_FINAL, .itt = 8, .word20 = PDU_NO_TAG },
        big, 600);
    ask(&a, TEXT("X-late=1\0MaxBurstLength=4096"));
    ask(&a, TEXT("bare"));
    enter(&a, PORTAL_A, TARGET_OPEN, TEXT("HeaderDigest=Y-a"));
    ping(&a);
    enter(&a, PORTAL_A, TARGET_OPEN, TEXT("ImmediateData=No"));
    memcpy(command.tail, write, sizeof(write));
    say(&a, command, big, 512);
    enter(&a, PORTAL_A, NODE_ALL, TEXT("MaxRecvDataSegmentLength=512"));
    ask(&a, TEXT("SendTargets=All"));
    say(&a, (struct pdu_request){ .opcode = PDU_TEXT_REQUEST, .flags = PDU_FLAG_FINAL, .itt = 5, .word20 = 5 }, NULL, 0);
}

/* A ping with a number of its own, and another tag each time. */
static void numbered_ping(struct peer *peer, uint32_t cmd_sn, bool immediate)
{
    uint8_t bhs[PDU_BHS_LEN];

    pdu_request_encode(&(struct pdu_request){ .opcode = PDU_NOP_OUT, .flags = PDU_FLAG_FINAL, .itt = cmd_sn + 77,
                                              .word20 = PDU_NO_TAG, .cmd_sn = cmd_sn }, bhs);
    if (immediate)
        bhs[0] |= PDU_IMMEDIATE;
    peer_send(peer, bhs, NULL, 0);
    watch(peer);
}

static void do_numbers(void)
{
    uint32_t first;

    enter(&a, PORTAL_A, TARGET_OPEN, TEXT("MaxConnections=2"));
    first = a.cmd_sn;
    numbered_ping(&a, first + 0x10000000U, false);
    numbered_ping(&a, first + 0x10000000U, true);
    numbered_ping(&a, first - 1, false);
    peer_open(&world, PORTAL_A, &b);
    memcpy(b.header.isid, a.header.isid, sizeof(b.header.isid));
    b.header.tsih = a.header.tsih;
    b.header.cid = (uint16_t)(a.header.cid + 1);
    b.header.cmd_sn = first + 99;
    peer_login_whole(&b, TARGET_OPEN, "", 0);
    mix(b.bhs, sizeof(b.bhs));
    watch(&b);
    numbered_ping(&b, first + 1, false);
    numbered_ping(&a, first, false);
    watch(&b);
}

static void do_logouts(void)
{
    static const uint8_t reasons[] = { PDU_LOGOUT_CLOSE_CONNECTION, PDU_LOGOUT_REMOVE_FOR_RECOVERY, 3 };

    for (size_t i = 0; i < sizeof(reasons); i++) {
        enter(&a, PORTAL_A, TARGET_OPEN, "", 0);
        say(&a, (struct pdu_request){ .opcode = PDU_LOGOUT_REQUEST, .flags = (uint8_t)(PDU_FLAG_FINAL | reasons[i]),
                                      .itt = 9, .word20 = UINT32_C(4711) << 16 }, NULL, 0);
    }
}

static void do_text_parts(void)
{
    struct pdu_request part = { .opcode = PDU_TEXT_REQUEST, .flags = PDU_FLAG_CONTINUE, .itt = 6,
                                .word20 = PDU_NO_TAG };

    enter(&a, PORTAL_A, TARGET_OPEN, "", 0);
    say(&a, part, "SendTar", 7);
    part.flags = PDU_FLAG_FINAL;
    part.word20 = part.itt;
    say(&a, part, TEXT("gets="));
    part.flags = PDU_FLAG_FINAL | PDU_FLAG_CONTINUE;
    part.word20 = PDU_NO_TAG;
    say(&a, part, TEXT("SendTargets="));
}

static void do_odd_keys(void)
{
    static char name[400];

    open_and_say(0x87, TEXT(N("open") "X-a=1\0X-a=2"));
    open_and_say(0x81, TEXT(N("chap") "AuthMethod=CHAP\0CHAP_A=5"));
    open_and_say(0x04, TEXT(N("open")));
    peer_login(&a, 0x87, TEXT("SessionType=Discovery"));
    watch(&a);
    memset(name, 'x', sizeof(name));
    memcpy(name, TEXT(N("open")) - 2);
    name[sizeof(name) - 1] = '\0';
    open_and_say(0x87, name, sizeof(name));
}
