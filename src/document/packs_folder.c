#include "document/packs_folder.h"

#include <string.h>

#define ENTRIES_MAX 1000

struct entries {
    struct arena *arena;
    Str names[ENTRIES_MAX];
    size_t n;
};

static bool note(void *ctx, Str name) {
    struct entries *e = ctx;
    if (e->n == ENTRIES_MAX) return false;
    if (!str_eq_c(name, ".") && !str_eq_c(name, "..")) e->names[e->n++] = arena_str(e->arena, name);
    return true;
}

static Err list(struct file_system *fs, const char *dir, struct arena *arena, struct entries **out) {
    *out = arena_zero(arena, 1, sizeof **out);
    (*out)->arena = arena;
    Err err = file_list(fs, dir, note, *out);
    return err.code == ERR_NOT_FOUND ? err_none() : err;
}

Err packs_folder_list(struct file_system *fs, const char *dir, struct arena *arena, Str *names, size_t max, size_t *n) {
    struct entries *e;
    *n = 0;
    TRY(list(fs, dir, arena, &e));
    for (size_t i = 0; i < e->n; i++) {
        if (e->names[i].ptr[0] == '.' ||
            !file_exists(fs, arena_printf(arena, "%s/" STR_FMT "/pack.yaml", dir, STR_ARG(e->names[i])).ptr))
            continue;
        if (*n == max) return err_make(ERR_LIMIT, "more than %zu packs are installed: remove some", max);
        size_t k = (*n)++;
        for (; k > 0 && str_cmp(names[k - 1], e->names[i]) > 0; k--) names[k] = names[k - 1];
        names[k] = e->names[i];
    }
    return err_none();
}

/* A pack's folder has one level of folders in it. */
static Err remove_tree(struct file_system *fs, const char *dir, unsigned depth, struct arena *arena) {
    struct entries *e;
    if (!file_exists(fs, dir)) return err_none();
    TRY(list(fs, dir, arena, &e));
    for (size_t i = 0; i < e->n; i++) {
        const char *path = arena_printf(arena, "%s/" STR_FMT, dir, STR_ARG(e->names[i])).ptr;
        Err err = file_remove(fs, path);
        if (err.code != ERR_NONE && depth > 0) err = remove_tree(fs, path, depth - 1, arena);
        TRY(err);
    }
    return file_remove(fs, dir);
}

static Err write_file(struct file_system *fs, const char *dir, const struct pack_file *f, struct arena *arena) {
    Str folder, rest;
    if (str_find(f->name, STR("..")) >= 0 || f->name.ptr[0] == '/')
        return err_make(ERR_INVALID, "'%.80s' cannot be a file of a pack", arena_c(arena, f->name));
    if (str_cut(f->name, '/', &folder, &rest))
        TRY(file_make_dirs(fs, arena_printf(arena, "%s/" STR_FMT, dir, STR_ARG(folder)).ptr, "packs.dir"));
    return file_replace(fs, arena_printf(arena, "%s/" STR_FMT, dir, STR_ARG(f->name)).ptr, f->text, "packs.file");
}

static Err put(struct file_system *fs, const char *dir, Str name, const struct pack_source *source,
               struct arena *arena) {
    const char *path = arena_printf(arena, "%s/" STR_FMT, dir, STR_ARG(name)).ptr;
    const char *new = arena_printf(arena, "%s/.new-" STR_FMT, dir, STR_ARG(name)).ptr;
    const char *old = arena_printf(arena, "%s/.old-" STR_FMT, dir, STR_ARG(name)).ptr;
    TRY(file_make_dirs(fs, dir, "packs.dir"));
    TRY(remove_tree(fs, new, 1, arena));
    TRY(remove_tree(fs, old, 1, arena));
    TRY(file_make_dirs(fs, new, "packs.dir"));
    for (size_t i = 0; i < source->n; i++) TRY(write_file(fs, new, &source->files[i], arena));
    if (file_exists(fs, path)) {
        TRY(file_rename(fs, path, old));
        TRY(file_sync_dir(fs, dir, "packs.dir"));
    }
    TRY(file_rename(fs, new, path));
    TRY(file_sync_dir(fs, dir, "packs.dir"));
    return remove_tree(fs, old, 1, arena);
}

Err packs_folder_put(struct file_system *fs, const char *dir, Str name, const struct pack_source *source) {
    struct arena arena;
    arena_init(&arena, 0);
    Err err = put(fs, dir, name, source, &arena);
    arena_fini(&arena);
    return err;
}

static Err discard(struct file_system *fs, const char *dir, Str name, struct arena *arena) {
    const char *path = arena_printf(arena, "%s/" STR_FMT, dir, STR_ARG(name)).ptr;
    const char *gone =
        arena_printf(arena, "%s/.new-" STR_FMT, dir, STR_ARG(name)).ptr; /* the next start removes those */
    TRY(remove_tree(fs, gone, 1, arena));
    TRY(file_rename(fs, path, gone));
    TRY(file_sync_dir(fs, dir, "packs.dir"));
    return remove_tree(fs, gone, 1, arena);
}

Err packs_folder_remove(struct file_system *fs, const char *dir, Str name) {
    struct arena arena;
    arena_init(&arena, 0);
    Err err = discard(fs, dir, name, &arena);
    arena_fini(&arena);
    return err;
}

static Err settle(struct file_system *fs, const char *dir, struct arena *arena) {
    struct entries *e;
    TRY(list(fs, dir, arena, &e));
    for (size_t i = 0; i < e->n; i++) {
        const char *path = arena_printf(arena, "%s/" STR_FMT, dir, STR_ARG(e->names[i])).ptr;
        bool new = str_starts(e->names[i], STR(".new-")), old = str_starts(e->names[i], STR(".old-"));
        const char *final =
            arena_printf(arena, "%s/" STR_FMT, dir, STR_ARG(str_slice(e->names[i], 5, e->names[i].len))).ptr;
        if (old && !file_exists(fs, final))
            TRY(file_rename(fs, path, final));
        else if (new || old)
            TRY(remove_tree(fs, path, 1, arena));
    }
    return err_none();
}

Err packs_folder_settle(struct file_system *fs, const char *dir) {
    struct arena arena;
    arena_init(&arena, 0);
    Err err = settle(fs, dir, &arena);
    arena_fini(&arena);
    return err;
}
