/* Whatever parses must be written and parsed again to the same text. */
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct json *v, *again;
    if (json_parse(str_n((const char *)data, size), &v).code) return 0;
    struct buf first = {0}, second = {0};
    json_dump(v, &first);
    ASSERT(json_parse(buf_view(&first), &again).code == ERR_NONE);
    json_dump(again, &second);
    ASSERT(str_eq(buf_view(&first), buf_view(&second)));
    json_free(v), json_free(again);
    buf_fini(&first), buf_fini(&second);
    return 0;
}
