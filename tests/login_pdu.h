#ifndef ISCSISPEC_TESTS_LOGIN_PDU_H
#define ISCSISPEC_TESTS_LOGIN_PDU_H

#include <stdbool.h>
#include <string.h>

#include "wire/pdu.h"

/* Writes the Login Request, or the Login Response, of a login in one exchange, with its text; returns the bytes. */
static size_t login_pdu(uint8_t *wire, bool request, const char *text, size_t len)
{
    if (request) {
        struct pdu_login_request req = {.immediate = true, .transit = true, .csg = 1, .nsg = 3, .itt = 5};

        req.data_len = (uint32_t)len;
        pdu_login_request_encode(&req, wire);
    } else {
        struct pdu_login_response rsp = {.transit = true, .csg = 1, .nsg = 3, .itt = 5, .tsih = 1};

        rsp.data_len = (uint32_t)len;
        pdu_login_response_encode(&rsp, wire);
    }
    memset(wire + PDU_BHS_LEN, 0, pdu_padded_len(len));
    memcpy(wire + PDU_BHS_LEN, text, len);
    return PDU_BHS_LEN + pdu_padded_len(len);
}

#endif
