#include "app/cmd_ledger.h"

#include <stdio.h>
#include <string.h>

#include "app/settings.h"
#include "os/fetch.h"
#include "os/file.h"
#include "store/records.h"
#include "trust/ledger.h"
#include "trust/receipt.h"

#define PATH_BYTES 4096
#define URL_MAX 500

static Err open_ledger(struct workspace *w, int argc, char **argv) {
    struct settings settings;
    if (w->ledger) return err_none();
    settings_init(&settings);
    Str file = control_flag(argc, argv, "settings", (Str){0});
    Err err = file.len > 0 ? settings_load(&settings, file.ptr) : err_none();
    if (err.code == ERR_NONE) err = settings_environment(&settings);
    if (err.code == ERR_NONE) err = workspace_ledger(w, &settings);
    settings_fini(&settings);
    return err;
}

static void print_key(struct control_out *out, const char *what, const struct note_key *key, struct arena *arena) {
    control_print(out, "%s " STR_FMT "\n", what, STR_ARG(note_key_text(key, arena)));
}

static Err print_status(struct workspace *w, struct arena *arena, struct control_out *out) {
    Str note, cosigned;
    TRY(ledger_checkpoint(w->ledger, arena, &note));
    control_print(out, "entries %llu\n", (unsigned long long)ledger_size(w->ledger));
    print_key(out, "key", ledger_key(w->ledger), arena);
    print_key(out, "witness key", ledger_witness_key(w->ledger), arena);
    control_print(out, "\n" STR_FMT, STR_ARG(note));
    if (ledger_cosigned(w->ledger, arena, &cosigned).code == ERR_NONE && !str_eq(cosigned, note))
        control_print(out, "\nnewest that a witness has signed:\n" STR_FMT, STR_ARG(cosigned));
    return err_none();
}

static Err status(struct workspace *w, int argc, char **argv, struct control_out *out) {
    struct arena arena;
    TRY(control_flags(argc, argv, "settings", ""));
    TRY(open_ledger(w, argc, argv));
    arena_init(&arena, 0);
    Err err = print_status(w, &arena, out);
    arena_fini(&arena);
    return err;
}

/* ---- as a witness: what was signed last is kept, and only what grew from it is signed next */
struct witnessing {
    struct workspace *w;
    struct arena *arena;
    Str url;
    bool plain;
    struct note_key key; /* of the ledger that is watched */
    struct note note;
    struct checkpoint seen, now;
    char path[PATH_BYTES];
};

static Err ask(struct witnessing *t, const char *path, Str body, Str *answer) {
    struct fetch_answer got;
    struct fetch_request request = {.url = arena_printf(t->arena, STR_FMT "%s", STR_ARG(t->url), path),
                                    .body = body,
                                    .limits = {.plain = t->plain, .private_too = t->plain}};
    TRY(fetch_http(&request, t->arena, &got));
    if (got.status != 200)
        return err_make(ERR_IO, "'%.100s' answers %d: %.*s", request.url.ptr, got.status,
                        (int)(got.body.len < 80 ? got.body.len : 80), got.body.ptr);
    *answer = got.body;
    return err_none();
}

static Err read_note(struct witnessing *t, Str bytes, struct checkpoint *out) {
    TRY(note_parse(bytes, t->arena, &t->note));
    if (note_verify(&t->note, &t->key, NULL) != NOTE_SIGNED)
        return err_make(ERR_INVALID, "the checkpoint is not signed with the key of '%s'", t->key.name);
    TRY(note_checkpoint(t->note.text, out));
    if (!str_eq_c(out->origin, t->key.name))
        return err_make(ERR_INVALID, "the checkpoint is of another ledger than '%s'", t->key.name);
    return err_none();
}

static Err read_seen(struct witnessing *t) {
    struct buf bytes = {0};
    Err err = file_load(file_disk, t->path, NOTE_MAX, &bytes);
    if (err.code == ERR_NONE) err = read_note(t, arena_str(t->arena, buf_view(&bytes)), &t->seen);
    buf_fini(&bytes);
    return err.code == ERR_NOT_FOUND ? err_none() : err;
}

