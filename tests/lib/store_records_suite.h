/* What every records backend must do alike: one suite, run over each of them. */
#ifndef TESTS_LIB_STORE_RECORDS_SUITE_H
#define TESTS_LIB_STORE_RECORDS_SUITE_H

#include "store/records_backend.h"

/* place: empty at first. Named cases; failures are printed by the unit runner. */
void store_records_suite(const struct records_backend *backend, const struct records_place *place);

#endif
