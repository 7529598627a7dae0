/*
 * A kernel described once: that row is the command `weft run NAME`, the endpoint POST /api/v1/kernels/NAME and a step
 * packs can call. The files of this room hold pure numerics; the rows that join them to files stand in kernel_table.
 */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct kernel_file {
    Str name; /* as the user gave it; for errors */
    Str bytes;
};

struct kernel_call {
    const struct kernel_file *files; /* [n_files] */
    size_t n_files;
    unsigned threads; /* 0 = 1; results do not depend on it */
    uint64_t seed;
    bool json;          /* JSON in place of the text form */
    const char *option; /* of the kernel's own `options`, or NULL: "back-test" */
    void (*progress)(void *ctx, double done, const char *what); /* 0…1, any thread; NULL: nobody looks */
    void *progress_ctx;
    struct arena *arena; /* scratch */
    struct buf *out;     /* the answer */
};

struct kernel {
    const char *name, *summary;
    const char *usage;          /* "weft run anomaly FILE.csv" */
    const char *input, *output; /* what it reads and writes, in words with column names */
    const char *options;        /* its own flags joined by '|', or NULL */
    size_t min_files, max_files;
    /* ERR_INVALID: file:line:column and what was expected */
    Err (*run)(const struct kernel_call *call);
};

extern const struct kernel *const kernel_table[]; /* ends with NULL */
const struct kernel *kernel_find(Str name);       /* NULL: unknown */

#endif
