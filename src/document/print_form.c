#include "document/print_form.h"

#include <string.h>

#include "model/unit.h"

static const char *pick(const struct print_form *p, const char *name, const char *en, const char *zh) {
    const char *text = p->zh ? zh : en;
    return text ? text : name;
}

/* "2026-03-08 10:20" of a time; the paper says UTC. */
static Str moment(Str text, bool date, struct arena *arena) {
    Nanos t;
    int year, month, day, hour, minute, second;
    if (date || time_parse(text, &t).code != ERR_NONE) return text;
    time_civil(t, &year, &month, &day, &hour, &minute, &second);
    return arena_printf(arena, "%04d-%02d-%02d %02d:%02d UTC", year, month, day, hour, minute);
}

static Str with_unit(const struct field *f, Str number, struct arena *arena) {
    const struct unit *unit = f->unit ? unit_find(str_c(f->unit)) : NULL;
    if (!f->unit || number.len == 0) return number;
    return arena_printf(arena, STR_FMT " %s", STR_ARG(number), unit ? unit->symbol : f->unit);
}

static Str value_text(const struct print_form *p, const struct field *f, const struct json *v, struct arena *arena) {
    if (!v || json_kind(v) == JSON_NULL) return (Str){0};
    switch (f->kind) {
    case FIELD_TIME:
    case FIELD_DATE: return moment(json_text(v, arena), f->kind == FIELD_DATE, arena);
    case FIELD_BOOL: return str_c(json_bool(v) ? pick(p, "", "yes", "是") : pick(p, "", "no", "否"));
    case FIELD_REF: return json_text_of(v, "number", "id", arena);
    case FIELD_PARTY: return json_text_of(v, "name", "id", arena);
    case FIELD_INT:
    case FIELD_NUMBER:
    case FIELD_DECIMAL: return with_unit(f, json_text_of(v, "value", "value", arena), arena);
    case FIELD_MONEY:
        return arena_printf(arena, STR_FMT " " STR_FMT, STR_ARG(json_text_of(v, "amount", "amount", arena)),
                            STR_ARG(json_text_of(v, "currency", "currency", arena)));
    case FIELD_CHOICE:
        for (const struct choice *c = f->choices; c && c->name; c++)
            if (str_eq_c(json_text(v, arena), c->name)) return str_c(pick(p, c->name, c->title_en, c->title_zh));
        return json_text(v, arena);
    default: return json_text(v, arena);
    }
}

static void write_fields(const struct print_form *p, const struct json *doc, struct arena *arena, struct jw *w) {
    const struct doctype *type = p->doc->type;
    jw_key(w, "fields");
    jw_array(w);
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        if (!(p->lens->fields >> i & 1) || f->hidden || f->kind == FIELD_LINES || f->kind == FIELD_FILE) continue;
        Str value = value_text(p, f, json_get(doc, f->name), arena);
        if (value.len == 0) continue;
        jw_object(w);
        jw_kc(w, "label", pick(p, f->name, f->title_en, f->title_zh));
        jw_kstr(w, "value", value);
        jw_object_end(w);
    }
    jw_array_end(w);
}

static bool stands_right(const struct field *f) {
    return f->kind == FIELD_INT || f->kind == FIELD_NUMBER || f->kind == FIELD_DECIMAL || f->kind == FIELD_MONEY;
}

static bool is_column(const struct doctype *rows, size_t c, uint64_t mask) {
    return (mask >> c & 1) && !rows->fields[c].hidden;
}

static void write_table(const struct print_form *p, const struct field *f, uint64_t mask, const struct json *list,
                        struct arena *arena, struct jw *w) {
    const struct doctype *rows = f->lines;
    jw_object(w);
    jw_kc(w, "title", pick(p, f->name, f->title_en, f->title_zh));
    jw_key(w, "columns");
    jw_array(w);
    for (size_t c = 0; c < rows->n_fields; c++) {
        if (!is_column(rows, c, mask)) continue;
        jw_object(w);
        jw_kc(w, "label", pick(p, rows->fields[c].name, rows->fields[c].title_en, rows->fields[c].title_zh));
        jw_kbool(w, "right", stands_right(&rows->fields[c]));
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_key(w, "rows");
    jw_array(w);
    for (size_t r = 0; r < json_len(list); r++) {
        jw_array(w);
        for (size_t c = 0; c < rows->n_fields; c++)
            if (is_column(rows, c, mask))
                jw_str(w, value_text(p, &rows->fields[c], json_get(json_at(list, r), rows->fields[c].name), arena));
        jw_array_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
}

static void write_tables(const struct print_form *p, const struct json *doc, struct arena *arena, struct jw *w) {
    const struct doctype *type = p->doc->type;
    size_t k = 0;
    jw_key(w, "tables");
    jw_array(w);
    for (size_t i = 0; i < type->n_fields; i++) {
        const struct field *f = &type->fields[i];
        if (f->kind != FIELD_LINES) continue;
        uint64_t mask = p->lens->lines[k++];
        const struct json *list = json_get(doc, f->name);
        if ((p->lens->fields >> i & 1) && list && json_kind(list) == JSON_ARRAY && json_len(list) > 0)
            write_table(p, f, mask, list, arena, w);
    }
    jw_array_end(w);
}

static void write_head(const struct print_form *p, const struct json *doc, struct arena *arena, struct jw *w) {
    const struct doctype *type = p->doc->type;
    char text[TIME_TEXT_MAX];
    Str state = json_get_str(doc, "state", (Str){0});
    int i = doctype_state(type, state);
    jw_kc(w, "lang", p->zh ? "zh" : "en");
    jw_kc(w, "form", p->label ? "label" : "page");
    jw_kc(w, "title", pick(p, type->name, type->title_en, type->title_zh));
    jw_kstr(w, "number", json_get_str(doc, "number", (Str){0}));
    jw_kstr(w, "state",
            i < 0 ? (Str){0}
                  : str_c(pick(p, type->states[i].name, type->states[i].title_en, type->states[i].title_zh)));
    jw_kstr(w, "party", p->party);
    jw_kstr(w, "printed", moment(time_format(p->now, text), false, arena));
    jw_kstr(w, "url", p->url);
}

Err print_form_json(const struct print_form *p, struct jw *w) {
    static const char *const signatures[][2] = {
        {"Prepared by", "制单"}, {"Checked by", "审核"}, {"Received by", "签收"}};
    struct buf text = {0};
    struct json *doc = NULL;
    struct arena arena;
    struct jw inner;
    jw_init(&inner, &text);
    documents_json(p->documents, p->doc, p->lens, NULL, &inner);
    Err err = json_parse(buf_view(&text), &doc);
    buf_fini(&text);
    TRY(err);
    arena_init(&arena, 0);
    jw_object(w);
    write_head(p, doc, &arena, w);
    write_fields(p, doc, &arena, w);
    write_tables(p, doc, &arena, w);
    jw_key(w, "signatures");
    jw_array(w);
    for (size_t i = 0; i < 3; i++) jw_c(w, signatures[i][p->zh]);
    jw_array_end(w);
    jw_object_end(w);
    json_free(doc);
    arena_fini(&arena);
    return err;
}
