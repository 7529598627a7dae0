#include "trust/seal_master.h"

#include <stdio.h>
#include <stdlib.h>

#include "os/process.h"
#include "trust/seal_ring.h"

#define PATH_BYTES 4096
#define TEXT_MAX 4096
#define COMMAND_TIME (30 * NANOS_PER_S)
#define SHAPE "32 bytes, or 64 hex digits"

static bool given(const char *text) { return text && text[0] != '\0'; }

const char *seal_master_own(const struct seal_options *o, char *into) {
    if (given(o->master_file) || given(o->master_env) || given(o->master_command)) return NULL;
    snprintf(into, PATH_BYTES, "%s/master.key", o->dir);
    return into;
}

static Err parse(Str text, const char *where, const char *name, struct secret_key *out) {
    static const struct secret_key zero;
    if (secret_key_parse(text, out) && !secret_same(out->bytes, zero.bytes)) return err_none();
    return err_make(ERR_INVALID, "the master key in %s '%.120s' is not a key: it must be " SHAPE, where, name);
}

static Err from_file(struct file_system *fs, const char *path, struct secret_key *out) {
    struct buf bytes = {0};
    Err err = file_load(fs, path, TEXT_MAX, &bytes);
    if (err.code == ERR_NONE) err = parse(buf_view(&bytes), "file", path, out);
    if (bytes.ptr) secret_wipe(bytes.ptr, bytes.len);
    buf_fini(&bytes);
    return err;
}

static Err from_env(const char *name, struct secret_key *out) {
    const char *text = getenv(name);
    if (!text)
        return err_make(ERR_NOT_FOUND, "the environment has no '%.100s': set it to the master key, " SHAPE, name);
    return parse(str_c(text), "environment variable", name, out);
}

static Err from_command(const char *command, struct secret_key *out) {
    struct buf bytes = {0};
    Err err = process_output(command, TEXT_MAX, COMMAND_TIME, &bytes);
    if (err.code == ERR_NONE) err = parse(buf_view(&bytes), "the output of", command, out);
    if (bytes.ptr) secret_wipe(bytes.ptr, bytes.len);
    buf_fini(&bytes);
    return err;
}

static Err make_own(struct file_system *fs, const char *path, struct secret_key *out) {
    bool unsure;
    secret_random(out->bytes, sizeof out->bytes);
    return seal_ring_replace(fs, path, str_n((const char *)out->bytes, sizeof out->bytes), &unsure);
}

Err seal_master_load(const struct seal_options *o, enum seal_master_absent absent, struct secret_key *out) {
    struct file_system *fs = o->fs ? o->fs : file_disk;
    char own[PATH_BYTES];
    if (given(o->master_file) + given(o->master_env) + given(o->master_command) > 1)
        return err_make(ERR_INVALID, "the master key is named more than once: give a file, a variable or a command");
    if (given(o->master_file)) return from_file(file_disk, o->master_file, out);
    if (given(o->master_env)) return from_env(o->master_env, out);
    if (given(o->master_command)) return from_command(o->master_command, out);
    seal_master_own(o, own);
    if (absent == SEAL_MASTER_RENEW) return make_own(fs, own, out);
    Err err = from_file(fs, own, out);
    if (err.code == ERR_NONE) return file_sync_dir(fs, o->dir, "seal.open"); /* a killed process may have made it */
    if (err.code != ERR_NOT_FOUND) return err;
    if (absent == SEAL_MASTER_MAKE) return make_own(fs, own, out);
    return err_make(ERR_NOT_FOUND,
                    "'%.120s' is gone, and the keys in the folder need it: put it back, or name the master key by "
                    "[seal] master_file, master_env or master_command",
                    own);
}
