#include "act/notify_format.h"

#include "tests/unit.h"
#include "trust/secret.h"

void notify_format_test(void);

static struct arena arena;
static const struct notify_said said = {.id = 7,
                                        .at = INT64_C(1700000000000000000),
                                        .text_en = STR_INIT("kiln 4 is hot"),
                                        .text_zh = STR_INIT("四号窑过热"),
                                        .type = STR_INIT("alarm"),
                                        .rule = STR_INIT("hot"),
                                        .doc = 12};

static void test_hmac(void) {
    unit_case("RFC 4231, test case 2");
    unsigned char mac[32];
    secret_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), mac);
    static const unsigned char want[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e, 0x6a, 0x04, 0x24,
                                         0x26, 0x08, 0x95, 0x75, 0xc7, 0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27,
                                         0x39, 0x83, 0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    CHECK_STR(str_n((char *)mac, 32), str_n((const char *)want, 32));
}

static struct notify_request make(const char *kind, const char *target, const char *secret) {
    struct notify_request r = {.n_headers = 0};
    struct notify_place place = {.target = str_c(target), .secret = str_c(secret), .now = INT64_C(1700000000123000000)};
    notify_format_named(str_c(kind))->make(&said, &place, &arena, &r);
    return r;
}

static void test_robots(void) {
    unit_case("the formats of robots");
    struct notify_request r = make("wecom", "https://qyapi.example/send?key=k", "");
    CHECK_STR(r.url, STR("https://qyapi.example/send?key=k"));
    CHECK_STR(r.body, STR("{\"msgtype\":\"text\",\"text\":{\"content\":\"四号窑过热\\nkiln 4 is hot\"}}"));
    r = make("dingtalk", "https://oapi.example/send?access_token=t", "");
    CHECK_STR(r.url, STR("https://oapi.example/send?access_token=t"));
    r = make("dingtalk", "https://oapi.example/send?access_token=t", "SEC1");
    CHECK(str_starts(r.url, STR("https://oapi.example/send?access_token=t&timestamp=1700000000123&sign=")));
    CHECK(str_find(r.url, STR("+")) < 0 && str_ends(r.url, STR("%3D")));
    r = make("feishu", "https://open.example/hook/1", "");
    CHECK_STR(r.body, STR("{\"msg_type\":\"text\",\"content\":{\"text\":\"四号窑过热\\nkiln 4 is hot\"}}"));
    r = make("feishu", "https://open.example/hook/1", "s");
    CHECK(str_starts(r.body, STR("{\"timestamp\":\"1700000000\",\"sign\":\"")));
    r = make("webhook", "https://a.example/", "");
    CHECK_INT(r.n_headers, 2);
    r = make("webhook", "https://a.example/", "s");
    CHECK_INT(r.n_headers, 3);
    CHECK(str_starts(r.headers[2].value, STR("sha256=")));
    CHECK_INT(r.headers[2].value.len, 7 + 64);
}

static void test_mail(void) {
    unit_case("a mail");
    Str mail = notify_format_mail(&said, STR("weft@example.com"), STR("boss@example.com"), INT64_C(1700000000000000000),
                                  &arena);
    CHECK(str_starts(mail, STR("From: <weft@example.com>\r\nTo: <boss@example.com>\r\nSubject: =?UTF-8?B?")));
    CHECK(str_find(mail, STR("\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n")) > 0);
    CHECK(str_find(mail, STR("\r\n\r\n5Zub5Y+356qR6L+H54OtCmtpbG4gNCBpcyBob3Q=\r\n")) > 0);
    struct notify_said lines = said;
    lines.text_zh = lines.text_en = STR("first\r\nBcc: thief@example.com\nsecond"); /* no header gets in by the text */
    mail = notify_format_mail(&lines, STR("weft@example.com"), STR("boss@example.com"), lines.at, &arena);
    CHECK(str_find(mail, STR("Bcc")) < 0);
}

static void test_addresses(void) {
    unit_case("addresses");
    static const struct {
        const char *kind, *target;
        bool ok;
    } cases[] = {
        {"webhook", "https://a.example/x", true},
        {"webhook", "http://a.example/x", true},
        {"webhook", "ftp://a.example/x", false},
        {"webhook", "https://a.example/x y", false},
        {"webhook", "https://a\r\nHost: b", false},
        {"webhook", "", false},
        {"email", "boss@example.com", true},
        {"email", "boss", false},
        {"email", "@example.com", false},
        {"email", "a@", false},
        {"email", "a@b>\r\nRCPT TO:<c@d", false},
        {"email", "a@b,c@d", false},
        {"feishu", "https://open.example/hook", true},
        {"dingtalk", "javascript:alert(1)", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CHECK_INT(notify_format_named(str_c(cases[i].kind))->check(str_c(cases[i].target)).code == ERR_NONE,
                  cases[i].ok);
    CHECK(notify_format_named(STR("fax")) == NULL);
}

static void test_answers(void) {
    unit_case("answers");
    const struct notify_format *hook = notify_format_named(STR("webhook")),
                               *ding = notify_format_named(STR("dingtalk")),
                               *feishu = notify_format_named(STR("feishu"));
    CHECK_OK(notify_format_answer(hook, 200, STR("thanks")));
    CHECK_OK(notify_format_answer(hook, 204, STR("")));
    CHECK_ERR(notify_format_answer(hook, 302, STR("")), ERR_IO);
    CHECK_ERR(notify_format_answer(hook, 500, STR("")), ERR_IO);
    CHECK_OK(notify_format_answer(ding, 200, STR("{\"errcode\":0}")));
    CHECK_ERR(notify_format_answer(ding, 200, STR("{\"errcode\":310000,\"errmsg\":\"sign not match\"}")), ERR_IO);
    CHECK_ERR(notify_format_answer(ding, 200, STR("<html>")), ERR_IO);
    CHECK_OK(notify_format_answer(feishu, 200, STR("{\"code\":0}")));
    CHECK_OK(notify_format_answer(feishu, 200, STR("{\"StatusCode\":0}")));
    CHECK_ERR(notify_format_answer(feishu, 200, STR("{\"code\":19021}")), ERR_IO);
}

void notify_format_test(void) {
    arena_init(&arena, 0);
    test_hmac();
    test_robots();
    test_mail();
    test_addresses();
    test_answers();
    arena_fini(&arena);
}
