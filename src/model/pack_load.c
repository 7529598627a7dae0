/* Packs from folders and from the program itself. */
#include <string.h>

#include "model/pack.h"
#include "model/pack_builtin.h"
#include "model/pack_form.h"

struct folder {
    struct arena *arena;
    Str *names;
    size_t n, cap;
};

static bool note_name(void *ctx, Str name) {
    struct folder *f = ctx;
    if (name.len == 0 || name.ptr[0] == '.') return true;
    if (!str_ends(name, STR(".yaml")) && !str_ends(name, STR(".yml")) && !str_ends(name, STR(".lua"))) return true;
    if (f->n == f->cap) return false;
    f->names[f->n++] = arena_str(f->arena, name);
    return true;
}

static Err load_file(struct file_system *fs, const char *dir, Str name, struct arena *arena, size_t *bytes,
                     struct pack_file *out) {
    struct buf text = {0};
    Err err = file_load(fs, arena_printf(arena, "%s/" STR_FMT, dir, STR_ARG(name)).ptr, PACK_NODE_BYTES_MAX, &text);
    if (err.code == ERR_NONE) *out = (struct pack_file){arena_str(arena, name), arena_str(arena, buf_view(&text))};
    *bytes += text.len;
    buf_fini(&text);
    if (err.code == ERR_NONE && *bytes > PACK_BYTES_MAX)
        return err_make(ERR_TOO_LARGE, "the pack in '%.120s' is larger than %d MiB", dir, PACK_BYTES_MAX >> 20);
    return err;
}

static int by_name(const Str *a, const Str *b) { return str_cmp(*a, *b); }

static void sort_names(Str *names, size_t n) { /* few names: by insertion */
    for (size_t i = 1; i < n; i++) {
        Str name = names[i];
        size_t k = i;
        for (; k > 0 && by_name(&names[k - 1], &name) > 0; k--) names[k] = names[k - 1];
        names[k] = name;
    }
}

static Err load_folder(struct file_system *fs, const char *dir, const char *section, struct arena *arena, size_t *bytes,
                       struct pack_file *files, size_t *n) {
    const char *path = arena_printf(arena, "%s/%s", dir, section).ptr;
    struct folder folder = {
        .arena = arena, .names = arena_zero(arena, PACK_FILES_MAX, sizeof(Str)), .cap = PACK_FILES_MAX};
    Err err = file_list(fs, path, note_name, &folder);
    if (err.code == ERR_NOT_FOUND) return err_none();
    TRY(err);
    sort_names(folder.names, folder.n);
    for (size_t i = 0; i < folder.n; i++) {
        if (*n == PACK_FILES_MAX)
            return err_make(ERR_TOO_LARGE, "the pack in '%.120s' has more than %d files", dir, PACK_FILES_MAX);
        Str name = arena_printf(arena, "%s/" STR_FMT, section, STR_ARG(folder.names[i]));
        TRY(load_file(fs, dir, name, arena, bytes, &files[(*n)++]));
    }
    return err_none();
}

Err pack_load(struct file_system *fs, const char *dir, const char *where, struct arena *arena,
              struct pack_source *out) {
    struct pack_file *files = arena_zero(arena, PACK_FILES_MAX, sizeof *files);
    size_t n = 0, bytes = 0;
    Err err = load_file(fs, dir, STR("pack.yaml"), arena, &bytes, &files[n++]);
    if (err.code == ERR_NOT_FOUND)
        return err_make(
            ERR_NOT_FOUND,
            "there is no pack.yaml in '%.150s': name a pack's folder, or make one with 'weft pack new NAME'", dir);
    TRY(err);
    err = load_file(fs, dir, STR("logic.lua"), arena, &bytes, &files[n]);
    if (err.code == ERR_NONE)
        n++;
    else if (err.code != ERR_NOT_FOUND)
        return err;
    for (const struct pack_section *s = pack_form_sections; s->name; s++)
        TRY(load_folder(fs, dir, s->name, arena, &bytes, files, &n));
    TRY(load_folder(fs, dir, "decoders", arena, &bytes, files, &n));
    *out = (struct pack_source){.where = arena_c(arena, str_c(where)), .files = files, .n = n};
    return err_none();
}

size_t pack_load_builtin(struct arena *arena, struct pack_source **out) {
    size_t total = 0, n = 0;
    while (pack_builtin_files[total].pack) total++;
    struct pack_source *sources = arena_zero(arena, total + 1, sizeof *sources);
    struct pack_file *files = arena_zero(arena, total + 1, sizeof *files);
    for (size_t i = 0; i < total; i++) {
        const struct pack_builtin_file *f = &pack_builtin_files[i];
        if (i == 0 || strcmp(f->pack, pack_builtin_files[i - 1].pack) != 0)
            sources[n++] = (struct pack_source){
                .where = arena_printf(arena, "packs/%s", f->pack).ptr, .files = &files[i], .builtin = true};
        files[i] = (struct pack_file){str_c(f->name), str_n((const char *)f->bytes, f->len)};
        sources[n - 1].n++;
    }
    *out = sources;
    return n;
}

static const struct pack_node *load_head(const struct pack_source *source, struct arena *arena) {
    struct pack_faults faults = {.arena = arena};
    for (size_t i = 0; i < source->n; i++)
        if (str_eq_c(source->files[i].name, "pack.yaml"))
            return pack_yaml_parse("pack.yaml", source->files[i].text, arena, &faults);
    return NULL;
}

Str pack_load_name(const struct pack_source *source, struct arena *arena) {
    const struct pack_node *name = pack_node_get(load_head(source, arena), "name");
    return pack_node_scalar(name) ? name->text : STR("");
}

size_t pack_load_needs(const struct pack_source *source, struct arena *arena, Str *out, size_t max) {
    const struct pack_node *needs = pack_node_get(load_head(source, arena), "needs");
    size_t n = 0;
    if (pack_node_scalar(needs) && max > 0) out[n++] = needs->text;
    for (size_t i = 0; needs && needs->kind == PACK_LIST && i < needs->n && n < max; i++)
        if (pack_node_scalar(needs->members[i].value)) out[n++] = needs->members[i].value->text;
    return n;
}
