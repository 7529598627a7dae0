/* Any bytes are cut into words of letters and digits, no longer than the store takes them; a question asks only words
 * that keeping the same text keeps. */
#include "document/doc_words.h"

#include "base/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_word(unsigned char c) {
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void keep(void *ctx, Str word) {
    ASSERT(word.len > 0 && word.len <= 64);
    for (size_t i = 0; i < word.len; i++) ASSERT(is_word((unsigned char)word.ptr[i]));
    map_put(ctx, word, 1);
}

static void ask(void *ctx, Str word) {
    uint64_t kept;
    ASSERT(map_get(ctx, word, &kept));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct map words;
    Str text = str_n((const char *)data, size);
    map_init(&words);
    doc_words_cut(text, false, keep, &words);
    doc_words_cut(text, true, ask, &words);
    map_fini(&words);
    return 0;
}
