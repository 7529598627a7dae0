/* The first byte chooses device or gateway; the rest is a payload. What is found must lie inside it, and be JSON again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "connect/telemetry_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_sample(const struct telemetry_sample *s, Str payload) {
    ASSERT(s->raw.ptr >= payload.ptr && s->raw.ptr + s->raw.len <= payload.ptr + payload.len);
    ASSERT(s->raw.len > 0 && str_is_utf8(s->name));
    if (s->value.kind == VALUE_STRING) ASSERT(str_is_utf8(s->value.s) && s->value.s.len <= payload.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    char *copy = malloc(size - 1 ? size - 1 : 1); /* exactly as long as it is, so that a byte too far is seen */
    ASSERT(copy);
    memcpy(copy, data + 1, size - 1);
    Str payload = str_n(copy, size - 1);
    struct telemetry_json json = {0};
    bool ok = telemetry_json_scan(&json, payload, data[0] & 1);
    ASSERT(ok == (json.why == NULL) && json.at <= payload.len);
    for (size_t i = 0; ok && i < json.n_samples; i++) check_sample(&json.samples[i], payload);
    for (size_t i = 0; ok && i < json.n_rows; i++) ASSERT(json.rows[i].first + json.rows[i].n <= json.n_samples);
    /* Whatever is JSON to jansson and of the right shape is so here; but jansson steps over a NUL behind a number. */
    struct json *root = NULL;
    bool nul = memchr(copy, 0, size - 1) != NULL;
    if (!ok && !nul && json_parse(payload, &root).code == ERR_NONE) {
        const char *shape[] = {"expected an object of values", "expected an object of things", "nested too deeply"};
        bool known = false;
        for (size_t i = 0; i < 3; i++) known |= strcmp(json.why, shape[i]) == 0;
        ASSERT(known);
    }
    json_free(root);
    telemetry_json_fini(&json);
    free(copy);
    return 0;
}
