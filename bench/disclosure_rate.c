/*
 * Durable disclosures a second: 64 threads, as kept connections would, each noting one read after the other, beside the
 * same rows written one commit request each. Also what a lens costs under an agreement. Usage: disclosure_rate FOLDER
 */
#include <stdio.h>
#include <stdlib.h>

#include "os/thread.h"
#include "store/records.h"
#include "store/records_txn.h"
#include "trust/agreements.h"
#include "trust/disclosures.h"
#include "trust/gate.h"

#define THREADS 64
#define SECONDS 3
#define LENSES 300000

static const struct field fields[] = {{.name = "title", .kind = FIELD_TEXT, .share = SHARE_PARTNERS},
                                      {.name = "quantity", .kind = FIELD_DECIMAL, .share = SHARE_PARTNERS},
                                      {.name = "price", .kind = FIELD_DECIMAL, .share = SHARE_OWN}};
static const struct doc_state states[] = {{.name = "open"}, {.name = "closed"}};
static const struct doctype order = {
    .name = "order", .fields = fields, .n_fields = 3, .states = states, .n_states = 2, .read_roles = ROLE_PEOPLE};
static const struct doctype *const types[] = {&order, NULL};
static const struct thing_model *const models[] = {NULL};
static const struct catalog catalog = {.types = types, .models = models};

struct bench {
    struct records *records;
    struct disclosures *disclosures;
    Nanos until;
    bool alone;
};
struct worker {
    struct bench *bench;
    uint64_t done;
};

static void must(Err err) {
    if (err.code == ERR_NONE) return;
    fprintf(stderr, "disclosure_rate: %s\n", err.text);
    exit(1);
}

static const struct catalog *get_catalog(void *ctx) {
    (void)ctx;
    return &catalog;
}

static Err value(void *ctx, const struct doctype *type, Str field, Str text, struct arena *arena, Value *out) {
    (void)ctx, (void)type, (void)field;
    *out = VALUE_S(arena_str(arena, text));
    return err_none();
}

static const struct record_column columns[] = {
    {.name = "id", .kind = RECORD_INT},      {"party", RECORD_INT, .indexed = true},
    {.name = "at", .kind = RECORD_INT},      {"agreement", RECORD_INT, .indexed = true},
    {.name = "reader", .kind = RECORD_INT},  {.name = "who", .kind = RECORD_TEXT},
    {.name = "what", .kind = RECORD_TEXT},   {.name = "fields", .kind = RECORD_TEXT},
    {.name = "purpose", .kind = RECORD_TEXT}};
static const struct record_table plain = {.name = "plain", .columns = columns, .n_columns = 9};

static Err write_plain(void *ctx, struct records_txn *txn) {
    int64_t id;
    (void)ctx;
    Value row[9] = {{.kind = VALUE_NONE},
                    VALUE_I(1),
                    VALUE_I(clock_now(&clock_system)),
                    VALUE_I(1),
                    VALUE_I(2),
                    VALUE_S(STR("li.wei")),
                    VALUE_S(STR("list 1-50")),
                    VALUE_S(STR("number,title,quantity")),
                    VALUE_S(STR("resupply"))};
    return records_txn_insert(txn, &plain, row, &id);
}

static void work(void *ctx) {
    struct worker *w = ctx;
    const struct disclosure row = {.owner = 1,
                                   .reader = 2,
                                   .agreement = 1,
                                   .number = STR("AG-000001"),
                                   .who = STR("li.wei"),
                                   .type = STR("order"),
                                   .what = STR("list 1-50"),
                                   .fields = STR("number,title,quantity"),
                                   .rows = 50,
                                   .purpose = STR("resupply")};
    for (; clock_monotonic() < w->bench->until; w->done++)
        must(w->bench->alone ? records_write(w->bench->records, write_plain, NULL)
                             : disclosures_note(w->bench->disclosures, &row));
}

static double rate(struct bench *b, bool alone) {
    struct worker workers[THREADS];
    struct thread *threads[THREADS];
    uint64_t done = 0;
    Nanos began = clock_monotonic();
    b->alone = alone;
    b->until = began + SECONDS * NANOS_PER_S;
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.bench = b};
        must(thread_start(&threads[i], "reader", work, &workers[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        thread_join(threads[i]);
        done += workers[i].done;
    }
    return (double)done * (double)NANOS_PER_S / (double)(clock_monotonic() - began);
}

static double lens_ns(struct agreements *a, const struct principal *who) {
    struct arena arena;
    arena_init(&arena, 0);
    Nanos began = clock_monotonic();
    for (int i = 0; i < LENSES; i++) {
        struct lens lens;
        if (a)
            must(gate_lens_agreement(a, who, 1, &order, &arena, &lens));
        else
            must(gate_lens(who, &order, "bench", &lens));
        arena_reset(&arena);
    }
    arena_fini(&arena);
    return (double)(clock_monotonic() - began) / LENSES;
}

static void agree(struct agreements *a, const struct principal *owner, const struct principal *reader) {
    static const char terms[] = "{\"purpose\":\"resupply\",\"types\":[{\"type\":\"order\",\"fields\":[\"number\","
                                "\"title\",\"quantity\"],\"rows\":[{\"field\":\"state\",\"op\":\"eq\",\"value\":"
                                "\"open\"}]}]}";
    struct json *json;
    struct arena arena;
    struct agreement made;
    arena_init(&arena, 0);
    must(json_parse(STR(terms), &json));
    const struct agreement_offer offer = {.owner = 1, .receiver = 2, .title = STR("bench"), .terms = json};
    must(agreements_step_propose(a, owner, &offer, &arena, &made));
    must(agreements_step(a, reader, made.id, &(struct agreement_step){.name = STR("accept")}, &arena, &made));
    json_free(json);
    arena_fini(&arena);
}

int main(int argc, char **argv) {
    const struct record_table *const tables[] = {&plain};
    const struct principal owner = {.party = 1, .user = 1, .roles = ROLE_BIT(ROLE_MANAGER), .name = "owner"};
    const struct principal reader = {.party = 2, .user = 2, .roles = ROLE_BIT(ROLE_MANAGER), .name = "reader"};
    struct bench b = {0};
    struct agreements *a;
    if (argc != 2) return 2;
    must(records_open(&(struct records_options){.dir = argv[1]}, &b.records));
    must(records_declare(b.records, tables, 1));
    must(disclosures_open(&(struct disclosures_options){.records = b.records, .clock = &clock_system}, &b.disclosures));
    must(agreements_open(&(struct agreements_options){.records = b.records,
                                                      .clock = &clock_system,
                                                      .world = {.catalog = get_catalog, .value = value}},
                         &a));
    agree(a, &owner, &reader);
    double alone = rate(&b, true), grouped = rate(&b, false);
    printf("disclosures: %.0f durable/s with %d readers; %.2f x rows without salt and purpose (%.0f/s)\n", grouped,
           THREADS, grouped / alone, alone);
    printf("lens: own party %.0f ns, under an agreement %.0f ns\n", lens_ns(NULL, &owner), lens_ns(a, &reader));
    agreements_close(a);
    disclosures_close(b.disclosures);
    records_close(b.records);
    return 0;
}
