/* Any text as a script, and its function f called: it ends, within its limits. */
#include <stddef.h>
#include <stdint.h>

#include "model/script.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct script_limits limits = {.instructions = 20000, .memory = 256 << 10, .time = 50 * NANOS_PER_MS};
    const struct script_field fields[] = {{"name", VALUE_S(STR("press 7")), 0, false, NULL, 0},
                                          {"price", VALUE_I(1250), 2, true, NULL, 0}};
    struct script *script;
    if (script_compile(STR("fuzz.lua"), str_n((const char *)data, size), &limits, &script).code != ERR_NONE) return 0;
    struct arena arena = {0};
    Value value;
    (void)script_call(script, "f", &(struct script_row){fields, 2}, 7, 2, &arena, &value);
    arena_fini(&arena);
    script_free(script);
    return 0;
}
