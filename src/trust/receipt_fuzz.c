/* A receipt from anywhere: read, written and read again it is the same, and nothing that is checked is proven without a
 * key. */
#include <stdlib.h>
#include <string.h>

#include "trust/receipt.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void nothing(void *ctx, enum receipt_verdict verdict, Str words) { (void)ctx, (void)verdict, (void)words; }

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    struct arena arena;
    struct receipt a, b;
    struct receipt_proof proof;
    struct buf text = {0};
    struct jw w;
    Str json = str_n((const char *)bytes, n);
    arena_init(&arena, 0);
    if (receipt_parse(json, &arena, &a).code == ERR_NONE) {
        jw_init(&w, &text);
        receipt_write(&a, &w, &arena);
        if (receipt_parse(buf_view(&text), &arena, &b).code != ERR_NONE) abort();
        if (a.index != b.index || a.size != b.size || a.n != b.n || !str_eq(a.text, b.text) ||
            memcmp(a.path, b.path, a.n * sizeof *a.path) != 0 || !str_eq(a.checkpoint, b.checkpoint))
            abort();
        struct receipt_check check = {.receipt = &a, .say = nothing};
        if (receipt_check(&check, &arena) == RECEIPT_HOLDS) abort();
    }
    receipt_proof_parse(json, &arena, &proof);
    buf_fini(&text);
    arena_fini(&arena);
    return 0;
}
