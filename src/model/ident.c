#include "model/ident.h"

#include <string.h>

/* ---- parts */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static Err check_digits(Str text, const char *what) {
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.ptr[i]))
            return err_make(ERR_INVALID, "a %s has digits only: character %zu of '%.40s' is none", what, i + 1,
                            text.ptr);
    return err_none();
}

static Err check_last(Str text, const char *what, char right) {
    if (text.ptr[text.len - 1] == right) return err_none();
    return err_make(ERR_INVALID, "the check character of %s '" STR_FMT "' is wrong: by the rest it would be '%c'", what,
                    STR_ARG(text), right);
}

/* ---- 统一社会信用代码: GB 32100-2015; weights 3^i mod 31 over an alphabet without I, O, S, V, Z */

static const char uscc_letters[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";

static Err check_uscc(Str text) {
    unsigned sum = 0, weight = 1;
    if (text.len != 18)
        return err_make(ERR_INVALID, "a unified social credit code has 18 characters, not %zu", text.len);
    for (size_t i = 0; i < 18; i++) {
        const char *at = text.ptr[i] ? strchr(uscc_letters, text.ptr[i]) : NULL;
        if (!at)
            return err_make(ERR_INVALID,
                            "character %zu of unified social credit code '" STR_FMT
                            "' is none: digits and capitals without I, O, S, V and Z",
                            i + 1, STR_ARG(text));
        if (i < 17) sum += (unsigned)(at - uscc_letters) * weight, weight = weight * 3 % 31;
    }
    return check_last(text, "unified social credit code", uscc_letters[(31 - sum % 31) % 31]);
}

/* ---- GS1 keys: mod 10, weights 3 and 1 from the right */

static Err check_gs1(Str text, const char *what) {
    unsigned sum = 0;
    TRY(check_digits(text, what));
    for (size_t i = 0; i + 1 < text.len; i++)
        sum += (unsigned)(text.ptr[text.len - 2 - i] - '0') * (i % 2 == 0 ? 3 : 1);
    return check_last(text, what, (char)('0' + (10 - sum % 10) % 10));
}

static Err check_gln(Str text) {
    if (text.len != 13) return err_make(ERR_INVALID, "a GLN has 13 digits, not %zu", text.len);
    return check_gs1(text, "GLN");
}

static Err check_gtin(Str text) {
    if (text.len != 8 && text.len != 12 && text.len != 13 && text.len != 14)
        return err_make(ERR_INVALID, "a GTIN has 8, 12, 13 or 14 digits, not %zu", text.len);
    return check_gs1(text, "GTIN");
}

static Err check_sscc(Str text) {
    if (text.len != 18) return err_make(ERR_INVALID, "an SSCC has 18 digits, not %zu", text.len);
    return check_gs1(text, "SSCC");
}

/* ---- business partner number: "BPN", L S or A, ten characters and two by ISO 7064 MOD 1271-36 */

static const char bpn_letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static Err check_bpn(Str text) {
    unsigned product = 0;
    if (text.len != 16 || !str_starts(text, STR("BPN")) || !strchr("LSA", text.ptr[3]))
        return err_make(ERR_INVALID, "'%.40s' is no business partner number: BPNL, BPNS or BPNA and 12 characters",
                        text.ptr ? text.ptr : "");
    for (size_t i = 4; i < 16; i++) {
        const char *at = text.ptr[i] ? strchr(bpn_letters, text.ptr[i]) : NULL;
        if (!at)
            return err_make(ERR_INVALID,
                            "character %zu of business partner number '" STR_FMT "' is no digit and no capital", i + 1,
                            STR_ARG(text));
        if (i < 14) product = (product + (unsigned)(at - bpn_letters)) * 36 % 1271;
    }
    unsigned check = (1272 - product * 36 % 1271) % 1271;
    if (text.ptr[14] == bpn_letters[check / 36] && text.ptr[15] == bpn_letters[check % 36]) return err_none();
    return err_make(ERR_INVALID, "the check characters of '" STR_FMT "' are wrong: by the rest they would be '%c%c'",
                    STR_ARG(text), bpn_letters[check / 36], bpn_letters[check % 36]);
}

/* ---- industrial-internet identifier: a handle under 88, "88.100.1/ABC-7" */

static Err check_handle(Str text) {
    Str prefix, rest;
    bool good = str_cut(text, '/', &prefix, &rest) && rest.len > 0 && text.len <= 256 &&
                str_starts(prefix, STR("88.")) && str_is_utf8(text);
    for (size_t i = 3; good && i < prefix.len; i++)
        good = is_digit(prefix.ptr[i]) || (prefix.ptr[i] == '.' && prefix.ptr[i - 1] != '.');
    if (good && prefix.len > 3 && prefix.ptr[prefix.len - 1] != '.') return err_none();
    return err_make(ERR_INVALID, "'%.80s' is no identifier: a prefix such as 88.100.1, a slash, and a name",
                    text.ptr ? text.ptr : "");
}

/* ---- ways to reach somebody */

static Err check_email(Str text) {
    Str user, host;
    bool good = text.len <= 254 && str_cut(text, '@', &user, &host) && user.len > 0 && user.len <= 64 &&
                str_find(host, STR(".")) > 0 && str_find(host, STR("@")) < 0 && host.ptr[host.len - 1] != '.';
    for (size_t i = 0; good && i < text.len; i++)
        good = (unsigned char)text.ptr[i] > ' ' && !strchr("\"(),:;<>[\\]", text.ptr[i]);
    if (good) return err_none();
    return err_make(ERR_INVALID, "'%.80s' is no mail address: name@host.domain", text.ptr ? text.ptr : "");
}

static Err check_phone(Str text) {
    size_t digits = 0;
    bool good = true;
    for (size_t i = 0; i < text.len; i++) {
        digits += is_digit(text.ptr[i]);
        good = good && (is_digit(text.ptr[i]) || strchr(" -()", text.ptr[i]) || (i == 0 && text.ptr[i] == '+'));
    }
    if (good && digits >= 3 && digits <= 15) return err_none();
    return err_make(ERR_INVALID, "'%.40s' is no telephone number: 3 to 15 digits, with a + in front for abroad",
                    text.ptr ? text.ptr : "");
}

static Err check_url(Str text) {
    bool web = str_starts(text, STR("https://")) || str_starts(text, STR("http://"));
    Str host = str_slice(text, str_starts(text, STR("https://")) ? 8 : 7, text.len);
    bool good = web && text.len <= 2048 && host.len > 0 &&
                (is_letter(host.ptr[0]) || is_digit(host.ptr[0]) || host.ptr[0] == '[');
    for (size_t i = 0; good && i < text.len; i++)
        good = (unsigned char)text.ptr[i] > ' ' && !strchr("\"<>\\^`{|}", text.ptr[i]);
    if (good) return err_none();
    return err_make(ERR_INVALID, "'%.80s' is no web address: begin with https:// or http://", text.ptr ? text.ptr : "");
}

const struct ident ident_table[] = {
    {"uscc", "Unified social credit code", "统一社会信用代码", check_uscc},
    {"gln", "Global location number (GLN)", "全球位置码（GLN）", check_gln},
    {"gtin", "Trade item number (GTIN)", "商品条码（GTIN）", check_gtin},
    {"sscc", "Shipping container code (SSCC)", "物流单元码（SSCC）", check_sscc},
    {"bpn", "Business partner number (BPN)", "业务伙伴编号（BPN）", check_bpn},
    {"handle", "Industrial-internet identifier", "工业互联网标识", check_handle},
    {"email", "Mail address", "电子邮箱", check_email},
    {"phone", "Telephone", "电话", check_phone},
    {"url", "Web address", "网址", check_url},
    {NULL, NULL, NULL, NULL},
};

const struct ident *ident_find(Str name) {
    for (const struct ident *i = ident_table; i->name; i++)
        if (str_eq_c(name, i->name)) return i;
    return NULL;
}
