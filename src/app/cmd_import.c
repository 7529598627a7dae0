#include "app/cmd_import.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/jw.h"
#include "document/export_sheet.h"
#include "document/imports.h"
#include "os/file.h"
#include "os/process.h"
#include "trust/gate.h"

#define WORDS_MAX 48
#define PATH_BYTES 4096
#define BLOCK ((size_t)1 << 20)
#define POLL (100 * NANOS_PER_MS)
#define SHOWN_FAULTS 20

/* ---- the command's side: names what the server must read by its whole path */

static int usage(FILE *to, int status) {
    fprintf(to,
            "usage: weft import TYPE FILE [--map COLUMN=FIELD,…] [--skip-bad] [--dry-run] [--offset +08:00]\n"
            "                   [--party NAME] [--data DIR]\n"
            "       weft export TYPE [--format csv|xlsx] [--lang zh|en] [--fields a,b] [--party NAME] [--data DIR] "
            ">FILE\n\n"
            "Both ask the server that runs on the folder. A row with a fault stops everything unless --skip-bad.\n");
    return status;
}

/* Words behind the first `taken`, with what the server is told in front. */
static int ask(const struct control_command *command, int argc, char **argv, int taken, char *const *first, int n) {
    char *words[WORDS_MAX + 1];
    if (n + argc - taken > WORDS_MAX) return usage(stderr, 2);
    memcpy(words, first, (size_t)n * sizeof *words);
    for (int i = taken; i < argc; i++) words[n++] = argv[i];
    words[n] = NULL;
    return control_main(command, n, words);
}

int cmd_import(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) return usage(stdout, 0);
    if (argc < 3 || argv[1][0] == '-' || argv[2][0] == '-') return usage(stderr, 2);
    char *path = realpath(argv[2], NULL);
    if (!path) {
        fprintf(stderr, "weft import: '%.200s': %s\n", argv[2], strerror(errno));
        return 1;
    }
    char *first[] = {argv[0], "table", "--type", argv[1], "--file", path, "--progress"};
    int status = ask(&cmd_import_table, argc, argv, 3, first, process_is_terminal(2) ? 7 : 6);
    free(path);
    return status;
}

int cmd_import_export(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) return usage(stdout, 0);
    if (argc < 2 || argv[1][0] == '-') return usage(stderr, 2);
    char *first[] = {argv[0], "table", "--type", argv[1]};
    return ask(&cmd_import_out, argc, argv, 2, first, 4);
}

/* ---- the server's side */

static Err find_server(const struct workspace *w) {
    if (w->imports && w->documents) return err_none();
    return err_make(ERR_NOT_FOUND, "no server runs on this folder: start one with 'weft serve', then again");
}

struct table {
    struct workspace *w;
    struct control_out *out;
    struct principal who;
    struct arena arena;
    Str id;
    bool progress;
};

/* The sender keeps the file: the server works on a copy. */
static Err copy_file(struct table *t, const char *from, const char *to) {
    struct file *in, *out = NULL;
    char *block = arena_alloc(&t->arena, BLOCK);
    size_t got = 1;
    TRY(file_open(file_disk, from, FILE_READ, &in));
    Err err = file_open(file_disk, to, FILE_WRITE | FILE_CREATE | FILE_TRUNCATE | FILE_PRIVATE, &out);
    for (uint64_t at = 0; err.code == ERR_NONE && got > 0; at += got) {
        err = file_read(in, block, BLOCK, at, &got);
        if (err.code == ERR_NONE && got > 0) err = file_write(out, block, got, at);
    }
    file_close(in);
    file_close(out);
    return err;
}

static Err look(struct table *t, struct json **out) {
    struct buf text = {0};
    struct jw w;
    jw_init(&w, &text);
    Err err = imports_json(t->w->imports, &t->who, t->id, &w);
    if (err.code == ERR_NONE) err = json_parse(buf_view(&text), out);
    buf_fini(&text);
    return err;
}

static void show_progress(struct table *t, const struct json *job, bool checking) {
    int64_t good = json_get_int(job, "good", 0), bad = json_get_int(job, "bad", 0);
    if (!t->progress) return;
    if (checking) {
        control_note(t->out, "\r  checked %lld rows, %lld with faults ", (long long)json_get_int(job, "rows", 0),
                     (long long)bad);
        return;
    }
    char bar[41];
    int full = good > 0 ? (int)(json_get_int(job, "applied", 0) * 40 / good) : 0;
    memset(bar, '.', 40);
    memset(bar, '#', (size_t)(full > 40 ? 40 : full));
    bar[40] = '\0';
    control_note(t->out, "\r  [%s] %lld of %lld ", bar, (long long)json_get_int(job, "applied", 0), (long long)good);
}

