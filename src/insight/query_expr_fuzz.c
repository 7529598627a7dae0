/* Any text is an expression or an error with its place; what is one can be bound and computed over any rows. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "insight/query_expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static bool find(void *ctx, Str name, unsigned *column, enum query_kind *kind) {
    static const enum query_kind kinds[] = {QUERY_KIND_STRING, QUERY_KIND_TIME, QUERY_KIND_ANY, QUERY_KIND_NUMBER};
    (void)ctx;
    *column = name.len % 4;
    *kind = kinds[*column];
    return name.len < 9;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const Value texts[] = {
        {.kind = VALUE_STRING, .s = STR_INIT("7")}, {.kind = VALUE_STRING, .s = STR_INIT("run")}, {.kind = VALUE_NONE}};
    static const Value mixed[] = {
        {.kind = VALUE_INT, .i = INT64_MIN}, {.kind = VALUE_FLOAT, .f = 0.5}, {.kind = VALUE_BOOL, .b = true}};
    static const Nanos times[] = {INT64_MIN / 4, 0, INT64_MAX / 4};
    static const double numbers[] = {-1e308, 0, 1e308};
    static const uint64_t has[QUERY_WORDS] = {5};
    static const struct query_vec columns[] = {
        {.form = QUERY_FORM_VALUE, .values = texts},
        {.form = QUERY_FORM_TIME, .times = times},
        {.form = QUERY_FORM_VALUE, .values = mixed},
        {.form = QUERY_FORM_NUMBER, .kind = VALUE_FLOAT, .numbers = numbers, .has = has},
    };
    struct arena arena = {0};
    struct query_node *node;
    unsigned slots = 0;
    Str text = str_n((const char *)bytes, n);
    struct query_names names = {find, NULL, NULL};
    if (n < 4096 && query_expr_parse(text, "fuzz", &arena, &slots, &node).code == ERR_NONE &&
        !query_expr_has_agg(node) && query_expr_bind(node, text, "fuzz", &names).code == ERR_NONE) {
        struct query_frame frame = {.n = 3, .columns = columns, .n_columns = 4, .times = times};
        struct query_eval e = {.arena = &arena, .frame = &frame};
        uint64_t mask[QUERY_WORDS];
        e.slots = arena_zero(&arena, slots + 1, sizeof *e.slots);
        struct query_vec v = query_expr_eval(&e, node);
        for (size_t i = 0; i < 3; i++) (void)query_vec_value(&v, i);
        if (query_expr_eval_mask(&e, node, mask) > 3) __builtin_trap();
    }
    arena_fini(&arena);
    return 0;
}
