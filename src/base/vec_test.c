#include "base/vec.h"

#include <stdlib.h>

#include "tests/unit.h"

void vec_test(void) {
    unit_case("push");
    struct {
        int *items;
        size_t count, cap;
    } list = {0};
    size_t moves = 0, cap = 0;
    for (int i = 0; i < 1000; i++) {
        VEC_PUSH(list.items, list.count, list.cap, i * 3);
        if (list.cap != cap) moves++, cap = list.cap;
    }
    CHECK_INT(list.count, 1000);
    for (int i = 0; i < 1000; i++) CHECK_INT(list.items[i], i * 3);
    CHECK(moves <= 8);
    list.items = vec_grow(list.items, &list.cap, 5000, sizeof *list.items);
    CHECK(list.cap >= 5000 && list.items[999] == 2997);
    cap = list.cap;
    CHECK(vec_grow(list.items, &list.cap, 10, sizeof *list.items) == list.items && list.cap == cap);
    free(list.items);
}
