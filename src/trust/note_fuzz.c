/* A signed note: what is taken apart and joined again is the same, and keys and checkpoints read back as written. */
#include <stdlib.h>

#include "trust/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n) {
    static const struct note_key key = {.kind = NOTE_ED25519, .name = "a", .id = 1};
    struct arena arena;
    struct note note;
    struct note_key parsed;
    struct checkpoint c;
    Str text = str_n((const char *)bytes, n);
    arena_init(&arena, 0);
    if (note_parse(text, &arena, &note).code == ERR_NONE) {
        if (!str_eq(note_join(&note, (Str){0}, &arena), text)) abort();
        if (note_verify(&note, &key, NULL) == NOTE_SIGNED) abort();
        if (note_checkpoint(note.text, &c).code == ERR_NONE && !str_starts(note.text, note_checkpoint_text(&c, &arena)))
            abort();
    }
    if (note_key_parse(text, &parsed).code == ERR_NONE && !str_eq(note_key_text(&parsed, &arena), str_trim(text)))
        abort();
    arena_fini(&arena);
    return 0;
}
