/* Terms from outside: what is read and written again must read the same. */
#include "base/err.h"
#include "trust/terms.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Str written(const struct terms *terms, struct arena *arena) {
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    terms_write(terms, &w);
    Str out = arena_str(arena, buf_view(&text));
    buf_fini(&text);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena;
    struct terms first, second;
    arena_init(&arena, 0);
    if (terms_parse_text(str_n((const char *)data, size), &arena, &first).code == ERR_NONE) {
        Str text = written(&first, &arena);
        Err err = terms_parse_text(text, &arena, &second);
        ASSERT(err.code == ERR_NONE || err.code == ERR_TOO_LARGE);
        ASSERT(err.code != ERR_NONE || str_eq(text, written(&second, &arena)));
        (void)terms_mask_grants(&first, &arena);
    }
    arena_fini(&arena);
    return 0;
}