static Err check_growth(struct witnessing *t) {
    const struct checkpoint *a = &t->seen, *b = &t->now;
    struct receipt_proof proof;
    Str json;
    if (a->size == 0) return err_none();
    if (b->size < a->size)
        return err_make(ERR_CONFLICT, "'%s' shows %llu entries, but %llu were signed before: it was cut back",
                        t->key.name, (unsigned long long)b->size, (unsigned long long)a->size);
    bool same = a->size == b->size;
    proof = (struct receipt_proof){.from = a->size, .to = b->size};
    if (!same) {
        const char *path = arena_printf(t->arena, "/api/v1/ledger/proof?from=%llu&to=%llu", (unsigned long long)a->size,
                                        (unsigned long long)b->size)
                               .ptr;
        TRY(ask(t, path, (Str){0}, &json));
        TRY(receipt_proof_parse(json, t->arena, &proof));
    }
    if (merkle_consistent(a->size, b->size, proof.path, proof.n, a->root, b->root)) return err_none();
    return err_make(ERR_CONFLICT, "'%s' was changed behind entry %llu, or forked: not signed", t->key.name,
                    (unsigned long long)a->size);
}

static Err witness_once(struct witnessing *t, struct control_out *out) {
    Str bytes, answer;
    TRY(read_seen(t));
    TRY(ask(t, "/ledger/checkpoint", (Str){0}, &bytes));
    TRY(read_note(t, bytes, &t->now));
    TRY(check_growth(t));
    TRY(file_replace(file_disk, t->path, bytes, "ledger.witnessed")); /* before it is signed, never after */
    Str line = ledger_witness(t->w->ledger, t->note.text, t->arena);
    TRY(ask(t, "/ledger/cosignatures", note_join(&t->note, line, t->arena), &answer));
    control_print(out, "signed: '%s' at size %llu, grown from %llu\n", t->key.name, (unsigned long long)t->now.size,
                  (unsigned long long)t->seen.size);
    return err_none();
}

static Err witness_with(struct workspace *w, Str url, Str key, bool plain, struct arena *arena,
                        struct control_out *out) {
    struct witnessing t = {.w = w, .arena = arena, .url = url, .plain = plain};
    char dir[PATH_BYTES - 32];
    TRY(note_key_parse(key, &t.key));
    if (t.key.kind != NOTE_ED25519) return err_make(ERR_INVALID, "--key is a witness's key: give the ledger's own");
    int n = snprintf(dir, sizeof dir, "%s/ledger/witnessed", records_dir(w->records));
    if (n < 0 || (size_t)n >= sizeof dir) return err_make(ERR_INVALID, "the data folder's path is too long");
    snprintf(t.path, sizeof t.path, "%s/%08x", dir, t.key.id);
    TRY(file_make_dirs(file_disk, dir, "ledger.witnessed.dir"));
    return witness_once(&t, out);
}

static Err witness(struct workspace *w, int argc, char **argv, struct control_out *out) {
    struct arena arena;
    TRY(control_flags(argc, argv, "url|key|settings", "plain"));
    Str url = control_flag(argc, argv, "url", (Str){0}), key = control_flag(argc, argv, "key", (Str){0});
    if (url.len == 0 || url.len > URL_MAX)
        return err_make(ERR_INVALID, "--url is missing: the other server, https://HOST, before /ledger/checkpoint");
    if (key.len == 0) return err_make(ERR_INVALID, "--key is missing: the other ledger's key, got from its operator");
    if (str_ends(url, STR("/"))) url = str_slice(url, 0, url.len - 1);
    TRY(open_ledger(w, argc, argv));
    arena_init(&arena, 0);
    Err err = witness_with(w, url, key, control_switch(argc, argv, "plain"), &arena, out);
    arena_fini(&arena);
    return err;
}

const struct control_command cmd_ledger_status = {
    .name = "ledger", .verb = "status", .usage = "", .must_exist = true, .run = status};
const struct control_command cmd_ledger_witness = {
    .name = "ledger",
    .verb = "witness",
    .usage = "--url https://HOST --key KEY [--plain: http, and one's own network]",
    .must_exist = true,
    .run = witness};

int cmd_ledger(int argc, char **argv) {
    static const struct control_command *const verbs[] = {&cmd_ledger_status, &cmd_ledger_witness};
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(argv[1], verbs[i]->verb) == 0) return control_main(verbs[i], argc, argv);
    bool asked = argc > 1 && strcmp(argv[1], "--help") == 0;
    fprintf(asked ? stdout : stderr,
            "usage: weft ledger status|witness --data DIR …\nweft ledger VERB --help says more.\n");
    return asked ? 0 : 2;
}
