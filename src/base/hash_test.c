#include "base/hash.h"

#include "tests/unit.h"

/* Stored checksums depend on these values: they may never change. */
void hash_test(void) {
    unit_case("known values of XXH3-64");
    CHECK_INT(hash_bytes("", 0), (int64_t)UINT64_C(0x2d06800538d394c2));
    CHECK_INT(hash_str((Str){NULL, 0}), (int64_t)UINT64_C(0x2d06800538d394c2));
    CHECK_INT(hash_str(STR("weft")), hash_bytes("weft", 4));
    CHECK_INT(hash_seeded("weft", 4, 0), hash_bytes("weft", 4));
    CHECK(hash_seeded("weft", 4, 1) != hash_bytes("weft", 4));
    CHECK(hash_str(STR("a")) != hash_str(STR("b")));
}
