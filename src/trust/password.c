#include "trust/password.h"

#include <string.h>

#include "trust/secret.h"

static const char *const common[] = {
#define COMMON(text) text,
#include "trust/password_common.def"
#undef COMMON
};

static char small(char c) { return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c; }

static bool same_small(Str a, Str b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++)
        if (small(a.ptr[i]) != small(b.ptr[i])) return false;
    return true;
}

/* Without what people hang on: "password2024!" is "password". */
static Str stem_of(Str password) {
    while (password.len > 0 && strchr("0123456789!@#$%^&*?.,_-+=~ ", password.ptr[password.len - 1])) password.len--;
    return password;
}

static bool is_common(Str password) {
    Str stem = stem_of(password);
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (same_small(password, str_c(common[i])) || same_small(stem, str_c(common[i]))) return true;
    return stem.len == 0 && password.len < 16; /* digits and signs alone: a date, a telephone number */
}

/* "abcabcabcabc", "aaaaaaaaaa": a piece of up to four characters, over and over. */
static bool is_repeated(Str password) {
    for (size_t piece = 1; piece <= 4; piece++) {
        size_t i = piece;
        while (i < password.len && password.ptr[i] == password.ptr[i - piece]) i++;
        if (i >= password.len) return true;
    }
    return false;
}

/* "abcdefghij": each the one behind, or before, the one before it. */
static bool is_run(Str password) {
    for (int step = -1; step <= 1; step += 2) {
        size_t i = 1;
        while (i < password.len && small(password.ptr[i]) - small(password.ptr[i - 1]) == step) i++;
        if (i >= password.len) return true;
    }
    return false;
}

Err password_check(Str password, Str name) {
    if (password.len < PASSWORD_LENGTH_MIN || password.len > SECRET_PASSWORD_MAX_LENGTH)
        return err_make(ERR_INVALID, "a password of %zu bytes: use %d to %d, for instance four words", password.len,
                        PASSWORD_LENGTH_MIN, SECRET_PASSWORD_MAX_LENGTH);
    if (same_small(password, name) || (name.len >= 3 && same_small(stem_of(password), stem_of(name))))
        return err_make(ERR_INVALID, "the password is the name itself: choose another");
    if (is_common(password) || is_repeated(password) || is_run(password))
        return err_make(ERR_INVALID, "this password is among those that are tried first: choose another, for instance "
                                     "four words");
    return err_none();
}
