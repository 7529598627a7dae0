#include "app/cmd_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/cmd_bench_sets.h"
#include "app/cmd_bench_xor.h"
#include "base/jw.h"
#include "base/zst.h"
#include "kernel/compress.h"
#include "os/clock.h"
#include "os/file.h"

static const char help[] =
    "usage: weft bench codec [--sets FILE] [--from FOLDER] [--json] [--threads 1]\n"
    "       weft bench codec TABLE.csv --column N [--sep comma|semicolon|space] [--mark ,] [--json]\n\n"
    "Packs columns of numbers as the series store does, in pieces of 8,192 values, hot (when they are first written) "
    "and\n"
    "cold (when a partition is over), and unpacks them; prints bits a value beside zstd -3 (the whole column at once, "
    "8\n"
    "bytes a value) and a XOR codec as Gorilla's, and how many GB of doubles a second one core unpacks.\n\n"
    "  --sets FILE      which columns (default bench/codec.sets, which says how a line is written)\n"
    "  --from FOLDER    where the paths in that file begin (default: here)\n"
    "  --json           one JSON object instead of the table\n"
    "  --threads 1      always one; said so that scripts may say it\n\n"
    "Speeds are the best of many rounds. It ends with 1 when a value did not come back bit for bit, and with 0 else,\n"
    "whether the goals hold or not; the last lines say which do.\n";

#define PIECE 8192u /* values: the rows of a full chunk of the store */
#define ROUNDS_NS (40 * 1000000LL)
#define FORMS 2 /* hot, cold */

struct options {
    const char *sets, *from, *table, *column, *sep, *mark;
    bool json;
};

struct speed {
    double gb_s[CODEC_ISAS]; /* unpacked, by instructions; 0: this machine has them not */
};

struct result {
    char name[64];
    size_t n;
    double zstd, xor_bits, bits[FORMS], write_mb_s[FORMS];
    struct speed read[FORMS];
    bool exact;
};

struct pieces {
    struct buf bytes;
    size_t *ends, n;
};

/* ---- one column */

static void pack(struct compress *c, const double *v, size_t n, bool cold, struct pieces *p) {
    buf_clear(&p->bytes);
    p->n = 0;
    for (size_t at = 0; at < n; at += PIECE) {
        compress_floats(c, v + at, n - at < PIECE ? n - at : PIECE, cold, &p->bytes);
        p->ends[p->n++] = p->bytes.len;
    }
}

static bool unpack(struct compress *c, const struct pieces *p, double *v, size_t n) {
    size_t from = 0;
    for (size_t k = 0; k < p->n; k++) {
        size_t at = k * PIECE;
        if (!compress_read_floats(c, str_slice(buf_view(&p->bytes), from, p->ends[k]), v + at,
                                  n - at < PIECE ? n - at : PIECE))
            return false;
        from = p->ends[k];
    }
    return true;
}

static double bits_a_value(size_t bytes, size_t n) { return 8.0 * (double)bytes / (double)n; }

static double read_speed(struct compress *c, const struct pieces *p, double *back, size_t n) {
    Nanos best = INT64_MAX, begun = clock_monotonic();
    for (int round = 0; round < 5 || (clock_monotonic() - begun < ROUNDS_NS && round < 10000); round++) {
        Nanos t = clock_monotonic();
        unpack(c, p, back, n);
        t = clock_monotonic() - t;
        if (t < best) best = t;
    }
    return best > 0 ? 8.0 * (double)n / (double)best : 0;
}

static void measure_form(struct compress *c, const double *v, size_t n, bool cold, struct pieces *p, double *back,
                         struct result *r) {
    Nanos best = INT64_MAX;
    for (int round = 0; round < 3; round++) {
        Nanos t = clock_monotonic();
        pack(c, v, n, cold, p);
        t = clock_monotonic() - t;
        if (t < best) best = t;
    }
    r->bits[cold] = bits_a_value(p->bytes.len, n);
    r->write_mb_s[cold] = best > 0 ? 8e3 * (double)n / (double)best : 0;
    for (int isa = 0; isa < CODEC_ISAS; isa++) {
        if (!codec_isa_has((enum codec_isa)isa)) continue;
        compress_use(c, (enum codec_isa)isa);
        memset(back, 0x55, n * 8);
        if (!unpack(c, p, back, n) || memcmp(v, back, n * 8) != 0) r->exact = false;
        r->read[cold].gb_s[isa] = read_speed(c, p, back, n);
    }
    compress_use(c, codec_isa_best());
}

