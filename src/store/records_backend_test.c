#include "store/records_backend.h"
#include "tests/lib/store_records_suite.h"
#include "tests/unit.h"

void records_backend_test(void);

void records_backend_test(void) {
    static const struct records_backend *const backends[] = {&records_sqlite};
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        struct records_place place = {.dir = unit_temp_dir()};
        store_records_suite(backends[i], &place);
    }
}
