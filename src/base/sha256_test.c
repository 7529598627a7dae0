#include "base/sha256.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

void sha256_test(void);

static Str hex(const unsigned char hash[SHA256_BYTES], char out[2 * SHA256_BYTES + 1]) {
    for (size_t i = 0; i < SHA256_BYTES; i++) snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return str_c(out);
}

void sha256_test(void) {
    static const struct {
        const char *name, *first, *second, *want;
    } cases[] = {/* the standard's own examples */
                 {"nothing", "", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                 {"abc", "abc", "", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                 {"abc in two", "a", "bc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                 {"two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", "",
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}};
    unsigned char hash[SHA256_BYTES];
    char text[2 * SHA256_BYTES + 1];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        sha256_pair(str_c(cases[i].first), str_c(cases[i].second), hash);
        CHECK_STR(hex(hash, text), str_c(cases[i].want));
        if (cases[i].second[0]) continue;
        sha256_bytes(cases[i].first, strlen(cases[i].first), hash);
        CHECK_STR(hex(hash, text), str_c(cases[i].want));
    }
}
