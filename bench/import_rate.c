/*
 * Two tables become documents: firms, and their employees, who refer to them. Every 997th row is bad and must be named.
 * Meanwhile another thread makes single documents, one every 4 ms, as people at work would.
 *
 *     import_rate FOLDER FIRMS EMPLOYEES
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "document/imports.h"
#include "os/file.h"
#include "os/process.h"
#include "os/thread.h"
#include "store/records.h"
#include "trust/gate.h"
#include "trust/people.h"

#define BAD_EVERY 997
#define SINGLES_MAX 100000
#define SINGLE_EVERY (4 * NANOS_PER_MS)

static const struct doc_state states[] = {{.name = "active"}};
#define TYPE(id, letters, title_zh_)                                                                                   \
    {                                                                                                                  \
        .name = #id, .title_en = #id, .title_zh = title_zh_, .prefix = letters, .fields = id##_fields,                 \
        .n_fields = sizeof id##_fields / sizeof *id##_fields, .states = states, .n_states = 1,                         \
        .read_roles = ROLE_PEOPLE, .create_roles = ROLE_STAFF, .change_roles = ROLE_STAFF                              \
    }
static const struct field firm_fields[] = {
    {.name = "name", .title_zh = "名称", .kind = FIELD_TEXT, .required = true},
    {.name = "code", .title_zh = "代码", .kind = FIELD_TEXT, .required = true, .unique = true},
    {.name = "city", .title_zh = "城市", .kind = FIELD_TEXT, .indexed = true},
    {.name = "founded", .title_zh = "成立日期", .kind = FIELD_DATE},
    {.name = "capital", .title_zh = "注册资本", .kind = FIELD_DECIMAL, .scale = 2},
};
static const struct choice ranks[] = {{"worker", "Worker", "工人"}, {"clerk", "Clerk", "文员"}, {.name = NULL}};
static const struct field employee_fields[] = {
    {.name = "name", .title_zh = "姓名", .kind = FIELD_TEXT, .required = true},
    {.name = "staff_no", .title_zh = "工号", .kind = FIELD_TEXT, .required = true, .unique = true},
    {.name = "firm", .title_zh = "企业", .kind = FIELD_REF, .ref = "firm", .required = true, .indexed = true},
    {.name = "rank", .title_zh = "岗位", .kind = FIELD_CHOICE, .choices = ranks},
    {.name = "born", .title_zh = "出生日期", .kind = FIELD_DATE},
    {.name = "pay", .title_zh = "工资", .kind = FIELD_DECIMAL, .scale = 2},
};
static const struct field note_fields[] = {{.name = "text", .kind = FIELD_TEXT, .required = true}};
static const struct doctype firm = TYPE(firm, "FI", "企业"), employee = TYPE(employee, "EM", "员工"),
                            note = TYPE(note, "NO", "便条");
static const struct doctype *const types[] = {&firm, &employee, &note, NULL};

struct bench {
    struct records *records;
    struct people *people;
    struct documents *documents;
    struct imports *imports;
    struct principal who;
    atomic_bool stop;
    double *took; /* ms of each single document */
    size_t n;
};

static void must(Err err) {
    if (err.code == ERR_NONE) return;
    fprintf(stderr, "import_rate: %s\n", err.text);
    exit(1);
}

static double seconds(Nanos from) { return (double)(clock_monotonic() - from) / (double)NANOS_PER_S; }

/* ---- the tables; a fixed sequence, so that every run has the same */

static uint64_t mixed(uint64_t n) {
    n = (n + 1) * 0x9E3779B97F4A7C15u;
    return n ^ n >> 29;
}

static void firm_row(FILE *out, uint64_t i) {
    static const char *const cities[] = {"景德镇", "佛山", "温州", "苏州", "泉州", "宁波"};
    uint64_t r = mixed(i);
    bool bad = i % BAD_EVERY == BAD_EVERY - 1;
    fprintf(out, "第%llu陶瓷厂,F-%06llu,%s,%d-%02d-%02d,%llu.%02d\n", (unsigned long long)i, (unsigned long long)i,
            cities[r % 6], 1980 + (int)(r >> 8 & 31), bad ? 13 : 1 + (int)(r >> 16 & 7), 1 + (int)(r >> 24 & 15),
            (unsigned long long)(r >> 40 & 0xFFFFF), (int)(r >> 32 & 63));
}

static void employee_row(FILE *out, uint64_t i, uint64_t firms) {
    uint64_t r = mixed(i), of = r % firms;
    bool bad = i % BAD_EVERY == BAD_EVERY - 1;
    if (of % BAD_EVERY == BAD_EVERY - 1) of--; /* that firm's row is bad */
    if (bad) of = firms + i;
    fprintf(out, "员工%llu,E-%07llu,F-%06llu,%s,%d/%d/%d,%d.%02d\n", (unsigned long long)i, (unsigned long long)i,
            (unsigned long long)of, r & 64 ? "工人" : "clerk", 1960 + (int)(r >> 8 & 31), 1 + (int)(r >> 16 & 7),
            1 + (int)(r >> 24 & 15), 3000 + (int)(r >> 32 & 4095), (int)(r >> 44 & 63));
}

static void write_table(const char *path, bool of_firms, uint64_t n, uint64_t firms) {
    FILE *out = fopen(path, "w");
    if (!out) must(err_make(ERR_IO, "cannot write '%s'", path));
    fputs(of_firms ? "名称,代码,城市,成立日期,注册资本\n" : "姓名,工号,企业,岗位,出生日期,工资\n", out);
    for (uint64_t i = 0; i < n; i++) of_firms ? firm_row(out, i) : employee_row(out, i, firms);
    fclose(out);
}

