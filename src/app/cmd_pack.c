#include "app/cmd_pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/pack_scaffold.h"
#include "app/settings.h"
#include "document/documents.h"
#include "document/packs.h"
#include "model/pack_schema.h"
#include "store/records.h"

/* ---- on a folder of data */

/* On a stopped folder nobody has opened the engine yet: it brings the documents that stand along. */
static Err open_documents(struct workspace *w, int argc, char **argv) {
    struct settings settings;
    if (w->documents) return err_none();
    settings_init(&settings);
    Str file = control_flag(argc, argv, "settings", (Str){0});
    Err err = file.len > 0 ? settings_load(&settings, file.ptr) : err_none();
    if (err.code == ERR_NONE) err = settings_environment(&settings);
    if (err.code == ERR_NONE) err = workspace_seal(w, &settings);
    settings_fini(&settings);
    TRY(err);
    struct documents_options options = {
        .records = w->records, .types = packs_catalog(w->packs)->types, .clock = w->clock, .seal = w->seal};
    struct documents *documents;
    TRY(documents_open(&options, &documents));
    err = packs_attach(w->packs, documents, documents_retype);
    if (err.code == ERR_NONE)
        w->documents = documents;
    else
        documents_close(documents);
    return err;
}

static void close_documents(struct workspace *w, bool opened) {
    if (!opened || !w->documents) return;
    packs_attach(w->packs, NULL, NULL);
    documents_close(w->documents);
    w->documents = NULL;
}

static void print_faults(const struct pack_faults *faults, struct control_out *out) {
    for (size_t i = 0; i < faults->n; i++) {
        const struct pack_fault *f = &faults->items[i];
        control_print(out, "%s:%u:%u: %s: %s\n", f->file, f->line, f->column, f->warning ? "warning" : "error",
                      f->message);
        if (f->suggestion) control_print(out, "    %s\n", f->suggestion);
    }
    size_t all = faults->errors + faults->warnings;
    if (all > faults->n) control_print(out, "and %zu more\n", all - faults->n);
}

static void print_plan(const struct packs_plan *plan, struct control_out *out) {
    for (size_t i = 0; i < plan->n; i++)
        control_print(out, "%s%-12s %s: %s\n", plan->steps[i].refused ? "REFUSED " : "  ", plan->steps[i].action,
                      plan->steps[i].type, plan->steps[i].detail);
    if (plan->n == 0) control_print(out, "  nothing changes for documents\n");
}

static Err install_from(struct workspace *w, const char *dir, bool dry, struct arena *arena, struct control_out *out) {
    struct pack_faults faults = {.arena = arena};
    struct packs_plan plan = {.arena = arena};
    struct pack_source source;
    TRY(pack_load(file_disk, dir, dir, arena, &source));
    Err err = packs_install(w->packs, &source, dry, &faults, &plan);
    print_faults(&faults, out);
    if (faults.errors) return err_make(ERR_INVALID, "%zu faults: nothing was installed", faults.errors);
    print_plan(&plan, out);
    if (err.code == ERR_NONE)
        control_print(out, dry ? "a dry run: nothing was changed\n" : "'" STR_FMT "' is installed\n",
                      STR_ARG(pack_load_name(&source, arena)));
    return err;
}

static Err install(struct workspace *w, int argc, char **argv, struct control_out *out) {
    TRY(control_flags(argc, argv, "from|settings", "dry-run"));
    Str from = control_flag(argc, argv, "from", (Str){0});
    if (from.len == 0) return err_make(ERR_INVALID, "name the pack's folder: weft pack install DIR");
    bool opened = !w->documents;
    TRY(open_documents(w, argc, argv));
    struct arena arena;
    arena_init(&arena, 0);
    Err err = install_from(w, arena_c(&arena, from), control_switch(argc, argv, "dry-run"), &arena, out);
    close_documents(w, opened);
    arena_fini(&arena);
    return err;
}

static Err uninstall(struct workspace *w, int argc, char **argv, struct control_out *out) {
    TRY(control_flags(argc, argv, "name|settings", ""));
    Str name = control_flag(argc, argv, "name", (Str){0});
    if (name.len == 0) return err_make(ERR_INVALID, "name the pack: weft pack remove NAME");
    bool opened = !w->documents;
    TRY(open_documents(w, argc, argv));
    struct arena arena;
    arena_init(&arena, 0);
    struct packs_plan plan = {.arena = &arena};
    Err err = packs_remove(w->packs, name, &plan);
    print_plan(&plan, out);
    if (err.code == ERR_NONE) control_print(out, "'" STR_FMT "' is removed\n", STR_ARG(name));
    close_documents(w, opened);
    arena_fini(&arena);
    return err;
}

