#include "act/notify_format.h"

#include <stdio.h>

#include "base/json.h"
#include "base/jw.h"
#include "trust/secret.h"

/* ---- pieces */
static Str both(const struct notify_said *s, struct arena *arena) {
    if (str_eq(s->text_en, s->text_zh) || s->text_en.len == 0) return s->text_zh;
    if (s->text_zh.len == 0) return s->text_en;
    return arena_printf(arena, STR_FMT "\n" STR_FMT, STR_ARG(s->text_zh), STR_ARG(s->text_en));
}

static Str taken(struct buf *text, struct arena *arena) {
    Str out = arena_str(arena, buf_view(text));
    buf_fini(text);
    return out;
}

static void add_header(struct notify_request *r, const char *name, Str value) {
    r->headers[r->n_headers++] = (struct http_pair){.name = str_c(name), .value = value};
}

static Str hmac_base64(Str key, Str text, struct arena *arena) {
    unsigned char mac[32];
    secret_hmac_sha256(key, text, mac);
    return secret_base64(arena, str_n((char *)mac, sizeof mac));
}

static Str url_encoded(Str s, struct arena *arena) {
    struct buf out = {0};
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        if (plain)
            buf_byte(&out, c);
        else
            buf_printf(&out, "%%%02X", c);
    }
    return taken(&out, arena);
}

/* {"msgtype":"text","text":{"content":…}}: WeCom and DingTalk */
static Str text_message(const struct notify_said *said, struct arena *arena) {
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    jw_kc(&w, "msgtype", "text");
    jw_key(&w, "text");
    jw_object(&w);
    jw_kstr(&w, "content", both(said, arena));
    jw_object_end(&w);
    jw_object_end(&w);
    return taken(&text, arena);
}

/* ---- kinds */
static void make_webhook(const struct notify_said *said, const struct notify_place *place, struct arena *arena,
                         struct notify_request *out) {
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    jw_object(&w);
    jw_kint(&w, "id", said->id);
    jw_ktime(&w, "at", said->at);
    jw_kstr(&w, "text_en", said->text_en);
    jw_kstr(&w, "text_zh", said->text_zh);
    jw_kstr(&w, "rule", said->rule);
    jw_kstr(&w, "type", said->type);
    jw_kint(&w, "doc", said->doc);
    jw_object_end(&w);
    out->url = place->target;
    out->body = taken(&text, arena);
    Str seconds = arena_printf(arena, "%lld", (long long)(place->now / NANOS_PER_S));
    add_header(out, "X-Weft-Delivery", arena_printf(arena, "%lld", (long long)said->id));
    add_header(out, "X-Weft-Timestamp", seconds);
    if (place->secret.len == 0) return;
    unsigned char mac[32];
    Str signed_text = arena_printf(arena, STR_FMT "." STR_FMT, STR_ARG(seconds), STR_ARG(out->body));
    secret_hmac_sha256(place->secret, signed_text, mac);
    struct buf hex = {0};
    buf_c(&hex, "sha256=");
    for (size_t i = 0; i < sizeof mac; i++) buf_printf(&hex, "%02x", mac[i]);
    add_header(out, "X-Weft-Signature", taken(&hex, arena));
}

static void make_wecom(const struct notify_said *said, const struct notify_place *place, struct arena *arena,
                       struct notify_request *out) {
    out->url = place->target;
    out->body = text_message(said, arena);
}

/* sign = base64(HMAC-SHA256(secret, timestamp in ms "\n" secret)), as parameters of the address */
static void make_dingtalk(const struct notify_said *said, const struct notify_place *place, struct arena *arena,
                          struct notify_request *out) {
    out->url = place->target;
    out->body = text_message(said, arena);
    if (place->secret.len == 0) return;
    long long ms = (long long)(place->now / NANOS_PER_MS);
    Str sign = hmac_base64(place->secret, arena_printf(arena, "%lld\n" STR_FMT, ms, STR_ARG(place->secret)), arena);
    out->url = arena_printf(arena, STR_FMT "%stimestamp=%lld&sign=" STR_FMT, STR_ARG(place->target),
                            str_find(place->target, STR("?")) < 0 ? "?" : "&", ms, STR_ARG(url_encoded(sign, arena)));
}

/* sign = base64(HMAC-SHA256(timestamp in s "\n" secret, nothing)), in the body */
static void make_feishu(const struct notify_said *said, const struct notify_place *place, struct arena *arena,
                        struct notify_request *out) {
    struct buf text = {0};
    struct jw w;
    Str seconds = arena_printf(arena, "%lld", (long long)(place->now / NANOS_PER_S));
    jw_init(&w, &text);
    jw_object(&w);
    if (place->secret.len > 0) {
        Str key = arena_printf(arena, STR_FMT "\n" STR_FMT, STR_ARG(seconds), STR_ARG(place->secret));
        jw_kstr(&w, "timestamp", seconds);
        jw_kstr(&w, "sign", hmac_base64(key, (Str){0}, arena));
    }
    jw_kc(&w, "msg_type", "text");
    jw_key(&w, "content");
    jw_object(&w);
    jw_kstr(&w, "text", both(said, arena));
    jw_object_end(&w);
    jw_object_end(&w);
    out->url = place->target;
    out->body = taken(&text, arena);
}

