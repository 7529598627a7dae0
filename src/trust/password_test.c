#include "trust/password.h"

#include <string.h>

#include "tests/unit.h"

void password_test(void);

void password_test(void) {
    static const char *const bad[] = {"",
                                      "short",
                                      "ninechars",
                                      "password12",
                                      "Password2024!",
                                      "PASSWORD!!",
                                      "1234567890",
                                      "0987654321",
                                      "2024-01-31",
                                      "13800138000",
                                      "aaaaaaaaaa",
                                      "abcabcabcabc",
                                      "abcdabcdabcd",
                                      "abcdefghij",
                                      "jihgfedcba",
                                      "qwertyuiop",
                                      "Qwertyuiop1!",
                                      "1qaz2wsx3edc4rfv",
                                      "woaini5201314",
                                      "iloveyou123",
                                      "li.wei12345",
                                      "Li.Wei.2024",
                                      "adminadmin1",
                                      "changeme123"};
    static const char *const good[] = {"correct horse",  "battery staple", "a long password", "k7f-qh2-w9c-1",
                                       "天津钢铁厂二号", "password horse", "tree tree tree b"};
    unit_case("passwords that are tried first, or are too short");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!CHECK_ERR(password_check(str_c(bad[i]), STR("li.wei")), ERR_INVALID)) CHECK_STR(str_c(bad[i]), STR("bad"));
    unit_case("good ones, of whatever characters");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) CHECK_OK(password_check(str_c(good[i]), STR("li.wei")));
    static char big[1025];
    memset(big, 'x', sizeof big);
    CHECK_ERR(password_check(str_n(big, sizeof big), STR("a")), ERR_INVALID);
}