static Err list(struct workspace *w, int argc, char **argv, struct control_out *out) {
    TRY(control_flags(argc, argv, "", ""));
    const struct catalog *c = packs_catalog(w->packs);
    for (size_t i = 0; i < c->n_packs; i++) {
        size_t types = 0;
        for (const struct doctype *const *t = c->types; *t; t++) types += strcmp((*t)->pack, c->packs[i].name) == 0;
        control_print(out, "%-20s %-10s %2zu types  %s / %s%s\n", c->packs[i].name, c->packs[i].version, types,
                      c->packs[i].title_en, c->packs[i].title_zh, c->packs[i].builtin ? "  (built in)" : "");
    }
    return err_none();
}

#define INSTALL(a_verb)                                                                                                \
    { .name = "pack", .verb = a_verb, .usage = "DIR [--dry-run] [--settings FILE]", .run = install }
const struct control_command cmd_pack_install = INSTALL("install");
const struct control_command cmd_pack_upgrade = INSTALL("upgrade");
const struct control_command cmd_pack_remove = {
    .name = "pack", .verb = "remove", .usage = "NAME [--settings FILE]", .must_exist = true, .run = uninstall};
const struct control_command cmd_pack_list = {
    .name = "pack", .verb = "list", .usage = "", .must_exist = true, .run = list};

/* ---- without one */

/* The pack itself, those of the program, and what it needs from the folder it stands in. */
static Err gather(const char *dir, struct arena *arena, struct pack_source **out, size_t *n) {
    struct pack_source *builtin, own;
    size_t n_builtin = pack_load_builtin(arena, &builtin);
    TRY(pack_load(file_disk, dir, dir, arena, &own));
    *out = arena_zero(arena, n_builtin + 64, sizeof **out);
    *n = 0;
    Str name = pack_load_name(&own, arena);
    for (size_t i = 0; i < n_builtin; i++)
        if (!str_eq(pack_load_name(&builtin[i], arena), name)) (*out)[(*n)++] = builtin[i];
    size_t first = *n;
    own.builtin = *n < n_builtin;
    (*out)[(*n)++] = own;
    for (size_t at = first; at < *n && *n < n_builtin + 60; at++) {
        Str needs[16];
        size_t n_needs = pack_load_needs(&(*out)[at], arena, needs, 16);
        for (size_t i = 0; i < n_needs; i++) {
            struct pack_source need;
            bool there = false;
            for (size_t k = 0; k < *n; k++) there = there || str_eq(pack_load_name(&(*out)[k], arena), needs[i]);
            const char *path = arena_printf(arena, "%s/../" STR_FMT, dir, STR_ARG(needs[i])).ptr;
            if (!there && pack_load(file_disk, path, path, arena, &need).code == ERR_NONE) (*out)[(*n)++] = need;
        }
    }
    return err_none();
}

static Err check_folder(const char *dir, struct arena *arena, struct control_out *out) {
    struct pack_faults faults = {.arena = arena};
    struct pack_compile_options options = {.check_only = true};
    struct pack_source *sources;
    struct catalog *catalog;
    size_t n;
    TRY(gather(dir, arena, &sources, &n));
    pack_compile(sources, n, &options, arena, &faults, &catalog);
    print_faults(&faults, out);
    if (faults.errors)
        return err_make(ERR_INVALID, "%zu errors, %zu warnings in '%.120s'", faults.errors, faults.warnings, dir);
    control_print(out, "'%s' is sound: %zu warnings\n", dir, faults.warnings);
    return err_none();
}

static bool to_std(void *ctx, char stream, Str bytes) {
    (void)ctx;
    return fwrite(bytes.ptr, 1, bytes.len, stream == 'o' ? stdout : stderr) == bytes.len;
}

static Err check(int argc, char **argv, struct arena *arena, struct control_out *out) {
    if (argc != 1) return err_make(ERR_INVALID, "name one pack: weft pack check DIR");
    const char *inside = arena_printf(arena, "packs/%s", argv[0]).ptr;
    bool named = !file_exists(file_disk, argv[0]) && file_exists(file_disk, inside);
    return check_folder(named ? inside : argv[0], arena, out);
}

