#include "app/cmd_thing.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "document/things.h"
#include "os/file.h"

#define FILE_MAX ((size_t)1 << 30)
#define BATCH 2000 /* things a transaction */

static const char columns[] = "name,model,latitude,longitude";

/* ---- the command's side: the server reads the file by its whole path */

static int usage(FILE *to, int status) {
    fprintf(to,
            "usage: weft thing import FILE.csv [--party NAME] [--data DIR]\n\n"
            "Makes things, or gives those that stand what the table says. Its first row is %s; all but the name\n"
            "may be empty. What came before a row with a fault stays: mend the row and import again.\n",
            columns);
    return status;
}

int cmd_thing(int argc, char **argv) {
    char *words[16] = {argv[0], argv[1]};
    int n = 2;
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) return usage(stdout, 0);
    if (argc < 3 || argc > 12 || strcmp(argv[1], "import") != 0 || argv[2][0] == '-') return usage(stderr, 2);
    char *path = realpath(argv[2], NULL), flag[] = "--file";
    if (!path) {
        fprintf(stderr, "weft thing: '%.200s': %s\n", argv[2], strerror(errno));
        return 1;
    }
    words[n++] = flag, words[n++] = path;
    for (int i = 3; i < argc; i++) words[n++] = argv[i];
    int status = control_main(&cmd_thing_import, n, words);
    free(path);
    return status;
}

/* ---- the server's side */

struct table {
    struct workspace *workspace;
    struct principal by;
    struct csv csv;
    struct arena arena; /* of the rows not yet written */
    struct thing_row rows[BATCH];
    size_t n, done;
};

static Err read_degrees(struct table *t, size_t i, double *out) {
    *out = NAN;
    return t->csv.fields[i].len ? csv_num(&t->csv, i, out) : err_none();
}

static Err read_row(struct table *t, struct thing_row *row) {
    *row = (struct thing_row){.party = t->by.party, .model = t->csv.fields[1]};
    TRY(csv_text(&t->csv, 0, 255, &row->name));
    if (row->model.len) TRY(csv_text(&t->csv, 1, 63, &row->model));
    TRY(read_degrees(t, 2, &row->latitude));
    return read_degrees(t, 3, &row->longitude);
}

static Err write_batch(struct table *t) {
    Err err = things_put_many(t->workspace->things, &t->by, t->rows, t->n);
    if (err.code != ERR_NONE)
        return err_make(err.code, "of the rows behind the first %zu things, %s", t->done, err.text);
    t->done += t->n, t->n = 0;
    arena_reset(&t->arena);
    return err;
}

static Err read_all(struct table *t) {
    TRY(csv_header(&t->csv, columns));
    for (bool more;;) {
        TRY(csv_next(&t->csv, &more));
        if (!more) break;
        TRY(read_row(t, &t->rows[t->n]));
        if (++t->n == BATCH) TRY(write_batch(t));
    }
    return t->n ? write_batch(t) : err_none();
}

static Err import_file(struct workspace *w, PartyId party, Str path, struct control_out *out) {
    struct buf text = {0};
    struct table *t = calloc(1, sizeof *t);
    ASSERT(t);
    arena_init(&t->arena, 0);
    char *name = strndup(path.ptr, path.len);
    ASSERT(name);
    t->workspace = w, t->by = principal_system(party, "command");
    Err err = file_load(file_disk, name, FILE_MAX, &text);
    if (err.code == ERR_NONE) {
        csv_open(&t->csv, path, buf_view(&text), &t->arena);
        err = read_all(t);
    }
    if (t->done) control_print(out, "{\"things\":%zu}\n", t->done);
    if (t->done && w->things_changed) w->things_changed(w->things_ctx);
    free(name);
    buf_fini(&text);
    arena_fini(&t->arena);
    free(t);
    return err;
}

static Err run(struct workspace *w, int argc, char **argv, struct control_out *out) {
    TRY(control_flags(argc, argv, "file|party", ""));
    Str path = control_flag(argc, argv, "file", (Str){0});
    if (path.len == 0) return err_make(ERR_INVALID, "name the table: weft thing import FILE.csv");
    PartyId party;
    TRY(workspace_party(w, control_flag(argc, argv, "party", (Str){0}), true, &party));
    return import_file(w, party, path, out);
}

const struct control_command cmd_thing_import = {
    .name = "thing",
    .verb = "import",
    .usage = "--file FILE.csv [--party NAME]",
    .run = run,
};
