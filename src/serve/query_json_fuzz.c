/* Any JSON is a question or an error. */
#include <stddef.h>
#include <stdint.h>

#include "serve/query_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    struct arena arena = {0};
    struct json *json = NULL;
    struct query_json asked;
    if (json_parse(str_n((const char *)bytes, n), &json).code == ERR_NONE) {
        Err err = query_json_read(json, 1700000000 * NANOS_PER_S, &arena, &asked);
        if (err.code != ERR_NONE && err.code != ERR_INVALID) __builtin_trap();
        if (err.code == ERR_NONE && asked.query.n_stages > QUERY_STAGES_MAX) __builtin_trap();
    }
    json_free(json);
    arena_fini(&arena);
    return 0;
}