static void measure_peers(const double *v, size_t n, double *back, struct result *r) {
    struct buf out = {0};
    struct zst *zstd = zst_new();
    bool shorter = zst_write(zstd, (Str){(const char *)v, n * 8}, 3, SIZE_MAX, &out);
    r->zstd = shorter ? bits_a_value(out.len, n) : 64;
    buf_clear(&out);
    cmd_bench_xor_write(v, n, &out);
    r->xor_bits = bits_a_value(out.len, n);
    if (!cmd_bench_xor_read(buf_view(&out), back, n) || memcmp(v, back, n * 8) != 0) r->exact = false;
    zst_free(zstd);
    buf_fini(&out);
}

static struct result measure(struct compress *c, Str name, const struct buf *values) {
    size_t n = values->len / 8;
    struct result r = {.n = n, .exact = true};
    struct pieces p = {.ends = malloc((n / PIECE + 1) * sizeof(size_t))};
    double *v = malloc(n * 8), *back = malloc(n * 8);
    ASSERT(p.ends && v && back);
    snprintf(r.name, sizeof r.name, "%.*s", (int)(name.len < 60 ? name.len : 60), name.ptr);
    memcpy(v, values->ptr, n * 8);
    measure_peers(v, n, back, &r);
    for (int cold = 0; cold < FORMS; cold++) measure_form(c, v, n, cold, &p, back, &r);
    buf_fini(&p.bytes);
    free(p.ends);
    free(v);
    free(back);
    return r;
}

/* ---- what is printed */

static void print_speed(const struct speed *s) {
    for (int isa = 0; isa < CODEC_ISAS; isa++)
        if (codec_isa_has((enum codec_isa)isa)) printf(" %8.2f", s->gb_s[isa]);
}

static void print_head(void) {
    printf("%-20s %9s %5s %7s %8s %7s %7s", "set", "values", "raw", "zstd -3", "XOR", "hot", "cold");
    for (int form = 0; form < FORMS; form++)
        for (int isa = 0; isa < CODEC_ISAS; isa++)
            if (codec_isa_has((enum codec_isa)isa))
                printf(" %8s", form == 0 ? codec_isa_name((enum codec_isa)isa) : isa == 0 ? "cold: C" : "cold");
    printf(" %8s %8s\n", "write", "cold");
    printf("%-20s %9s %44s  %s\n", "", "", "bits a value", "GB/s unpacked, hot then cold; MB/s packed");
}

static void print_row(const struct result *r) {
    printf("%-20s %9zu %5.0f %7.2f %8.2f %7.2f %7.2f", r->name, r->n, 64.0, r->zstd, r->xor_bits, r->bits[0],
           r->bits[1]);
    for (int form = 0; form < FORMS; form++) print_speed(&r->read[form]);
    printf(" %8.0f %8.0f%s\n", r->write_mb_s[0], r->write_mb_s[1], r->exact ? "" : "  NOT EXACT");
}

static struct result mean_of(const struct result *r, size_t n) {
    struct result m = {.name = "mean", .exact = true};
    double part = 1 / (double)n;
    for (size_t i = 0; i < n; i++) {
        m.n += r[i].n;
        m.zstd += r[i].zstd * part, m.xor_bits += r[i].xor_bits * part;
        m.exact = m.exact && r[i].exact;
        for (int form = 0; form < FORMS; form++) {
            m.bits[form] += r[i].bits[form] * part, m.write_mb_s[form] += r[i].write_mb_s[form] * part;
            for (int isa = 0; isa < CODEC_ISAS; isa++) m.read[form].gb_s[isa] += r[i].read[form].gb_s[isa] * part;
        }
    }
    return m;
}

static struct speed least_of(const struct result *r, size_t n, int form) {
    struct speed s = r[0].read[form];
    for (size_t i = 1; i < n; i++)
        for (int isa = 0; isa < CODEC_ISAS; isa++)
            if (r[i].read[form].gb_s[isa] < s.gb_s[isa]) s.gb_s[isa] = r[i].read[form].gb_s[isa];
    return s;
}

