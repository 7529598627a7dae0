/* Any text as line protocol: what is found lies inside it, and a wrong line says where. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "connect/line_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(Str part, Str whole) {
    ASSERT(part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct line_scan scan;
    char *copy = malloc(size + 1);
    struct arena arena = {0};
    ASSERT(copy);
    memcpy(copy, data, size);
    copy[size] = '\n';
    Str text = str_n(copy, size + 1);
    line_scan_start(&scan, text);
    while (line_scan_next(&scan)) {
        struct line_pair *pairs;
        size_t n;
        inside(scan.raw, text);
        ASSERT(!scan.why || scan.where >= 1);
        if (scan.why) continue;
        inside(scan.key, text);
        ASSERT(scan.n_fields > 0);
        for (size_t i = 0; i < scan.n_fields; i++) {
            inside(scan.fields[i].name, text);
            if (scan.fields[i].value.kind == VALUE_STRING) line_scan_text(scan.fields[i].value.s, &arena);
            line_scan_plain(scan.fields[i].name, &arena);
        }
        line_scan_key(scan.key, &arena, &pairs, &n);
    }
    arena_fini(&arena);
    free(copy);
    return 0;
}
