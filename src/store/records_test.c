#include "store/records_system.h"
#include "store/records_txn.h"
#include "tests/unit.h"

void records_test(void);

static Err add(void *ctx, struct records_txn *txn) {
    int64_t n, id;
    (void)ctx;
    TRY(records_txn_next_number(txn, 1, STR("x"), &n));
    Value row[PARTY_COLUMNS] = {
        [RECORD_PARTY] = VALUE_I(0), [PARTY_NAME] = VALUE_S(STR("a")), [PARTY_CREATED] = VALUE_I(n)};
    return records_txn_insert(txn, &records_system_party, row, &id);
}

void records_test(void) {
    struct records *r;
    unit_case("smoke");
    if (!CHECK_OK(records_open(&(struct records_options){.dir = unit_temp_dir()}, &r))) return;
    CHECK_OK(records_write(r, add, NULL));
    CHECK_ERR(records_write(r, add, NULL), ERR_CONFLICT);
    records_close(r);
}