static Err check_url(Str target) {
    bool ok = (str_starts(target, STR("https://")) || str_starts(target, STR("http://"))) && target.len > 10 &&
              target.len <= 1000;
    for (size_t i = 0; i < target.len; i++) ok = ok && (unsigned char)target.ptr[i] > ' ';
    return ok ? err_none() : err_make(ERR_INVALID, "'target' is no address: https://…, at most 1000 bytes");
}

static Err check_mail(Str target) {
    ptrdiff_t at = str_find(target, STR("@"));
    bool ok = at > 0 && (size_t)at + 1 < target.len && target.len <= 254;
    for (size_t i = 0; i < target.len; i++)
        ok = ok && (unsigned char)target.ptr[i] > ' ' && target.ptr[i] != '<' && target.ptr[i] != '>' &&
             target.ptr[i] != ',' && target.ptr[i] != 0x7f;
    return ok ? err_none() : err_make(ERR_INVALID, "'target' is no mail address: NAME@HOST");
}

const struct notify_format notify_format_all[] = {
    {"email", check_mail, NULL, NULL},           {"webhook", check_url, make_webhook, NULL},
    {"wecom", check_url, make_wecom, "errcode"}, {"dingtalk", check_url, make_dingtalk, "errcode"},
    {"feishu", check_url, make_feishu, "code"},  {.kind = NULL},
};

const struct notify_format *notify_format_named(Str kind) {
    for (const struct notify_format *f = notify_format_all; f->kind; f++)
        if (str_eq_c(kind, f->kind)) return f;
    return NULL;
}

/* ---- mail */
static Str base64_lines(Str bytes, struct arena *arena) {
    struct buf out = {0};
    Str all = secret_base64(arena, bytes);
    for (size_t i = 0; i < all.len; i += 76) {
        buf_str(&out, str_slice(all, i, i + 76));
        buf_c(&out, "\r\n");
    }
    return taken(&out, arena);
}

/* The first line, cut to what one encoded word may hold without breaking a character. */
static Str subject_of(const struct notify_said *said, struct arena *arena) {
    Str line, rest;
    str_cut(both(said, arena), '\n', &line, &rest);
    if (line.len <= 45) return line;
    size_t n = 45;
    while (n > 0 && ((unsigned char)line.ptr[n] & 0xc0) == 0x80) n--;
    return str_slice(line, 0, n);
}

Str notify_format_mail(const struct notify_said *said, Str from, Str to, Nanos now, struct arena *arena) {
    static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char t[TIME_TEXT_MAX];
    time_format(now, t); /* 2026-03-08T… */
    const char *day = days + 3 * (size_t)(now / NANOS_PER_DAY % 7);
    size_t month = (size_t)((t[5] - '0') * 10 + (t[6] - '0') - 1);
    return arena_printf(arena,
                        "From: <" STR_FMT ">\r\nTo: <" STR_FMT ">\r\nSubject: =?UTF-8?B?" STR_FMT "?=\r\n"
                        "Date: %.3s, %.2s %.3s %.4s %.8s +0000\r\nMessage-ID: <weft-%lld-%lld@" STR_FMT ">\r\n"
                        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: base64\r\n\r\n" STR_FMT,
                        STR_ARG(from), STR_ARG(to), STR_ARG(secret_base64(arena, subject_of(said, arena))), day, t + 8,
                        months + 3 * (month % 12), t, t + 11, (long long)said->id, (long long)(now / NANOS_PER_MS),
                        STR_ARG(str_slice(from, (size_t)(str_find(from, STR("@")) + 1), from.len)),
                        STR_ARG(base64_lines(both(said, arena), arena)));
}

/* ---- answers */
Err notify_format_answer(const struct notify_format *format, int status, Str body) {
    struct json *json = NULL;
    if (status < 200 || status > 299)
        return err_make(ERR_IO, "the receiver answers %d: %.*s", status, (int)(body.len < 120 ? body.len : 120),
                        body.ptr);
    if (!format->code) return err_none();
    int64_t code = -1;
    if (json_parse(body, &json).code == ERR_NONE && json_kind(json) == JSON_OBJECT)
        code = json_get_int(json, format->code, json_get_int(json, "StatusCode", -1));
    json_free(json);
    if (code == 0) return err_none();
    return err_make(ERR_IO, "the robot refuses: %.*s", (int)(body.len < 160 ? body.len : 160), body.ptr);
}
