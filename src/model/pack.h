/*
 * Packs: an industry written as data. Folders of YAML (docs/packs.md) are checked, every fault named with its place,
 * and compiled into a catalog.
 *
 *     struct pack_faults faults = {.arena = &arena};
 *     TRY(pack_load(fs, "packs/ceramics", "packs/ceramics", &arena, &source));      // or pack_load_builtin()
 *     if (pack_compile(sources, n, NULL, 0, 1, &arena, &faults, &catalog)) …
 */
#ifndef MODEL_PACK_H
#define MODEL_PACK_H

#include "model/catalog.h"
#include "model/pack_fault.h"
#include "os/file.h"

struct pack_file {
    Str name; /* "records/order.yaml" */
    Str text;
};
struct pack_source {
    const char *where; /* in front of file names when faults are told, or "" */
    const struct pack_file *files;
    size_t n;
    bool builtin;
    bool known_good; /* its own faults are not told: it is here because others need it */
};
#define PACK_FILES_MAX 400
#define PACK_BYTES_MAX (8 * 1024 * 1024) /* of a pack, without demo/ */

/* A field that a party added to a type. */
struct pack_custom {
    PartyId party;
    Str type, name; /* name with its prefix: "x_colour" */
    Str text;       /* its declaration, as in a pack: "{kind: text, title: …}" */
};
#define PACK_CUSTOM_PREFIX "x_"
#define PACK_CUSTOM_MAX 8 /* fields of one party in one type */

/* Reads a pack's folder: pack.yaml, logic.lua, and the YAML and Lua files of its sections. ERR_NOT_FOUND: no pack.yaml.
 */
Err pack_load(struct file_system *fs, const char *dir, const char *where, struct arena *arena, struct pack_source *out);
/* The packs that come with the program; ends with files NULL. */
size_t pack_load_builtin(struct arena *arena, struct pack_source **out);
/* The names of the packs it needs. */
size_t pack_load_needs(const struct pack_source *source, struct arena *arena, Str *out, size_t max);
/* The name that a pack's pack.yaml says, or empty. */
Str pack_load_name(const struct pack_source *source, struct arena *arena);

/*
 * All packs together, in any order. False when an error was found; *out is then NULL. Scripts are compiled for good
 * (they live as long as the process, like the catalog): pass check_only to free them at once; *out is then NULL always.
 */
struct pack_compile_options {
    const struct pack_custom *custom;
    size_t n_custom;
    uint64_t version;
    bool check_only;
};
bool pack_compile(const struct pack_source *sources, size_t n, const struct pack_compile_options *options,
                  struct arena *arena, struct pack_faults *faults, struct catalog **out);
void pack_compile_free(const struct catalog *catalog); /* its scripts; the rest is the arena's */

#endif
