#include "connect/mqtt_reason.h"

#include <stddef.h>

static const struct reason_row {
    uint8_t code, connack;
    const char *text;
} table[] = {
#define REASON(name, code, connack, text) {code, connack, text},
#include "connect/mqtt_reason.def"
#undef REASON
};

static const struct reason_row *find(unsigned reason) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].code == reason) return &table[i];
    return NULL;
}

const char *mqtt_reason_text(unsigned reason) {
    const struct reason_row *row = find(reason);
    return row ? row->text : "unknown reason";
}

uint8_t mqtt_reason_connack_3(unsigned reason) {
    const struct reason_row *row = find(reason);
    return row ? row->connack : 0;
}
