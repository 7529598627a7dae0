#include "store/records_backend.h"
#include "tests/lib/store_postgresql.h"
#include "tests/lib/store_records_suite.h"
#include "tests/unit.h"

void records_backend_test(void);

void records_backend_test(void) {
    struct records_place folder = {.dir = unit_temp_dir()}, database = {.dir = unit_temp_dir()};
    store_records_suite(&records_sqlite, &folder);
    unit_case("the same on PostgreSQL");
    database.url = store_postgresql_url();
    if (database.url)
        store_records_suite(&records_postgresql, &database);
    else
        unit_skip("no WEFT_TEST_POSTGRESQL: tests/postgresql_e2e.sh starts one and runs this");
}
