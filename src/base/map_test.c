#include "base/map.h"

#include <stdio.h>

#include "tests/unit.h"

static Str name(char out[24], unsigned i) { return str_n(out, (size_t)snprintf(out, 24, "thing-%u", i)); }

static void test_basic(void) {
    unit_case("put, get, replace, delete");
    struct map map;
    uint64_t v = 99;
    map_init(&map);
    CHECK(!map_get(&map, STR("a"), &v) && !map_del(&map, STR("a")) && v == 99);
    map_put(&map, STR("a"), 1), map_put(&map, STR(""), 2), map_put(&map, str_n("a\0b", 3), 3);
    map_put(&map, STR("a"), 4);
    CHECK_INT(map.count, 3);
    CHECK(map_get(&map, STR("a"), &v) && v == 4);
    CHECK(map_get(&map, STR(""), &v) && v == 2);
    CHECK(map_get(&map, str_n("a\0b", 3), &v) && v == 3);
    CHECK(map_del(&map, STR("a")) && !map_del(&map, STR("a")) && !map_get(&map, STR("a"), &v));
    CHECK_INT(map.count, 2);
    map_fini(&map);
    CHECK(!map_get(&map, STR(""), &v));
}

static void test_keys_are_copied(void) {
    unit_case("keys are copied");
    struct map map;
    uint64_t v;
    char key[24] = "one";
    map_init(&map);
    map_put(&map, str_c(key), 1);
    key[0] = 'X';
    CHECK(map_get(&map, STR("one"), &v) && !map_get(&map, str_c(key), &v));
    map_fini(&map);
}

/* Against a plain array, through growth and deletion, from a fixed seed. */
static void test_model(void) {
    enum { KEYS = 700, STEPS = 60000 };
    unit_case("60,000 random steps against an array");
    static uint64_t want[KEYS];
    static bool present[KEYS];
    struct map map;
    char text[24];
    size_t count = 0, wrong = 0;
    uint64_t seed = 12345;
    map_init(&map);
    for (unsigned step = 0; step < STEPS; step++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        unsigned i = (unsigned)(seed >> 33) % KEYS, what = (unsigned)(seed >> 20) % 4;
        uint64_t got = 0;
        if (what == 0) {
            wrong += map_del(&map, name(text, i)) != present[i];
            count -= present[i], present[i] = false;
        } else if (what == 1) {
            map_put(&map, name(text, i), step);
            count += !present[i], present[i] = true, want[i] = step;
        } else
            wrong += map_get(&map, name(text, i), &got) != present[i] || (present[i] && got != want[i]);
        wrong += map.count != count;
    }
    CHECK_INT(wrong, 0);
    size_t at = 0, seen = 0;
    Str key;
    uint64_t value;
    while (map_next(&map, &at, &key, &value)) seen++;
    CHECK_INT(seen, count);
    map_fini(&map);
}

static void test_churn(void) {
    unit_case("put and delete for ever keeps memory bounded");
    struct map map;
    char text[24];
    uint64_t v;
    map_init(&map);
    map_put(&map, STR("stays"), 7);
    for (unsigned i = 0; i < 200000; i++) {
        map_put(&map, name(text, i), i);
        CHECK(map_del(&map, name(text, i)));
    }
    CHECK(arena_used(&map.keys) < 1 << 18);
    CHECK(map.cap == 16 && map_get(&map, STR("stays"), &v) && v == 7);
    map_fini(&map);
}

void map_test(void) {
    test_basic();
    test_keys_are_copied();
    test_model();
    test_churn();
}
