/* Any bytes are PromQL or a fault with a place; what is read prints as text that reads and prints the same. */
#include <stdlib.h>

#include "serve/prometheus_parse.h"
#include "serve/prometheus_print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct prometheus_node *node, *again;
    struct buf text = {0}, second = {0};
    Err err = prometheus_parse(str_n((const char *)data, size), &arena, &node);
    if (err.code == ERR_NONE) {
        prometheus_print(node, &text);
        /* brackets that are only printed may reach the limit of depth */
        if (prometheus_parse(buf_view(&text), &arena, &again).code == ERR_NONE) {
            prometheus_print(again, &second);
            if (!str_eq(buf_view(&text), buf_view(&second))) abort();
        } else if (node->depth < 20) {
            abort();
        }
    } else if (err.code != ERR_INVALID || err.text[0] == '\0') {
        abort();
    }
    buf_fini(&text);
    buf_fini(&second);
    arena_fini(&arena);
    return 0;
}
