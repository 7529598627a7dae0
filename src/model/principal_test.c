#include "model/principal.h"

#include <stdio.h>

#include "tests/unit.h"

void principal_test(void);

static bool allows(const char *scopes, const char *area, const char *name, bool writes) {
    struct principal who = {.roles = ROLE_BIT(ROLE_MANAGER)};
    snprintf(who.scopes, sizeof who.scopes, "%s", scopes);
    return principal_scope(&who, str_c(area), str_c(name), writes);
}

void principal_test(void) {
    unit_case("no scopes narrow nothing");
    CHECK(allows("", "docs", "part", true) && allows("", "anything", "", false));
    unit_case("a scope allows what it names, and nothing beside it");
    CHECK(allows("docs:part:read", "docs", "part", false));
    CHECK(!allows("docs:part:read", "docs", "part", true));
    CHECK(!allows("docs:part:read", "docs", "order", false));
    CHECK(!allows("docs:part:read", "things", "", false));
    CHECK(allows("docs:part:write", "docs", "part", true));
    CHECK(!allows("docs:part:write", "docs", "part", false));
    CHECK(allows("docs:read", "docs", "part", false) && !allows("docs:read", "docs", "part", true));
    CHECK(!allows("docs:read", "document", "part", false) && !allows("docs:read", "doc", "part", false));
    unit_case("the list of types may be read by whoever may do something with one");
    CHECK(allows("docs:part:read", "docs", "", false) && allows("docs:part:write", "docs", "", false));
    CHECK(!allows("docs:part:write", "docs", "", true) && !allows("docs:part:*", "docs", "", true));
    unit_case("stars, and several");
    CHECK(allows("*:read", "series", "", false) && !allows("*:read", "series", "", true));
    CHECK(allows("*:*", "users", "", true) && allows("docs:*:write", "docs", "part", true));
    CHECK(allows("series:read docs:part:*", "docs", "part", true));
    CHECK(!allows("series:read docs:part:*", "series", "", true));
    unit_case("what is no scope");
    static const char *const bad[] = {"docs",
                                      "docs:",
                                      ":read",
                                      "docs:part:read:x",
                                      "Docs:read",
                                      "docs:see",
                                      "docs:pa rt:read",
                                      "docs:read,series:read",
                                      "do cs:read",
                                      "docs::",
                                      "a:b:c"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_ERR(principal_scopes_check(str_c(bad[i])), ERR_INVALID);
        CHECK(!allows(bad[i], "docs", "part", true));
    }
    CHECK_OK(principal_scopes_check(STR("docs:work_order:read series:read *:read")));
    CHECK_OK(principal_scopes_check(STR("")));
    static char big[PRINCIPAL_SCOPES_MAX + 1];
    for (size_t i = 0; i < PRINCIPAL_SCOPES_MAX; i++) big[i] = "a:read "[i % 7];
    CHECK_ERR(principal_scopes_check(str_n(big, PRINCIPAL_SCOPES_MAX)), ERR_INVALID);
}
