#include "os/plugin.h"

#include <string.h>

#include "tests/unit.h"

void plugin_test(void) {
    unit_case("a plugin that is not there");
    const void *table = NULL;
    Err err = plugin_open("no-such-part", &table);
    CHECK_INT(err.code, ERR_NOT_FOUND);
    CHECK(strstr(err.text, "weft-no-such-part.so") && !table);
}
