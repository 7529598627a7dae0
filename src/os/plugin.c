#include "os/plugin.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 4096

/* The program may be build/release/weft and a test build/release/test/ROOM: lib/ is beside it or one folder up. */
static const char *const places[] = {"/lib", "/../lib", "/../lib/weft"};

static Err folder_of_program(char out[PATH_BYTES]) {
    ssize_t n = readlink("/proc/self/exe", out, PATH_BYTES - 1);
    if (n <= 0) return err_make(ERR_IO, "the program cannot find its own folder: is /proc mounted?");
    out[n] = '\0';
    *strrchr(out, '/') = '\0';
    return err_none();
}

static Err load(const char *name, const char *path, const void **table) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!library) return err_make(ERR_IO, "'weft-%s.so' does not open: %.300s", name, dlerror());
    *table = dlsym(library, "weft_plugin");
    if (*table) return err_none();
    return err_make(ERR_CORRUPT, "'weft-%s.so' has no table 'weft_plugin': build it anew with make", name);
}

Err plugin_open(const char *name, const void **table) {
    char folder[PATH_BYTES], path[PATH_BYTES + 128];
    ASSERT(strlen(name) < 32);
    TRY(folder_of_program(folder));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s%s/weft-%s.so", folder, places[i], name);
        if (access(path, R_OK) == 0) return load(name, path, table);
    }
    return err_make(ERR_NOT_FOUND, "'lib/weft-%s.so' is not beside the program: run make, or install it there", name);
}