struct goal {
    const char *name;
    double value, limit;
    bool at_least;
};

static size_t goals_of(const struct result *m, struct goal out[8]) {
    enum codec_isa best = codec_isa_best();
    size_t n = 0;
    out[n++] = (struct goal){"hot bits / zstd -3", m->bits[0] / m->zstd, 0.95, false};
    out[n++] = (struct goal){"hot bits / XOR", m->bits[0] / m->xor_bits, 0.6, false};
    out[n++] = (struct goal){"cold bits / zstd -3", m->bits[1] / m->zstd, 0.95, false};
    out[n++] = (struct goal){"cold bits / XOR", m->bits[1] / m->xor_bits, 0.6, false};
    out[n++] = (struct goal){"hot, plain C, GB/s", m->read[0].gb_s[CODEC_PLAIN], 2, true};
    if (best != CODEC_PLAIN) out[n++] = (struct goal){"hot, AVX, GB/s", m->read[0].gb_s[best], 6, true};
    out[n++] = (struct goal){"cold, best, GB/s", m->read[1].gb_s[best], 2, true};
    out[n++] = (struct goal){"bit for bit", m->exact, 1, true};
    return n;
}

static bool holds(const struct goal *g) { return g->at_least ? g->value >= g->limit : g->value <= g->limit; }

static void print_end(const struct result *r, size_t n) {
    struct result m = mean_of(r, n);
    struct goal goals[8];
    print_row(&m);
    printf("least%70s", "");
    for (int form = 0; form < FORMS; form++) {
        struct speed least = least_of(r, n, form);
        print_speed(&least);
    }
    printf("\n\n");
    size_t count = goals_of(&m, goals);
    for (size_t i = 0; i < count; i++)
        printf("%-22s %6.3f  goal %s %.2f: %s\n", goals[i].name, goals[i].value,
               goals[i].at_least ? "at least" : "at most", goals[i].limit, holds(&goals[i]) ? "met" : "NOT met");
}

static void json_row(struct jw *w, const struct result *r) {
    static const char *const read_keys[FORMS][CODEC_ISAS] = {{"hot_plain_gb_s", "hot_avx2_gb_s", "hot_avx512_gb_s"},
                                                             {"cold_plain_gb_s", "cold_avx2_gb_s", "cold_avx512_gb_s"}};
    jw_object(w);
    jw_kc(w, "set", r->name);
    jw_kint(w, "values", (int64_t)r->n);
    jw_knum(w, "zstd_bits", r->zstd), jw_knum(w, "xor_bits", r->xor_bits);
    jw_knum(w, "hot_bits", r->bits[0]), jw_knum(w, "cold_bits", r->bits[1]);
    jw_knum(w, "hot_write_mb_s", r->write_mb_s[0]), jw_knum(w, "cold_write_mb_s", r->write_mb_s[1]);
    for (int form = 0; form < FORMS; form++)
        for (int isa = 0; isa < CODEC_ISAS; isa++)
            if (codec_isa_has((enum codec_isa)isa)) jw_knum(w, read_keys[form][isa], r->read[form].gb_s[isa]);
    jw_kbool(w, "exact", r->exact);
    jw_object_end(w);
}

static void print_json(const struct result *r, size_t n) {
    struct buf out = {0};
    struct jw w;
    struct goal goals[8];
    struct result m = mean_of(r, n);
    jw_init(&w, &out);
    jw_object(&w);
    jw_key(&w, "sets");
    jw_array(&w);
    for (size_t i = 0; i < n; i++) json_row(&w, &r[i]);
    jw_array_end(&w);
    jw_key(&w, "mean");
    json_row(&w, &m);
    jw_key(&w, "goals");
    jw_array(&w);
    size_t count = goals_of(&m, goals);
    for (size_t i = 0; i < count; i++) {
        jw_object(&w);
        jw_kc(&w, "goal", goals[i].name);
        jw_knum(&w, "value", goals[i].value), jw_knum(&w, goals[i].at_least ? "at_least" : "at_most", goals[i].limit);
        jw_kbool(&w, "met", holds(&goals[i]));
        jw_object_end(&w);
    }
    jw_array_end(&w);
    jw_object_end(&w);
    printf("%.*s\n", (int)out.len, out.ptr);
    buf_fini(&out);
}

