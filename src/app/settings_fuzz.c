/* Any bytes as a settings file: read or refused with a text, never anything else. */
#include "app/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct settings settings;
    settings_init(&settings);
    Err err = settings_parse(&settings, str_n((const char *)data, size), "fuzz.ini");
    ASSERT(err.code == ERR_NONE || err.text[0] != '\0');
    settings_fini(&settings);
    return 0;
}
