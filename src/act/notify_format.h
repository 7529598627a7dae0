/*
 * How a notification is said to the outside: one row a kind of channel. Robots take the message formats that their
 * makers publish; a webhook gets JSON with a signature:
 *
 *     X-Weft-Timestamp: 1700000000
 *     X-Weft-Signature: sha256=HEX      HMAC-SHA256 of TIMESTAMP "." BODY with the channel's secret
 */
#ifndef ACT_NOTIFY_FORMAT_H
#define ACT_NOTIFY_FORMAT_H

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "os/http_text.h"

struct notify_said {
    int64_t id;
    Nanos at;
    Str text_en, text_zh, type, rule, number;
    int64_t doc;
};
struct notify_place {
    Str target, secret; /* an address; what signs, or empty */
    Nanos now;          /* the wall's */
};
struct notify_request {
    Str url, body;
    struct http_pair headers[4];
    size_t n_headers;
};
struct notify_format {
    const char *kind;         /* "dingtalk" */
    Err (*check)(Str target); /* ERR_INVALID: no such address */
    void (*make)(const struct notify_said *said, const struct notify_place *place, struct arena *arena,
                 struct notify_request *out); /* NULL: mail */
    const char *code;                         /* member of the answer that is 0, or NULL */
};
extern const struct notify_format notify_format_all[];     /* ends with kind NULL */
const struct notify_format *notify_format_named(Str kind); /* or NULL */

/* The mail's text, RFC 5322. */
Str notify_format_mail(const struct notify_said *said, Str from, Str to, Nanos now, struct arena *arena);
/* Is the answer of the receiver a success? ERR_IO says what it answered. */
Err notify_format_answer(const struct notify_format *format, int status, Str body);

#endif
