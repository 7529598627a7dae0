#include "app/cmd_run.h"

#include <stdio.h>
#include <string.h>

#include "kernel/kernel.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

#define FILE_BYTES_MAX ((size_t)1 << 30)
#define FILES_MAX 16
#define DEMO "packs/machinery/demo"

struct request {
    const struct kernel *kernel;
    const char *paths[FILES_MAX];
    size_t n_paths;
    int64_t threads, seed;
    const char *option;
    bool json, help;
};

/* ---- help */
static void print_kernels(FILE *to) {
    fprintf(to, "usage: weft run KERNEL [--help] [--json] [--threads N] [--seed N] FILE…\n\n");
    for (size_t i = 0; kernel_table[i]; i++)
        fprintf(to, "  %-10s %s\n", kernel_table[i]->name, kernel_table[i]->summary);
}

static void print_help(const struct kernel *k) {
    printf("%s: %s\n\nusage: %s\n\nreads:  %s\nwrites: %s\n\n"
           "  --json        JSON in place of text\n  --threads N   at most N at once; the outcome is the same\n"
           "  --seed N      for kernels that draw numbers\n",
           k->name, k->summary, k->usage, k->input, k->output);
    if (k->options) printf("  --%s\n", k->options);
}

/* ---- arguments */
static Err take_number(const char *flag, const char *text, int64_t least, int64_t most, int64_t *out) {
    if (text && str_to_i64(str_c(text), out) && *out >= least && *out <= most) return err_none();
    return err_make(ERR_INVALID, "%s takes a whole number from %lld to %lld, not '%.40s'", flag, (long long)least,
                    (long long)most, text ? text : "");
}

/* *i is left on the last argument taken. */
static Err take_argument(int argc, char **argv, int *i, struct request *r) {
    const char *arg = argv[*i], *next = *i + 1 < argc ? argv[*i + 1] : NULL;
    if (strncmp(arg, "--", 2) != 0) {
        if (r->n_paths == FILES_MAX) return err_make(ERR_INVALID, "more than %d files", FILES_MAX);
        r->paths[r->n_paths++] = arg;
        return err_none();
    }
    if (strcmp(arg, "--help") == 0) return r->help = true, err_none();
    if (strcmp(arg, "--json") == 0) return r->json = true, err_none();
    if (strcmp(arg, "--threads") == 0) return ++*i, take_number(arg, next, 1, 1024, &r->threads);
    if (strcmp(arg, "--seed") == 0) return ++*i, take_number(arg, next, 0, INT64_MAX, &r->seed);
    if (r->kernel->options && strstr(r->kernel->options, arg + 2) && arg[2]) return r->option = arg + 2, err_none();
    return err_make(ERR_INVALID, "unknown flag '%.60s': see weft run %s --help", arg, r->kernel->name);
}

/* ---- files: a folder stands for the files in it */
struct loaded {
    struct kernel_file files[FILES_MAX];
    struct buf bytes[FILES_MAX];
    size_t n;
};

static Err load_one(struct loaded *l, const char *path, struct arena *arena) {
    if (l->n == FILES_MAX) return err_make(ERR_INVALID, "more than %d files", FILES_MAX);
    TRY(file_load(file_disk, path, FILE_BYTES_MAX, &l->bytes[l->n]));
    l->files[l->n] = (struct kernel_file){arena_str(arena, str_c(path)), buf_view(&l->bytes[l->n])};
    l->n++;
    return err_none();
}

static Err load(struct loaded *l, const char *path, struct arena *arena) {
    static const char *const parts[] = {"machines.csv", "telemetry.csv.zst", "telemetry.csv",
                                        "errors.csv",   "failures.csv",      "maintenance.csv"};
    Str first = arena_printf(arena, "%s/%s", path, parts[0]);
    if (!file_exists(file_disk, first.ptr)) return load_one(l, path, arena);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        Str part = arena_printf(arena, "%s/%s", path, parts[i]);
        if (file_exists(file_disk, part.ptr)) TRY(load_one(l, part.ptr, arena));
    }
    return err_none();
}

/* ---- running */
static void show_progress(void *ctx, double done, const char *what) {
    (void)ctx;
    fprintf(stderr, "\r%3.0f %% %-40s", 100 * done, what);
    if (done >= 1) fputc('\n', stderr);
}

static Err run(const struct request *r, struct loaded *l, struct arena *arena, struct buf *out) {
    for (size_t i = 0; i < r->n_paths; i++) TRY(load(l, r->paths[i], arena));
    bool demo = !r->n_paths && strcmp(r->kernel->name, "failure") == 0;
    if (demo) TRY(load(l, DEMO, arena));
    if (l->n < r->kernel->min_files || l->n > r->kernel->max_files)
        return err_make(ERR_INVALID, "%s reads %zu to %zu files, not %zu: see weft run %s --help", r->kernel->name,
                        r->kernel->min_files, r->kernel->max_files, l->n, r->kernel->name);
    struct kernel_call call = {.files = l->files,
                               .n_files = l->n,
                               .threads = (unsigned)r->threads,
                               .seed = (uint64_t)r->seed,
                               .json = r->json,
                               .option = r->option,
                               .progress = process_is_terminal(2) ? show_progress : NULL,
                               .arena = arena,
                               .out = out};
    return r->kernel->run(&call);
}

int cmd_run(int argc, char **argv) {
    bool help = argc > 1 && strcmp(argv[1], "--help") == 0;
    struct request r = {.kernel = argc > 1 ? kernel_find(str_c(argv[1])) : NULL, .threads = process_cores()};
    if (!r.kernel) {
        if (argc > 1 && !help) fprintf(stderr, "weft: no kernel '%.60s'\n", argv[1]);
        print_kernels(help ? stdout : stderr);
        return help ? 0 : 2;
    }
    Err err = err_none();
    for (int i = 2; i < argc && err.code == ERR_NONE; i++) err = take_argument(argc, argv, &i, &r);
    if (err.code != ERR_NONE) return fprintf(stderr, "weft: %s\n", err.text), 2;
    if (r.help) return print_help(r.kernel), 0;
    struct loaded loaded = {.n = 0};
    struct arena arena;
    struct buf out = {0};
    arena_init(&arena, 0);
    err = run(&r, &loaded, &arena, &out);
    if (err.code == ERR_NONE && fwrite(out.ptr, 1, out.len, stdout) != out.len)
        err = err_make(ERR_IO, "cannot write the answer");
    if (err.code != ERR_NONE) fprintf(stderr, "weft: %s\n", err.text);
    buf_fini(&out);
    arena_fini(&arena);
    for (size_t i = 0; i < FILES_MAX; i++) buf_fini(&loaded.bytes[i]);
    return err.code == ERR_NONE ? 0 : 1;
}
