#include "base/arena.h"

#include <string.h>

#include "tests/unit.h"

static void test_alloc(void) {
    unit_case("allocations are aligned and apart");
    struct arena arena;
    arena_init(&arena, 64);
    char *before = NULL;
    size_t used = 0;
    for (size_t n = 0; n < 500; n++) {
        char *p = arena_alloc(&arena, n);
        CHECK(((uintptr_t)p & 15) == 0);
        CHECK(p != before || n == 1); /* nothing takes no room */
        memset(p, (int)n, n);
        used += (n + 15) / 16 * 16;
        before = p;
    }
    CHECK_INT(arena_used(&arena), used);
    arena_reset(&arena);
    CHECK_INT(arena_used(&arena), 0);
    const char *zeros = arena_zero(&arena, 30, 10);
    for (size_t i = 0; i < 300; i++) CHECK(zeros[i] == 0);
    arena_fini(&arena);
}

static void test_text(void) {
    unit_case("texts");
    struct arena arena;
    arena_init(&arena, 0);
    Str copy = arena_str(&arena, str_n("a\0b", 3));
    CHECK_STR(copy, str_n("a\0b", 3));
    CHECK(copy.ptr[3] == '\0');
    CHECK_STR(str_c(arena_c(&arena, STR("name"))), STR("name"));
    CHECK_STR(arena_str(&arena, (Str){NULL, 0}), STR(""));
    CHECK_STR(arena_printf(&arena, "%s-%d", "truck", 7), STR("truck-7"));
    CHECK_INT(arena_printf(&arena, "%*s", 10000, "").len, 10000);
    arena_fini(&arena);
}

static void test_reset(void) {
    unit_case("reset keeps one block: a steady load stays in it");
    struct arena arena;
    arena_init(&arena, 0);
    for (int i = 0; i < 100; i++) arena_alloc(&arena, 1000);
    arena_reset(&arena);
    const struct arena_block *kept = arena.head;
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 50; i++) arena_alloc(&arena, 1000);
        arena_reset(&arena);
    }
    CHECK(arena.head == kept);
    arena_fini(&arena);
    arena_reset(&arena);
    CHECK(arena.head == NULL);
}

void arena_test(void) {
    test_alloc();
    test_text();
    test_reset();
}
