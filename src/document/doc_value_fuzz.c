/* What the engine reads from outside: a field's JSON, and a filter's key and text, split at the first NUL. */
#include "document/doc_value.h"

#include "document/documents.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct choice choices[] = {{"low", "", ""}, {"high", "", ""}, {.name = NULL}};
static const struct field fields[] = {
    {.name = "text", .kind = FIELD_TEXT},
    {.name = "int", .kind = FIELD_INT},
    {.name = "number", .kind = FIELD_NUMBER},
    {.name = "decimal", .kind = FIELD_DECIMAL, .scale = 3},
    {.name = "bool", .kind = FIELD_BOOL},
    {.name = "time", .kind = FIELD_TIME},
    {.name = "thing", .kind = FIELD_THING},
    {.name = "choice", .kind = FIELD_CHOICE, .choices = choices},
    {.name = "json", .kind = FIELD_JSON},
    {.name = "ref", .kind = FIELD_REF, .ref = "paper"},
    {.name = "money", .kind = FIELD_MONEY, .scale = 2, .currency = "CNY"},
    {.name = "weight", .kind = FIELD_DECIMAL, .scale = 3, .unit = "KGM"},
    {.name = "date", .kind = FIELD_DATE},
    {.name = "party", .kind = FIELD_PARTY},
    {.name = "file", .kind = FIELD_FILE},
    {.name = "geometry", .kind = FIELD_GEOMETRY},
    {.name = "uscc", .kind = FIELD_TEXT, .format = "uscc"},
};
#define N_FIELDS (sizeof fields / sizeof *fields)
static const struct doc_state states[] = {{.name = "open"}};
static const struct doctype paper = {
    .name = "paper", .prefix = "P", .fields = fields, .n_fields = N_FIELDS, .states = states, .n_states = 1};

/* Whatever is taken can be written, and what is written can be read as JSON again. */
static void write_back(const struct field *field, Value v) {
    struct buf out = {0};
    struct jw w;
    struct json *again;
    if ((field->kind == FIELD_REF || field->kind == FIELD_PARTY) && v.kind == VALUE_STRING) return;
    jw_init(&w, &out);
    jw_array(&w);
    doc_value_json(field, v, STR("P-000001"), &w);
    jw_array_end(&w);
    Err err = json_parse(buf_view(&out), &again);
    ASSERT(err.code == ERR_NONE);
    json_free(again);
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Str text = str_n((const char *)data, size), key, rest;
    struct arena arena;
    struct json *json;
    struct doc_filter filter;
    arena_init(&arena, 0);
    bool parsed = json_parse(text, &json).code == ERR_NONE;
    for (size_t i = 0; parsed && i < N_FIELDS; i++) {
        struct doc_faults faults = {0};
        Value v;
        doc_value_from_json(&fields[i], json, &arena, &v, &faults);
        ASSERT(faults.n == 0 || v.kind == VALUE_NONE);
        ASSERT((doc_faults_err(&faults).code == ERR_NONE) == (faults.n == 0));
        write_back(&fields[i], v);
    }
    if (parsed) json_free(json);
    str_cut(text, '\0', &key, &rest);
    documents_parse_filter(&paper, key, rest, &arena, &filter);
    arena_fini(&arena);
    return 0;
}
