#include "trust/tile_path.h"

#include "tests/unit.h"

void tile_path_test(void);

void tile_path_test(void) {
    /* the examples of C2SP tlog-tiles, and the edges of its rules */
    static const struct {
        const char *text;
        bool ok;
        unsigned level;
        uint64_t n;
        unsigned width;
    } cases[] = {
        {"tile/0/x001/x234/067", true, 0, 1234067, 256},
        {"tile/0/000", true, 0, 0, 256},
        {"tile/63/255", true, 63, 255, 256},
        {"tile/1/272.p/17", true, 1, 272, 17},
        {"tile/0/273.p/112", true, 0, 273, 112},
        {"tile/entries/x001/000.p/255", true, TILE_PATH_ENTRIES, 1000, 255},
        {"tile/64/000", false, 0, 0, 0},
        {"tile/00/000", false, 0, 0, 0},
        {"tile/-1/000", false, 0, 0, 0},
        {"tile/+1/000", false, 0, 0, 0},
        {"tile//000", false, 0, 0, 0},
        {"tile/0/", false, 0, 0, 0},
        {"tile/0/00", false, 0, 0, 0},
        {"tile/0/0000", false, 0, 0, 0},
        {"tile/0/x001", false, 0, 0, 0},
        {"tile/0/001/000", false, 0, 0, 0},
        {"tile/0/x000/000", false, 0, 0, 0},
        {"tile/0/x001/000/", false, 0, 0, 0},
        {"tile/0/000.p/0", false, 0, 0, 0},
        {"tile/0/000.p/256", false, 0, 0, 0},
        {"tile/0/000.p/05", false, 0, 0, 0},
        {"tile/0/000.p/", false, 0, 0, 0},
        {"tile/0/000.p/5.p/5", false, 0, 0, 0},
        {"tile/0/x072/x057/x594/x037/x927/935", true, 0, UINT64_MAX >> 8, 256},
        {"tile/0/x072/x057/x594/x037/x927/936", false, 0, 0, 0},
        {"tile/0/x999/x999/x999/x999/x999/x999/x999/999", false, 0, 0, 0},
        {"/tile/0/000", false, 0, 0, 0},
        {"tile/data/000", false, 0, 0, 0},
    };
    struct arena arena;
    arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tile_path t;
        unit_case(cases[i].text);
        if (!CHECK_INT(tile_path_parse(str_c(cases[i].text), &t), cases[i].ok) || !cases[i].ok) continue;
        CHECK_INT(t.level, cases[i].level);
        CHECK(t.n == cases[i].n);
        CHECK_INT(t.width, cases[i].width);
        CHECK_STR(tile_path_text(&t, &arena), str_c(cases[i].text));
    }
    arena_fini(&arena);
}