/* Until it is neither checked nor applied any more; its last state in *out. */
static Err watch(struct table *t, struct json **out) {
    for (;;) {
        TRY(look(t, out));
        Str state = json_get_str(*out, "state", (Str){0});
        bool checking = str_eq_c(state, "checking"), applying = str_eq_c(state, "applying");
        show_progress(t, *out, checking || str_eq_c(state, "checked"));
        if (!checking && !applying) break;
        json_free(*out);
        *out = NULL;
        clock_sleep(POLL);
    }
    if (t->progress) control_note(t->out, "\n");
    const struct json *failure = json_get(*out, "failure");
    if (!failure || json_kind(failure) != JSON_STRING) return err_none();
    return err_make(ERR_INVALID, STR_FMT, STR_ARG(str_slice(json_str(failure), 0, 240)));
}

static Err show_faults(struct table *t) {
    struct buf lines = {0};
    uint64_t next;
    Err err = imports_faults(t->w->imports, &t->who, t->id, 0, SHOWN_FAULTS, &lines, &next);
    Str rest = buf_view(&lines), line;
    while (err.code == ERR_NONE && rest.len > 0) {
        struct json *f = NULL;
        str_cut(rest, '\n', &line, &rest);
        err = json_parse(line, &f);
        if (err.code != ERR_NONE) break;
        Str column = json_get_str(f, "column", (Str){0}), instead = json_get_str(f, "suggestion", (Str){0});
        control_note(t->out, "  row %lld%s" STR_FMT ": " STR_FMT "%s" STR_FMT "%s\n",
                     (long long)json_get_int(f, "row", 0), column.len ? ", " : "", STR_ARG(column),
                     STR_ARG(json_get_str(f, "message", (Str){0})), instead.len ? " (write '" : "", STR_ARG(instead),
                     instead.len ? "'?)" : "");
        json_free(f);
    }
    if (next) control_note(t->out, "  … and more\n");
    buf_fini(&lines);
    return err;
}

/* What was proposed, with what --map says instead. */
static void write_mapping(const struct json *job, Str map, struct jw *w) {
    const struct json *columns = json_get(job, "columns");
    jw_object(w);
    for (size_t i = 0; columns && i < json_len(columns); i++) {
        Str name = json_get_str(json_at(columns, i), "name", (Str){0}), rest = map, part, column, field;
        Str target = json_get_str(json_at(columns, i), "field", (Str){0});
        while (rest.len > 0) {
            str_cut(rest, ',', &part, &rest);
            if (str_cut(part, '=', &column, &field) && str_eq(str_trim(column), name)) target = str_trim(field);
        }
        if (name.len == 0 || target.len == 0) continue;
        jw_key_str(w, name);
        jw_str(w, target);
    }
    jw_object_end(w);
}

static Err order_check(struct table *t, Str map, Str offset, bool skip) {
    struct buf text = {0};
    struct json *job = NULL, *order = NULL;
    struct jw w;
    TRY(look(t, &job));
    jw_init(&w, &text);
    jw_object(&w);
    jw_kc(&w, "mode", skip ? "skip" : "all");
    jw_kstr(&w, "offset", offset);
    jw_kbool(&w, "start", true);
    if (map.len > 0) {
        jw_key(&w, "mapping");
        write_mapping(job, map, &w);
    }
    jw_object_end(&w);
    Err err = json_parse(buf_view(&text), &order);
    if (err.code == ERR_NONE) err = imports_set(t->w->imports, &t->who, t->id, order);
    json_free(order);
    json_free(job);
    buf_fini(&text);
    return err;
}

static Err apply(struct table *t, bool dry, bool skip) {
    struct json *job = NULL;
    Err err = watch(t, &job);
    int64_t bad = json_get_int(job, "bad", 0), good = json_get_int(job, "good", 0);
    json_free(job);
    TRY(err);
    if (bad > 0) TRY(show_faults(t));
    control_print(t->out, "%lld documents checked: %lld good, %lld with faults\n", (long long)(good + bad),
                  (long long)good, (long long)bad);
    if (dry) return bad > 0 ? err_make(ERR_INVALID, "%lld have faults", (long long)bad) : err_none();
    if (bad > 0 && !skip)
        return err_make(ERR_INVALID, "nothing was imported: mend the rows, or leave them out with --skip-bad");
    TRY(imports_apply(t->w->imports, &t->who, t->id));
    job = NULL;
    err = watch(t, &job);
    if (err.code == ERR_NONE) control_print(t->out, "%lld imported\n", (long long)json_get_int(job, "applied", 0));
    json_free(job);
    return err;
}