static Err make_new(int argc, char **argv, struct arena *arena, struct control_out *out) {
    if (argc != 1) return err_make(ERR_INVALID, "name the new pack: weft pack new NAME");
    TRY(pack_scaffold(argv[0], arena));
    control_print(out, "made '%s': see %s/pack.yaml, then run 'weft pack check %s'\n", argv[0], argv[0], argv[0]);
    return err_none();
}

static Err schema(int argc, char **argv, struct arena *arena, struct control_out *out) {
    struct buf text = {0};
    (void)arena;
    if (argc != 1 || !pack_schema_write(argv[0], &text)) {
        buf_fini(&text);
        return err_make(ERR_INVALID, "name one of pack, things, records, rules, views, agreements, knowledge");
    }
    buf_byte(&text, '\n');
    out->write(out->ctx, 'o', buf_view(&text)); /* longer than one line of print */
    buf_fini(&text);
    return err_none();
}

static const struct {
    const char *name, *usage;
    Err (*run)(int argc, char **argv, struct arena *arena, struct control_out *out);
    const struct control_command *control;
    const char *flag; /* what the one bare word stands for */
} verbs[] = {
    {"new", "new NAME                       a folder with a pack that works", make_new, NULL, NULL},
    {"check", "check DIR                      every fault with its place and what to write instead", check, NULL, NULL},
    {"schema", "schema pack|records|…          JSON Schema of a file, for editors", schema, NULL, NULL},
    {"install", "install DIR [--dry-run]        into a data folder (--data DIR), or a running server", NULL,
     &cmd_pack_install, "--from"},
    {"upgrade", "upgrade DIR [--dry-run]        the same: documents that stand are brought along", NULL,
     &cmd_pack_upgrade, "--from"},
    {"remove", "remove NAME                    when no documents of it stand", NULL, &cmd_pack_remove, "--name"},
    {"list", "list                           what is installed", NULL, &cmd_pack_list, NULL},
};
#define VERBS (sizeof verbs / sizeof *verbs)

static int usage(FILE *to, int status) {
    fprintf(to, "usage: weft pack VERB …\n\n");
    for (size_t i = 0; i < VERBS; i++) fprintf(to, "  weft pack %s\n", verbs[i].usage);
    fprintf(to, "\nThe format of packs: docs/packs.md\n");
    return status;
}

/* `install DIR` becomes `install --from=/the/whole/path`: a running server has another working folder. */
static int with_flag(size_t verb, int argc, char **argv) {
    char *words[32], word[4200];
    int n = 0;
    for (int i = 0; i < argc && n < 31; i++) {
        bool value = i > 0 && (strcmp(argv[i - 1], "--data") == 0 || strcmp(argv[i - 1], "--settings") == 0);
        words[n] = argv[i];
        if (i > 1 && !value && argv[i][0] != '-' && verbs[verb].flag) {
            char *whole = strcmp(verbs[verb].flag, "--from") == 0 ? realpath(argv[i], NULL) : NULL;
            snprintf(word, sizeof word, "%s=%s", verbs[verb].flag, whole ? whole : argv[i]);
            free(whole);
            words[n] = word;
        }
        n++;
    }
    words[n] = NULL;
    return control_main(verbs[verb].control, n, words);
}

static int run_here(size_t verb, int argc, char **argv) {
    struct control_out out = {.write = to_std};
    struct arena arena;
    arena_init(&arena, 0);
    Err err = verbs[verb].run(argc, argv, &arena, &out);
    if (err.code != ERR_NONE) fprintf(stderr, "weft pack %s: %s\n", verbs[verb].name, err.text);
    arena_fini(&arena);
    if (fflush(stdout) != 0) return 1;
    return err.code == ERR_NONE ? 0 : err.code == ERR_INVALID ? 2 : 1;
}

int cmd_pack(int argc, char **argv) {
    if (argc < 2) return usage(stderr, 2);
    if (strcmp(argv[1], "--help") == 0) return usage(stdout, 0);
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(verbs[i].name, argv[1]) != 0) continue;
        if (verbs[i].run && argc > 2 && strcmp(argv[2], "--help") == 0) return usage(stdout, 0);
        return verbs[i].run ? run_here(i, argc - 2, argv + 2) : with_flag(i, argc, argv);
    }
    fprintf(stderr, "weft pack: no verb '%s'\n", argv[1]);
    return usage(stderr, 2);
}