/* ---- people at work */

static void make_singles(void *ctx) {
    struct bench *b = ctx;
    struct arena arena;
    arena_init(&arena, 0);
    while (!atomic_load(&b->stop) && b->n < SINGLES_MAX) {
        const struct doc_set set = {"text", VALUE_S(STR("called the supplier about the glaze"))};
        struct doc_change change = {.set = &set, .n = 1};
        struct doc *doc;
        Nanos began = clock_monotonic();
        must(documents_create(b->documents, &b->who, &note, &change, &arena, &doc));
        b->took[b->n++] = (double)(clock_monotonic() - began) / (double)NANOS_PER_MS;
        arena_reset(&arena);
        clock_sleep(SINGLE_EVERY);
    }
    arena_fini(&arena);
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- one import */

static struct json *state(struct bench *b, Str id) {
    struct buf text = {0};
    struct json *json;
    struct jw w;
    jw_init(&w, &text);
    must(imports_json(b->imports, &b->who, id, &w));
    must(json_parse(buf_view(&text), &json));
    buf_fini(&text);
    return json;
}

static uint64_t named_rows(struct bench *b, Str id) {
    uint64_t n = 0, at = 0;
    struct buf lines = {0};
    do {
        buf_clear(&lines);
        must(imports_faults(b->imports, &b->who, id, at, 1000, &lines, &at));
        for (size_t i = 0; i < lines.len; i++) n += lines.ptr[i] == '\n';
    } while (at);
    buf_fini(&lines);
    return n;
}

static double import(struct bench *b, const char *type, const char *path, uint64_t rows) {
    struct arena arena;
    struct json *order, *now;
    Str id;
    arena_init(&arena, 0);
    Nanos began = clock_monotonic();
    must(imports_add(b->imports, &b->who, str_c(type), str_c(path), path, &arena, &id));
    must(json_parse(STR("{\"mode\":\"skip\",\"start\":true}"), &order));
    must(imports_set(b->imports, &b->who, id, order));
    imports_drain(b->imports);
    double checked = seconds(began);
    Nanos then = clock_monotonic();
    must(imports_apply(b->imports, &b->who, id));
    imports_drain(b->imports);
    double applied = seconds(then);
    now = state(b, id);
    uint64_t bad = rows / BAD_EVERY, got = (uint64_t)json_get_int(now, "applied", -1);
    printf("  %-8s %7llu rows  checked %6.2f s  applied %6.2f s  bad %llu, named %llu\n", type,
           (unsigned long long)rows, checked, applied, (unsigned long long)json_get_int(now, "bad", -1),
           (unsigned long long)named_rows(b, id));
    if (got != rows - bad || named_rows(b, id) != bad || !str_eq_c(json_get_str(now, "state", STR("")), "done"))
        must(err_make(ERR_CORRUPT, "%s: state " STR_FMT ", %llu applied, %llu expected; %s", type,
                      STR_ARG(json_get_str(now, "state", STR(""))), (unsigned long long)got,
                      (unsigned long long)(rows - bad), arena_c(&arena, json_get_str(now, "failure", STR("")))));
    json_free(now);
    json_free(order);
    arena_fini(&arena);
    return checked + applied;
}

static void open_bench(struct bench *b, const char *dir) {
    char imports[400];
    snprintf(imports, sizeof imports, "%s/imports", dir);
    must(records_open(&(struct records_options){.dir = dir}, &b->records));
    must(people_open(b->records, &clock_system, &b->people));
    must(people_party(b->people, STR("bench"), &b->who.party));
    b->who.roles = ROLE_BIT(ROLE_MANAGER);
    snprintf(b->who.name, sizeof b->who.name, "bench");
    must(documents_open(&(struct documents_options){.records = b->records, .types = types}, &b->documents));
    must(imports_open(&(struct imports_options){.dir = imports, .documents = b->documents}, &b->imports));
    b->took = calloc(SINGLES_MAX, sizeof *b->took);
    ASSERT(b->took);
}

int main(int argc, char **argv) {
    static struct bench b;
    int64_t firms, employees;
    struct thread *singles;
    char paths[2][400];
    if (argc != 4 || !str_to_i64(str_c(argv[2]), &firms) || !str_to_i64(str_c(argv[3]), &employees)) {
        fprintf(stderr, "usage: import_rate FOLDER FIRMS EMPLOYEES\n");
        return 2;
    }
    log_set_level(LOG_LEVEL_WARN);
    open_bench(&b, argv[1]);
    for (int i = 0; i < 2; i++) {
        snprintf(paths[i], sizeof paths[i], "%s/upload-%d", imports_dir(b.imports), i);
        write_table(paths[i], i == 0, (uint64_t)(i == 0 ? firms : employees), (uint64_t)firms);
    }
    must(thread_start(&singles, "singles", make_singles, &b));
    double took = import(&b, "firm", paths[0], (uint64_t)firms) + import(&b, "employee", paths[1], (uint64_t)employees);
    atomic_store(&b.stop, true);
    thread_join(singles);
    qsort(b.took, b.n, sizeof *b.took, by_size);
    printf("  both     %.2f s, %.0f rows/s; meanwhile %zu single creates: p50 %.1f ms, p99 %.1f ms, longest %.1f ms; "
           "resident %.0f MB\n",
           took, (double)(firms + employees) / took, b.n, b.took[b.n / 2], b.took[b.n * 99 / 100], b.took[b.n - 1],
           (double)process_resident_bytes() / 1e6);
    imports_close(b.imports);
    documents_close(b.documents);
    people_close(b.people);
    records_close(b.records);
    return took > 60 * (double)(firms + employees) / 515000 || b.took[b.n * 99 / 100] > 250;
}
