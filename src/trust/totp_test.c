#include "trust/totp.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/unit.h"

void totp_test(void);

static Str hex(const unsigned char mac[20]) {
    static char text[41];
    for (int i = 0; i < 20; i++) snprintf(text + (ptrdiff_t)i * 2, 3, "%02x", mac[i]);
    return str_c(text);
}

/* RFC 2202, section 3. */
static void macs(void) {
    unsigned char mac[20];
    char key[80], data[50];
    unit_case("HMAC-SHA-1: the vectors of RFC 2202");
    memset(key, 0x0b, 20);
    totp_hmac_sha1(str_n(key, 20), STR("Hi There"), mac);
    CHECK_STR(hex(mac), STR("b617318655057264e28bc0b6fb378c8ef146be00"));
    totp_hmac_sha1(STR("Jefe"), STR("what do ya want for nothing?"), mac);
    CHECK_STR(hex(mac), STR("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"));
    memset(key, 0xaa, 80);
    memset(data, 0xdd, 50);
    totp_hmac_sha1(str_n(key, 20), str_n(data, 50), mac);
    CHECK_STR(hex(mac), STR("125d7342b9ac11cd91a39af48aa17b4f63f175d3"));
    totp_hmac_sha1(str_n(key, 80), STR("Test Using Larger Than Block-Size Key - Hash Key First"), mac);
    CHECK_STR(hex(mac), STR("aa4ae5e15272d00e95705637ce8a3b55ed402112"));
    totp_hmac_sha1(str_n(key, 80), STR("Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data"),
                   mac);
    CHECK_STR(hex(mac), STR("e8e99d0f45237d786d6bbaa7965c7808bbff1a91"));
}

static void codes(void) {
    static const Str key = STR_INIT("12345678901234567890");
    /* RFC 6238, appendix B */
    static const struct {
        int64_t seconds;
        unsigned code;
    } vectors[] = {{59, 94287082},         {1111111109, 7081804},  {1111111111, 14050471},
                   {1234567890, 89005924}, {2000000000, 69279037}, {20000000000, 65353130}};
    unit_case("TOTP: the vectors of RFC 6238");
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
        CHECK_INT(totp_code(key, (uint64_t)(vectors[i].seconds / 30), 8), vectors[i].code);
    /* RFC 4226, appendix D */
    static const unsigned hotp[] = {755224, 287082, 359152, 969429, 338314, 254676, 287922, 162583, 399871, 520489};
    for (uint64_t i = 0; i < 10; i++) CHECK_INT(totp_code(key, i, 6), hotp[i]);
}

static void checks(void) {
    static const Str key = STR_INIT("12345678901234567890");
    Nanos now = 5 * TOTP_STEP + 7 * NANOS_PER_S;
    int64_t step = 0;
    unit_case("the code of now, the one before and the one behind; no other");
    CHECK(totp_check(key, STR("254676"), now, 0, &step));
    CHECK_INT(step, 5);
    CHECK(totp_check(key, STR(" 338314 "), now, 0, &step));
    CHECK_INT(step, 4);
    CHECK(totp_check(key, STR("287922"), now, 0, &step));
    CHECK_INT(step, 6);
    CHECK(!totp_check(key, STR("969429"), now, 0, &step));
    CHECK(!totp_check(key, STR("162583"), now, 0, &step));
    unit_case("a code is taken once, and none before it afterwards");
    CHECK(!totp_check(key, STR("254676"), now, 5, &step));
    CHECK(!totp_check(key, STR("338314"), now, 5, &step));
    CHECK(totp_check(key, STR("287922"), now, 5, &step));
    unit_case("what is no code");
    static const char *const bad[] = {"", "25467", "2546760", "25467a", "-25467", "0x3e2d", "254 676"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!totp_check(key, str_c(bad[i]), now, 0, &step));
}

static void secrets(void) {
    unsigned char back[TOTP_SECRET_BYTES];
    char text[TOTP_SECRET_TEXT];
    unit_case("base32: there and back");
    totp_secret_text((const unsigned char *)"12345678901234567890", text);
    CHECK_STR(str_c(text), STR("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"));
    CHECK(totp_secret_parse(STR("gezdgnbvgy3tqojqGEZDGNBVGY3TQOJQ"), back));
    CHECK(memcmp(back, "12345678901234567890", 20) == 0);
    CHECK(!totp_secret_parse(STR("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1"), back));
    CHECK(!totp_secret_parse(STR("GEZD"), back));
}

void totp_test(void) {
    macs();
    codes();
    checks();
    secrets();
}
