/*
 * What the gate costs of a read: a document by id, through the engine and as JSON, with its reader's lens asked of the
 * gate each time, and with one lens made before. Many short batches, turn about, so that whatever else the machine does
 * falls on both; the medians of each. Usage: gate_cost FOLDER
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/jw.h"
#include "document/documents.h"
#include "store/records.h"
#include "trust/gate.h"
#include "trust/people.h"

#define DOCUMENTS 2000
#define READS 100 /* a batch */
#define PAIRS 801

static const struct choice kinds[] = {{"receipt", "", ""}, {"issue", "", ""}, {.name = NULL}};
static const struct field fields[] = {
    {.name = "kind", .kind = FIELD_CHOICE, .choices = kinds, .indexed = true},
    {.name = "title", .kind = FIELD_TEXT},
    {.name = "remark", .kind = FIELD_TEXT},
    {.name = "place", .kind = FIELD_TEXT, .indexed = true},
    {.name = "quantity", .kind = FIELD_DECIMAL, .scale = 3},
    {.name = "price", .kind = FIELD_DECIMAL, .scale = 2, .share = SHARE_OWN},
    {.name = "weight", .kind = FIELD_NUMBER},
    {.name = "count", .kind = FIELD_INT},
    {.name = "at", .kind = FIELD_TIME, .indexed = true},
    {.name = "urgent", .kind = FIELD_BOOL},
    {.name = "extra", .kind = FIELD_JSON},
    {.name = "customer", .kind = FIELD_TEXT},
};
static const struct doc_state states[] = {{.name = "open"}};
static const struct doctype type = {.name = "receipt",
                                    .title_en = "Receipt",
                                    .title_zh = "收货",
                                    .prefix = "RE",
                                    .fields = fields,
                                    .n_fields = sizeof fields / sizeof *fields,
                                    .states = states,
                                    .n_states = 1,
                                    .read_roles = ROLE_PEOPLE,
                                    .create_roles = ROLE_PEOPLE,
                                    .change_roles = ROLE_PEOPLE};
static const struct doctype *const types[] = {&type, NULL};

struct bench {
    struct documents *documents;
    struct principal who;
    uint64_t seed;
};

static void must(Err err) {
    if (err.code == ERR_NONE) return;
    fprintf(stderr, "gate_cost: %s\n", err.text);
    exit(1);
}

static void fill(struct bench *b) {
    struct arena arena;
    arena_init(&arena, 0);
    for (int i = 0; i < DOCUMENTS; i++) {
        char text[1400];
        struct json *json;
        struct doc *doc;
        snprintf(
            text, sizeof text,
            "{\"kind\":\"receipt\",\"title\":\"Seal ring %d\",\"remark\":\"%0600d\",\"place\":\"dock %d\",\"quantity\":"
            "\"%d.500\",\"price\":\"12.50\",\"weight\":1.5,\"count\":%d,\"at\":\"2026-03-08T08:00:00Z\",\"urgent\":"
            "false,"
            "\"extra\":{\"note\":\"%0200d\"},\"customer\":\"somebody\"}",
            i, i, i % 20, i, i, i);
        must(json_parse(str_c(text), &json));
        must(documents_create(b->documents, &b->who, &type, &(struct doc_change){.json = json}, &arena, &doc));
        json_free(json);
        arena_reset(&arena);
    }
    arena_fini(&arena);
}

/* ns of READS reads */
static Nanos read_all(struct bench *b, const struct lens *made) {
    struct arena arena;
    struct buf out = {0};
    arena_init(&arena, 0);
    Nanos began = clock_monotonic();
    for (int i = 0; i < READS; i++) {
        struct lens asked;
        struct doc *doc;
        if (!made) must(gate_lens(&b->who, &type, "bench", &asked));
        const struct lens *lens = made ? made : &asked;
        b->seed = b->seed * 6364136223846793005u + 1442695040888963407u;
        must(documents_get(b->documents, lens, &type, 1 + (int64_t)((b->seed >> 33) % DOCUMENTS), &arena, &doc));
        buf_clear(&out);
        struct jw w;
        jw_init(&w, &out);
        documents_json(b->documents, doc, lens, &b->who, &w);
        arena_reset(&arena);
    }
    Nanos took = clock_monotonic() - began;
    buf_fini(&out);
    arena_fini(&arena);
    return took;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    struct bench b = {.seed = 7};
    struct records *records;
    struct people *people;
    static double with[PAIRS], without[PAIRS];
    PartyId party;
    if (argc < 2) return 2;
    must(records_open(&(struct records_options){.dir = argv[1]}, &records));
    must(people_open(records, &clock_system, &people));
    must(people_party(people, STR("acme"), &party));
    must(documents_open(&(struct documents_options){.records = records, .types = types}, &b.documents));
    b.who = (struct principal){.party = party, .roles = ROLE_BIT(ROLE_MANAGER), .name = "ann"};
    fill(&b);
    struct lens whole = gate_lens_own(&b.who, "bench");
    read_all(&b, &whole);
    for (size_t i = 0; i < PAIRS; i++) {
        with[i] = (double)read_all(&b, NULL) / READS / 1e3;
        without[i] = (double)read_all(&b, &whole) / READS / 1e3;
    }
    qsort(with, PAIRS, sizeof *with, by_size);
    qsort(without, PAIRS, sizeof *without, by_size);
    double a = with[PAIRS / 2], c = without[PAIRS / 2];
    printf("{\"gated_us\":%.2f,\"ungated_us\":%.2f,\"percent\":%.1f}\n", a, c, a > c ? (a / c - 1) * 100 : 0.0);
    documents_close(b.documents);
    people_close(people);
    records_close(records);
    return 0;
}
