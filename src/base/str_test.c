#include "base/str.h"

#include "tests/unit.h"

void str_test(void) {
    unit_case("trim");
    CHECK_STR(str_trim(STR(" a b\t")), STR("a b"));
}
