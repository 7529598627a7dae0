#include "os/fetch.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "os/plugin.h"

/* IANA special-purpose registries: what is not another's public host. */
static const struct {
    uint32_t network;
    unsigned bits;
} own_v4[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* carrier's NAT */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link local; metadata services */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocol assignments */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarks */
    {0xe0000000, 3},  /* multicast and reserved */
};

static bool is_own_v4(uint32_t address) {
    for (size_t i = 0; i < sizeof own_v4 / sizeof *own_v4; i++)
        if ((address ^ own_v4[i].network) >> (32 - own_v4[i].bits) == 0) return true;
    return false;
}

static uint32_t v4_at(const unsigned char *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | (uint32_t)b[3];
}

static bool is_own_v6(const unsigned char b[16]) {
    static const unsigned char zeros[12], mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const unsigned char nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    if (memcmp(b, zeros, 12) == 0) return true; /* unspecified, loopback, and the old way to write IPv4 */
    if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0) return is_own_v4(v4_at(b + 12));
    if (b[0] == 0x20 && b[1] == 0x02) return is_own_v4(v4_at(b + 2)); /* 6to4 */
    return (b[0] & 0xe0) != 0x20;                                     /* outside 2000::/3 nothing is public */
}

bool fetch_is_private(const struct sockaddr *address) {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (address->sa_family == AF_INET) {
        memcpy(&v4, address, sizeof v4);
        return is_own_v4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family != AF_INET6) return true;
    memcpy(&v6, address, sizeof v6);
    return is_own_v6(v6.sin6_addr.s6_addr);
}

static Err open_plugin(const struct fetch_plugin **out) {
    const void *table = NULL;
    TRY(plugin_open("fetch", &table));
    *out = table;
    return err_none();
}

static bool has_control(Str text) {
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 127) return true;
    return false;
}

static Err check_url(Str url, const char *tls, const char *plain, bool plain_too) {
    Str scheme = str_slice(url, 0, (size_t)(str_find(url, STR("://")) < 0 ? 0 : str_find(url, STR("://"))));
    bool known = str_eq_nocase(scheme, str_c(tls)) || (plain_too && str_eq_nocase(scheme, str_c(plain)));
    if (known && !has_control(url) && url.len < 4096) return err_none();
    return err_make(ERR_INVALID, "'%.*s' is no address to call: it begins with %s://",
                    (int)(url.len < 100 ? url.len : 100), url.ptr ? url.ptr : "", tls);
}

Err fetch_http(const struct fetch_request *request, struct arena *arena, struct fetch_answer *out) {
    const struct fetch_plugin *plugin;
    struct fetch_raw raw = {0};
    *out = (struct fetch_answer){0};
    TRY(check_url(request->url, "https", "http", request->limits.plain));
    for (size_t i = 0; i < request->n_headers; i++)
        if (has_control(request->headers[i].name) || has_control(request->headers[i].value))
            return err_make(ERR_INVALID, "a header to send holds a control character: leave it out");
    TRY(open_plugin(&plugin));
    Err err = plugin->http(request, fetch_is_private, &raw);
    out->status = raw.status;
    out->content_type = arena_str(arena, str_c(raw.content_type));
    out->body = arena_str(arena, buf_view(&raw.body));
    buf_fini(&raw.body);
    return err;
}

Err fetch_send_mail(const struct fetch_mail *mail) {
    const struct fetch_plugin *plugin;
    /* smtp:// begins in the open and must then turn to TLS, unless plain is allowed */
    if (!str_starts(mail->server, STR("smtp://"))) TRY(check_url(mail->server, "smtps", "smtp", true));
    if (has_control(mail->server) || has_control(mail->from) || mail->n_to == 0)
        return err_make(ERR_INVALID, "a mail needs a server, a sender and a receiver, without control characters");
    for (size_t i = 0; i < mail->n_to; i++)
        if (mail->to[i].len == 0 || has_control(mail->to[i]))
            return err_make(ERR_INVALID, "'%.*s' is no mail address",
                            (int)(mail->to[i].len < 80 ? mail->to[i].len : 80), mail->to[i].ptr ? mail->to[i].ptr : "");
    TRY(open_plugin(&plugin));
    return plugin->mail(mail, fetch_is_private);
}
