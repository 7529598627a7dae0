#include "trust/note.h"

#include <string.h>

#include "base/json.h"
#include "os/file.h"
#include "tests/unit.h"

void note_test(void);

static struct arena arena;

/* ---- wycheproof's vectors of Ed25519: tests/data/ed25519.json */
static Str unhex(Str s) {
    unsigned char *out = arena_alloc(&arena, s.len / 2 + 1);
    for (size_t i = 0; i + 1 < s.len; i += 2) {
        unsigned v = 0;
        for (size_t k = 0; k < 2; k++) {
            char c = s.ptr[i + k];
            v = v * 16 + (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
        }
        out[i / 2] = (unsigned char)v;
    }
    return str_n((char *)out, s.len / 2);
}

static void test_vectors(void) {
    struct buf text = {0};
    struct json *all = NULL;
    unit_case("wycheproof: Ed25519");
    if (CHECK_OK(file_load(file_disk, "tests/data/ed25519.json", 1 << 20, &text)))
        CHECK_OK(json_parse(buf_view(&text), &all));
    CHECK_INT(json_len(all), 151);
    for (size_t i = 0; i < json_len(all); i++) {
        const struct json *v = json_at(all, i);
        Str key = unhex(json_str(json_get(v, "key")));
        unit_case(arena_printf(&arena, "wycheproof %lld", (long long)json_get_int(v, "id", 0)).ptr);
        CHECK_INT(secret_verify((const unsigned char *)key.ptr, unhex(json_str(json_get(v, "msg"))),
                                unhex(json_str(json_get(v, "sig")))),
                  str_eq(json_str(json_get(v, "result")), STR("valid")));
    }
    json_free(all);
    buf_fini(&text);
}

/* ---- the examples of C2SP signed-note and tlog-cosignature */
#define FOO_KEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define FOO_TEXT "This is an example message.\n"
#define FOO_LINE                                                                                                       \
    "\xe2\x80\x94 example.com/foo "                                                                                    \
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
static const char cosigned_example[] =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\xe2\x80\x94 example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "\xe2\x80\x94 witness.example.com/w1 "
    "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";

static void test_examples(void) {
    struct note_key key;
    struct note note;
    unit_case("the example of signed-note");
    if (!CHECK_OK(note_key_parse(STR(FOO_KEY), &key)) ||
        !CHECK_OK(note_parse(STR(FOO_TEXT "\n" FOO_LINE "\n"), &arena, &note)))
        return;
    CHECK_STR(str_c(key.name), STR("example.com/foo"));
    CHECK_INT(key.id, 0x530d903a);
    CHECK_INT(key.kind, NOTE_ED25519);
    CHECK_STR(note_key_text(&key, &arena), STR(FOO_KEY));
    CHECK_STR(note.text, STR(FOO_TEXT));
    CHECK_INT(note_verify(&note, &key, NULL), NOTE_SIGNED);
    note.text = STR("This is an example message!\n");
    CHECK_INT(note_verify(&note, &key, NULL), NOTE_FORGED);
    key.id++;
    CHECK_INT(note_verify(&note, &key, NULL), NOTE_UNSIGNED);

    unit_case("the example of tlog-cosignature");
    struct checkpoint c;
    CHECK_OK(note_parse(STR(cosigned_example), &arena, &note));
    CHECK_INT(note.n, 2);
    CHECK_STR(note.signatures[1].name, STR("witness.example.com/w1"));
    CHECK_INT(note.signatures[1].id, 0x8d66cf3f);
    CHECK_INT(note.signatures[1].bytes.len, 72);
    CHECK_OK(note_checkpoint(note.text, &c));
    CHECK_STR(c.origin, STR("example.com/behind-the-sofa"));
    CHECK_INT(c.size, 20852163);
    CHECK_STR(note_checkpoint_text(&c, &arena), note.text);
    CHECK_STR(note_join(&note, (Str){0}, &arena), STR(cosigned_example));
}

static void test_refused(void) {
    unit_case("what is no note");
    static const char *const notes[] = {
        "",
        "\n",
        "\n\n",
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n\xe2\x80\x94 name AAAAAAA=",   /* no newline at the end */
        "text\n\n\xe2\x80\x94 name AAAAAA==\n", /* four bytes: no signature behind the id */
        "text\n\n\xe2\x80\x94 na+me AAAAAAA=\n",
        "text\n\n\xe2\x80\x94 na\xc2\xa0me AAAAAAA=\n",
        "text\n\n\xe2\x80\x94  AAAAAAA=\n",
        "text\n\n\xe2\x80\x94 name AAAAAAA\n",
        "text\n\n\xe2\x80\x94 name AAAAAAB=\n", /* bits behind the last byte */
        "te\txt\n\n\xe2\x80\x94 name AAAAAAA=\n",
        "text\xff\n\n\xe2\x80\x94 name AAAAAAA=\n",
    };
    struct note note;
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        CHECK_ERR(note_parse(str_c(notes[i]), &arena, &note), ERR_INVALID);
    CHECK_OK(note_parse(STR("text\n\n\xe2\x80\x94 name AAAAAAA=\n"), &arena, &note));
    CHECK_OK(note_parse(STR("te\n\nxt\n\n\xe2\x80\x94 name AAAAAAA=\n"), &arena, &note));
    CHECK_STR(note.text, STR("te\n\nxt\n"));

    unit_case("what is no key");
    static const char *const keys[] = {
        "",
        "name",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", /* another hash */
        "example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", /* another kind */
        "example.com/foo+530d903a+Aeky",
    };
    struct note_key key;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        CHECK_ERR(note_key_parse(str_c(keys[i]), &key), ERR_INVALID);

    unit_case("what is no checkpoint");
    static const char *const texts[] = {
        "",
        "a\n",
        "a\n1\n",
        "\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a\n01\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a\n-1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a\n18446744073709551616\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
        "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuA==\n",
        "a\n1\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n",
    };
    struct checkpoint c;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK_ERR(note_checkpoint(str_c(texts[i]), &c), ERR_INVALID);
    CHECK_OK(note_checkpoint(STR("a\n18446744073709551615\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\next\n"), &c));
    CHECK(c.size == UINT64_MAX);
}

static void test_signing(void) {
    unit_case("signed here, verified here");
    unsigned char seed[32] = {7};
    struct secret_signer signer;
    struct note_key log, witness;
    secret_signer_make(seed, &signer);
    CHECK_OK(note_key_make(STR("a/log"), NOTE_ED25519, secret_signer_public(&signer), &log));
    CHECK_OK(note_key_make(STR("a/witness"), NOTE_COSIGNATURE, secret_signer_public(&signer), &witness));
    CHECK_ERR(note_key_make(STR("a log"), NOTE_ED25519, secret_signer_public(&signer), &log), ERR_INVALID);
    struct checkpoint c = {.origin = STR("a/log"), .size = 5, .root = merkle_empty()};
    struct note note = {.text = note_checkpoint_text(&c, &arena)};
    Str line = note_sign(note.text, &log, &signer, 0, &arena);
    Str signed_note = note_join(&note, line, &arena);
    CHECK_OK(note_parse(signed_note, &arena, &note));
    CHECK_INT(note_verify(&note, &log, NULL), NOTE_SIGNED);
    CHECK_INT(note_verify(&note, &witness, NULL), NOTE_UNSIGNED);
    Nanos at = 0, when = INT64_C(1700006400000000000);
    line = note_sign(note.text, &witness, &signer, when + 17, &arena);
    CHECK_OK(note_parse(note_join(&note, line, &arena), &arena, &note));
    CHECK_INT(note.n, 2);
    CHECK_INT(note_verify(&note, &log, NULL), NOTE_SIGNED);
    CHECK_INT(note_verify(&note, &witness, &at), NOTE_SIGNED);
    CHECK_INT(at, when);
    char *changed = arena_c(&arena, note.signatures[1].bytes);
    changed[7] ^= 1; /* another time */
    note.signatures[1].bytes.ptr = changed;
    CHECK_INT(note_verify(&note, &witness, &at), NOTE_FORGED);
}

void note_test(void) {
    arena_init(&arena, 0);
    test_vectors();
    test_examples();
    test_refused();
    test_signing();
    arena_fini(&arena);
}