static Err take_table(struct table *t, int argc, char **argv) {
    char path[PATH_BYTES];
    uint64_t random;
    bool dry = control_switch(argc, argv, "dry-run"), skip = control_switch(argc, argv, "skip-bad");
    Str file = control_flag(argc, argv, "file", (Str){0}), name = file, head;
    while (str_cut(name, '/', &head, &name)) {
    }
    if (name.len == 0) name = head;
    process_random(&random, sizeof random);
    snprintf(path, sizeof path, "%s/upload-%016llx", imports_dir(t->w->imports), (unsigned long long)random);
    Err err = copy_file(t, arena_c(&t->arena, file), path);
    if (err.code == ERR_NONE)
        err = imports_add(t->w->imports, &t->who, control_flag(argc, argv, "type", (Str){0}), name, path, &t->arena,
                          &t->id);
    if (file_exists(file_disk, path)) (void)file_remove(file_disk, path).code;
    TRY(err);
    err = order_check(t, control_flag(argc, argv, "map", (Str){0}), control_flag(argc, argv, "offset", (Str){0}), skip);
    if (err.code == ERR_NONE) err = apply(t, dry, skip);
    if (err.code == ERR_NONE && !dry) return err;
    Err dropped = imports_drop(t->w->imports, &t->who, t->id, false);
    return err.code != ERR_NONE ? err : dropped;
}

static Err import_table(struct workspace *w, int argc, char **argv, struct control_out *out) {
    struct table t = {.w = w, .out = out, .progress = control_switch(argc, argv, "progress")};
    PartyId party;
    TRY(control_flags(argc, argv, "type|file|map|offset|party", "skip-bad|dry-run|progress"));
    TRY(find_server(w));
    TRY(workspace_party(w, control_flag(argc, argv, "party", (Str){0}), false, &party));
    t.who = principal_system(party, "import");
    arena_init(&t.arena, 0);
    Err err = take_table(&t, argc, argv);
    arena_fini(&t.arena);
    return err;
}

/* ---- out */

static Err send_file(struct control_out *out, const char *path) {
    struct file *file;
    char *block = malloc(BLOCK);
    size_t got = 1;
    ASSERT(block);
    Err err = file_open(file_disk, path, FILE_READ, &file);
    for (uint64_t at = 0; err.code == ERR_NONE && got > 0; at += got) {
        err = file_read(file, block, BLOCK, at, &got);
        if (got > 0 && !out->write(out->ctx, 'o', str_n(block, got))) break;
    }
    if (err.code == ERR_NONE) file_close(file);
    free(block);
    return err;
}

static Err write_out(struct workspace *w, struct export_sheet *order, const struct principal *who, Str type,
                     struct control_out *out) {
    struct lens lens;
    char path[PATH_BYTES];
    uint64_t random, n;
    order->type = documents_type(w->documents, type);
    if (!order->type)
        return err_make(ERR_NOT_FOUND, "no document type '" STR_FMT "': 'weft pack list' names packs",
                        STR_ARG(str_slice(type, 0, 60)));
    TRY(gate_lens(who, order->type, "export", &lens));
    order->lens = &lens;
    process_random(&random, sizeof random);
    snprintf(path, sizeof path, "%s/upload-%016llx", imports_dir(w->imports), (unsigned long long)random);
    Err err = export_sheet_write(order, path, &n);
    if (err.code == ERR_NONE) err = send_file(out, path);
    if (file_exists(file_disk, path)) (void)file_remove(file_disk, path).code;
    if (err.code == ERR_NONE) control_note(out, "%llu documents\n", (unsigned long long)n);
    return err;
}

static Err export_table(struct workspace *w, int argc, char **argv, struct control_out *out) {
    PartyId party;
    struct arena arena;
    TRY(control_flags(argc, argv, "type|format|lang|fields|party", ""));
    TRY(find_server(w));
    TRY(workspace_party(w, control_flag(argc, argv, "party", (Str){0}), false, &party));
    Str format = control_flag(argc, argv, "format", STR("csv")), rest = control_flag(argc, argv, "fields", (Str){0}),
        name;
    if (!str_eq_c(format, "csv") && !str_eq_c(format, "xlsx")) return err_make(ERR_INVALID, "--format is csv or xlsx");
    struct principal who = principal_system(party, "export");
    struct export_sheet order = {.documents = w->documents,
                                 .query = {.sort = "id"},
                                 .zh = str_eq_c(control_flag(argc, argv, "lang", (Str){0}), "zh"),
                                 .xlsx = str_eq_c(format, "xlsx")};
    arena_init(&arena, 0);
    Str *fields = arena_zero(&arena, rest.len + 1, sizeof *fields);
    while (rest.len > 0) {
        str_cut(rest, ',', &name, &rest);
        if (name.len > 0) fields[order.n_fields++] = name;
    }
    order.fields = fields;
    Err err = write_out(w, &order, &who, control_flag(argc, argv, "type", (Str){0}), out);
    arena_fini(&arena);
    return err;
}

const struct control_command cmd_import_table = {
    .name = "import", .verb = "table", .usage = "(see weft import --help)", .must_exist = true, .run = import_table};
const struct control_command cmd_import_out = {
    .name = "export", .verb = "table", .usage = "(see weft export --help)", .must_exist = true, .run = export_table};
