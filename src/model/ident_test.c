#include "model/ident.h"

#include <string.h>

#include "tests/unit.h"

/* Codes that are really in use, or the examples of the standards; each wrong one is a right one with a slip. */
static const struct {
    const char *ident, *text;
    const char *says; /* NULL: right */
} cases[] = {
    {"uscc", "91350100M000100Y43", NULL},
    {"uscc", "91440300708461136T", NULL},
    {"uscc", "91350100M000100Y44", "'3'"},
    {"uscc", "19350100M000100Y43", "check character"},
    {"uscc", "91350100M000100YI3", "character 17"},
    {"uscc", "91350100m000100Y43", "character 9"},
    {"uscc", "91350100M000100Y4", "18"},
    {"gln", "4012345000009", NULL},
    {"gln", "4012345000008", "'9'"},
    {"gln", "401234500000", "13"},
    {"gln", "40123450000I9", "character 12"},
    {"gtin", "6291041500213", NULL},
    {"gtin", "96385074", NULL},
    {"gtin", "036000291452", NULL},
    {"gtin", "10614141000415", NULL},
    {"gtin", "6291041500214", "'3'"},
    {"sscc", "106141412345678908", NULL},
    {"sscc", "106141412345678907", "'8'"},
    {"bpn", "BPNL00000003CRHK", NULL},
    {"bpn", "BPNL00000003AVTH", NULL},
    {"bpn", "BPNL00000003CRHL", "'HK'"},
    {"bpn", "BPNL00000003RCHK", "check characters"},
    {"bpn", "BPNX00000003CRHK", "BPNL, BPNS or BPNA"},
    {"bpn", "BPNL0000-003CRHK", "character 9"},
    {"handle", "88.100.1/ABC-7", NULL},
    {"handle", "88.1/设备-7", NULL},
    {"handle", "86.100.1/ABC-7", "prefix"},
    {"handle", "88.100.1", "slash"},
    {"handle", "88..1/x", "prefix"},
    {"handle", "88.1./x", "prefix"},
    {"email", "service@example.com", NULL},
    {"email", "service@example", "name@host"},
    {"email", "a b@example.com", "name@host"},
    {"email", "a@b@example.com", "name@host"},
    {"phone", "+86 21 5555-0123", NULL},
    {"phone", "110", NULL},
    {"phone", "12", "digits"},
    {"phone", "12a456", "digits"},
    {"url", "https://example.com/a?b=c", NULL},
    {"url", "javascript:alert(1)", "https://"},
    {"url", "https://", "https://"},
    {"url", "https://exa mple.com", "https://"},
};

void ident_test(void) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].text);
        Err err = ident_find(str_c(cases[i].ident))->check(str_c(cases[i].text));
        if (cases[i].says)
            CHECK(err.code == ERR_INVALID && strstr(err.text, cases[i].says));
        else
            CHECK_OK(err);
    }
    unit_case("empty texts, names of rows");
    for (const struct ident *t = ident_table; t->name; t++) CHECK_ERR(t->check((Str){0}), ERR_INVALID);
    CHECK(!ident_find(STR("vin")));
}