/* ---- many columns */

static Err measure_sets(const struct options *o, Str text, struct buf *results) {
    struct compress *c = compress_new();
    struct cmd_bench_set set;
    struct buf values = {0};
    while (cmd_bench_sets_next(&text, &set)) {
        buf_clear(&values);
        Err err = cmd_bench_sets_load(&set, o->from, &values);
        if (err.code != ERR_NONE) {
            fprintf(stderr, "weft bench: %.*s is left out: %s\n", (int)set.name.len, set.name.ptr, err.text);
            continue;
        }
        struct result r = measure(c, set.name, &values);
        if (!o->json) print_row(&r), fflush(stdout);
        buf_add(results, &r, sizeof r);
    }
    buf_fini(&values);
    compress_free(c);
    return results->len ? err_none() : err_make(ERR_INVALID, "no set could be read; --from says where the paths begin");
}

static Err sets_text(const struct options *o, struct buf *text) {
    if (!o->table) return file_load(file_disk, o->sets, 1 << 20, text);
    buf_printf(text, "%s file=%s column=%s sep=%s mark=%s\n", o->column, o->table, o->column, o->sep, o->mark);
    return err_none();
}

static Err codec(const struct options *o, bool *exact) {
    struct buf text = {0}, results = {0};
    Err err = sets_text(o, &text);
    if (!o->json && err.code == ERR_NONE) print_head();
    if (err.code == ERR_NONE) err = measure_sets(o, buf_view(&text), &results);
    if (err.code == ERR_NONE) {
        const struct result *r = (const struct result *)(const void *)results.ptr;
        size_t n = results.len / sizeof *r;
        *exact = mean_of(r, n).exact;
        if (o->json)
            print_json(r, n);
        else
            print_end(r, n);
    }
    buf_fini(&text);
    buf_fini(&results);
    return err;
}

/* ---- the command line */

static Err take_flags(int argc, char **argv, struct options *o) {
    const struct {
        const char *name, **at;
    } flags[] = {{"--sets", &o->sets}, {"--from", &o->from}, {"--column", &o->column},
                 {"--sep", &o->sep},   {"--mark", &o->mark}, {"--threads", NULL}};
    for (int i = 2; i < argc; i++) {
        size_t k = 0;
        if (strcmp(argv[i], "--json") == 0) {
            o->json = true;
            continue;
        }
        if (argv[i][0] != '-' && !o->table) {
            o->table = argv[i];
            continue;
        }
        while (k < sizeof flags / sizeof *flags && strcmp(argv[i], flags[k].name) != 0) k++;
        if (k == sizeof flags / sizeof *flags || i + 1 >= argc)
            return err_make(ERR_INVALID, "'%s' is no flag or lacks its value; weft bench --help", argv[i]);
        const char *value = argv[++i];
        if (flags[k].at)
            *flags[k].at = value;
        else if (strcmp(value, "1") != 0)
            return err_make(ERR_INVALID, "--threads %s: a codec is measured on one core", value);
    }
    return err_none();
}

int cmd_bench(int argc, char **argv) {
    struct options o = {.sets = "bench/codec.sets", .from = "", .column = "1", .sep = "comma", .mark = "."};
    bool exact = false;
    if (argc < 3 && (argc < 2 || strcmp(argv[1], "codec") != 0)) return fputs(help, stdout), argc < 2 ? 2 : 0;
    if (strcmp(argv[1], "codec") != 0 || (argc > 2 && strcmp(argv[2], "--help") == 0))
        return fputs(help, stdout), strcmp(argv[1], "codec") != 0 && strcmp(argv[1], "--help") != 0 ? 2 : 0;
    Err err = take_flags(argc, argv, &o);
    if (err.code == ERR_NONE) err = codec(&o, &exact);
    if (err.code != ERR_NONE) return fprintf(stderr, "weft bench: %s\n", err.text), err.code == ERR_INVALID ? 2 : 1;
    return exact ? 0 : 1;
}
