#include "app/demo_progress.h"

#include <string.h>

#include "base/err.h"
#include "tests/unit.h"

/* What was written, once the file is read back. */
static Str written(FILE *f, char *into, size_t size) {
    rewind(f);
    size_t n = fread(into, 1, size, f);
    return str_n(into, n);
}

void demo_progress_test(void) {
    static char text[16384];
    struct demo_progress p;
    FILE *f = tmpfile();
    unit_case("into a file: a line every tenth, each once");
    if (!CHECK(f != NULL)) return;
    demo_progress_init(&p, f, 0, 100 * NANOS_PER_DAY);
    for (int day = 0; day <= 100; day += 3) demo_progress_at(&p, day * NANOS_PER_DAY, (size_t)day);
    demo_progress_at(&p, 100 * NANOS_PER_DAY, 100);
    demo_progress_end(&p);
    Str got = written(f, text, sizeof text);
    size_t lines = 0;
    for (size_t i = 0; i < got.len; i++) lines += got.ptr[i] == '\n';
    CHECK_INT(lines, 11);
    CHECK(str_starts(got, STR("    0 %  1970-01-01  0 rows\n   12 %  1970-01-13  12 rows\n")));
    CHECK(str_ends(got, STR("  100 %  1970-04-11  100 rows\n")));
    fclose(f);
    unit_case("on a terminal: one line that is drawn over");
    f = tmpfile();
    if (!CHECK(f != NULL)) return;
    demo_progress_init(&p, f, 0, 100 * NANOS_PER_DAY);
    p.terminal = true;
    for (int day = 0; day <= 100; day++) demo_progress_at(&p, day * NANOS_PER_DAY, 7);
    demo_progress_end(&p);
    got = written(f, text, sizeof text);
    CHECK(str_find(got, STR("\r  [###############...............]  50 %  1970-02-20  7 rows ")) > 0);
    CHECK(str_ends(got, STR("[##############################] 100 %  1970-04-11  7 rows \n")));
    fclose(f);
}
