#include "store/series.h"
#include "tests/lib/store_cutfs.h"
#include "tests/unit.h"

void series_power_test(void);

void series_power_test(void) {
    struct store_cutfs *disk = store_cutfs_new(1);
    struct series *s;
    unit_case("a store on the disk whose power is cut");
    CHECK_OK(series_open(&(struct series_options){.fs = store_cutfs_fs(disk), .dir = "/data/series"}, &s));
    ThingId thing;
    MetricId metric;
    CHECK_OK(series_thing(s, 1, STR("a"), &thing));
    CHECK_OK(series_metric(s, STR("m"), &metric));
    struct series_commit c = {0};
    rows_begin(&c.rows, thing, 5, 0);
    rows_value(&c.rows, metric, VALUE_I(7));
    rows_end(&c.rows);
    CHECK_OK(series_write(s, &c));
    store_cutfs_cut_at(disk, 0);
    CHECK_ERR(series_write(s, &c), ERR_IO);
    rows_fini(&c.rows);
    series_close(s);
    store_cutfs_power_on(disk, STORE_CUTFS_SYNCED);
    CHECK_OK(series_open(&(struct series_options){.fs = store_cutfs_fs(disk), .dir = "/data/series"}, &s));
    CHECK(series_find_thing(s, 1, STR("a"), &thing));
    CHECK_INT(series_last_seen(s, thing), 5);
    series_close(s);
    store_cutfs_free(disk);
}
