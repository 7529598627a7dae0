#include <stdio.h>
#include <string.h>

#include "os/thread.h"
#include "store/records.h"
#include "tests/unit.h"
#include "trust/device.h"

void device_test(void);

#define ACME 1u

static const struct principal manager = {.party = ACME, .user = 1, .roles = ROLE_BIT(ROLE_MANAGER), .name = "boss"};

struct secret_pair {
    char user[DEVICE_SECRET_MAX], password[DEVICE_SECRET_MAX];
};

static Err add(struct devices *d, PartyId party, const char *thing, bool gateway, struct secret_pair *out) {
    struct principal system = principal_system(0, "test");
    return device_add(d, party == ACME ? &manager : &system, party, str_c(thing), gateway, out->user, out->password);
}

static Err check(struct devices *d, const struct secret_pair *pair, struct device_identity *out) {
    return device_check(d, str_c(pair->user), str_c(pair->password), out);
}

static void refuses(struct devices *d) {
    static const struct principal viewer = {.party = ACME, .roles = ROLE_BIT(ROLE_VIEWER), .name = "guest"};
    static const struct principal foreign = {.party = 2, .roles = ROLE_BIT(ROLE_MANAGER), .name = "zoe"};
    static const char zero[] = "a\0b";
    struct secret_pair pair;
    char big[256];
    memset(big, 'x', sizeof big);
    unit_case("who may not, and names that cannot be");
    CHECK_ERR(device_add(d, &viewer, ACME, STR("m"), false, pair.user, pair.password), ERR_FORBIDDEN);
    CHECK_ERR(device_add(d, &foreign, ACME, STR("m"), false, pair.user, pair.password), ERR_FORBIDDEN);
    CHECK_ERR(device_add(d, &manager, ACME, STR(""), false, pair.user, pair.password), ERR_INVALID);
    CHECK_ERR(device_add(d, &manager, ACME, str_n(big, sizeof big), false, pair.user, pair.password), ERR_INVALID);
    CHECK_ERR(device_add(d, &manager, ACME, str_n(zero, 3), false, pair.user, pair.password), ERR_INVALID);
    CHECK_ERR(device_add(d, &manager, ACME, STR("\xc0\x80"), false, pair.user, pair.password), ERR_INVALID);
    CHECK_OK(device_add(d, &manager, ACME, str_n(big, 255), false, pair.user, pair.password));
    CHECK_ERR(device_remove(d, &viewer, ACME, STR("m")), ERR_FORBIDDEN);
    CHECK_ERR(device_remove(d, &manager, ACME, STR("never")), ERR_NOT_FOUND);
}

struct checker {
    struct devices *devices;
    const struct secret_pair *pair;
    int failed;
};

static void check_many(void *ctx) {
    struct checker *c = ctx;
    struct device_identity identity;
    for (int i = 0; i < 2000; i++) c->failed += check(c->devices, c->pair, &identity).code != ERR_NONE;
}

static void checks_at_once(struct devices *d) {
    struct secret_pair pair, other;
    struct thread *threads[4];
    struct checker checkers[4];
    unit_case("checked by many threads while others are added and removed");
    CHECK_OK(add(d, ACME, "busy", false, &pair));
    for (int i = 0; i < 4; i++) {
        checkers[i] = (struct checker){.devices = d, .pair = &pair};
        if (!CHECK_OK(thread_start(&threads[i], "check", check_many, &checkers[i]))) return;
    }
    for (int i = 0; i < 20; i++) {
        CHECK_OK(add(d, ACME, "coming", false, &other));
        CHECK_OK(device_remove(d, &manager, ACME, STR("coming")));
    }
    for (int i = 0; i < 4; i++) {
        thread_join(threads[i]);
        CHECK_INT(checkers[i].failed, 0);
    }
}

void device_test(void) {
    const char *dir = unit_temp_dir();
    struct records *records;
    struct devices *d;
    struct device_identity identity;
    struct secret_pair first, second, again, wrong;
    if (!CHECK_OK(records_open(&(struct records_options){.dir = dir}, &records))) return;
    if (!CHECK_OK(device_open(records, &clock_system, &d))) return;
    unit_case("a device is who its credentials say");
    CHECK_OK(add(d, ACME, "truck-1", false, &first));
    CHECK_OK(add(d, 2, "truck-1", true, &second)); /* the same name in another party */
    CHECK_OK(check(d, &first, &identity));
    CHECK_STR(str_c(identity.thing), STR("truck-1"));
    CHECK_STR(str_c(identity.user), str_c(first.user));
    CHECK_INT(identity.party, ACME);
    CHECK(!identity.gateway);
    CHECK_OK(check(d, &second, &identity));
    CHECK_INT(identity.party, 2);
    CHECK(identity.gateway);
    unit_case("nothing else is accepted");
    wrong = first;
    memcpy(wrong.password, second.password, sizeof wrong.password);
    CHECK_ERR(check(d, &wrong, &identity), ERR_UNAUTHENTICATED);
    wrong = first;
    wrong.password[31] ^= 1;
    CHECK_ERR(check(d, &wrong, &identity), ERR_UNAUTHENTICATED);
    CHECK_ERR(device_check(d, STR(""), STR(""), &identity), ERR_UNAUTHENTICATED);
    CHECK_ERR(device_check(d, str_c(first.user), STR(""), &identity), ERR_UNAUTHENTICATED);
    CHECK_ERR(device_check(d, (Str){0}, (Str){0}, &identity), ERR_UNAUTHENTICATED);
    unit_case("added again, the user stays and the old password ends");
    CHECK_OK(add(d, ACME, "truck-1", true, &again));
    CHECK_STR(str_c(again.user), str_c(first.user));
    CHECK_ERR(check(d, &first, &identity), ERR_UNAUTHENTICATED);
    CHECK_OK(check(d, &again, &identity));
    CHECK(identity.gateway);
    refuses(d);
    checks_at_once(d);
    unit_case("after a restart all is as before");
    device_close(d);
    records_close(records);
    if (!CHECK_OK(records_open(&(struct records_options){.dir = dir}, &records))) return;
    CHECK_OK(device_open(records, &clock_system, &d));
    CHECK_OK(check(d, &again, &identity));
    CHECK_ERR(check(d, &first, &identity), ERR_UNAUTHENTICATED);
    unit_case("removed, it is nobody");
    CHECK_OK(device_remove(d, &manager, ACME, STR("truck-1")));
    CHECK_ERR(check(d, &again, &identity), ERR_UNAUTHENTICATED);
    CHECK_OK(check(d, &second, &identity));
    CHECK_ERR(device_remove(d, &manager, ACME, STR("truck-1")), ERR_NOT_FOUND);
    device_close(d);
    records_close(records);
}
