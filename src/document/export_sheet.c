#include "document/export_sheet.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "document/doc_value.h"
#include "trust/gate.h"

#define PAGE 500

struct column {
    Str key;               /* of the document's JSON */
    int lines;             /* index of the FIELD_LINES field it stands in, or -1 */
    const struct field *f; /* NULL: number, state, created, changed, created_by */
    bool currency;
    Str heading;
};

struct export {
    const struct export_sheet *order;
    const struct sheet_writer *form;
    void *writer;
    struct arena arena; /* of the columns */
    struct column *columns;
    size_t n, cap;
    struct sheet_cell *cells;
    bool has_lines;
};

static const struct {
    const char *name, *title_en, *title_zh;
} base_columns[] = {{"number", "Number", "单号"},
                    {"state", "State", "状态"},
                    {"created", "Created", "创建时间"},
                    {"changed", "Changed", "修改时间"},
                    {"created_by", "Created by", "创建人"}};

/* ---- columns */

static const char *title(const struct export *e, const char *name, const char *en, const char *zh) {
    const char *text = e->order->zh ? zh : en;
    return text ? text : name;
}

static void add_column(struct export *e, struct column column, const char *heading) {
    const struct field *list = column.lines < 0 ? NULL : &e->order->type->fields[column.lines];
    const char *above = list ? title(e, list->name, list->title_en, list->title_zh) : NULL;
    column.heading = above ? arena_printf(&e->arena, "%s/%s", above, heading) : str_c(heading);
    VEC_PUSH(e->columns, e->n, e->cap, column);
}

static void add_field(struct export *e, const struct field *f, int lines) {
    const char *heading = title(e, f->name, f->title_en, f->title_zh);
    add_column(e, (struct column){.key = str_c(f->name), .lines = lines, .f = f}, heading);
    if (f->kind != FIELD_MONEY || f->currency) return;
    const char *currency = arena_printf(&e->arena, "%s/%s", heading, e->order->zh ? "币种" : "currency").ptr;
    add_column(e, (struct column){.key = str_c(f->name), .lines = lines, .f = f, .currency = true}, currency);
}

static void add_lines(struct export *e, int i, Str only) {
    const struct doctype *type = e->order->type, *rows = type->fields[i].lines;
    size_t k = 0;
    for (int before = 0; before < i; before++) k += type->fields[before].kind == FIELD_LINES;
    for (size_t c = 0; c < rows->n_fields; c++) {
        if (!(e->order->lens->lines[k] >> c & 1) || rows->fields[c].hidden) continue;
        if (only.len > 0 && !str_eq_c(only, rows->fields[c].name)) continue;
        add_field(e, &rows->fields[c], i);
        e->has_lines = true;
    }
}

static bool add_base(struct export *e, Str name) {
    if (!gate_shows_base(e->order->lens, name)) return false;
    for (size_t i = 0; i < sizeof base_columns / sizeof *base_columns; i++) {
        if (!str_eq_c(name, base_columns[i].name)) continue;
        add_column(e, (struct column){.key = str_c(base_columns[i].name), .lines = -1},
                   title(e, base_columns[i].name, base_columns[i].title_en, base_columns[i].title_zh));
        return true;
    }
    return false;
}

/* A field the lens hides is answered exactly as one that is not. */
static Err add_named(struct export *e, Str name) {
    Str head, tail;
    size_t before = e->n;
    bool deeper = str_cut(name, '.', &head, &tail);
    int i = doctype_field(e->order->type, head);
    bool shown = i >= 0 && (e->order->lens->fields >> i & 1) && !e->order->type->fields[i].hidden;
    if (shown && e->order->type->fields[i].kind == FIELD_LINES)
        add_lines(e, i, tail);
    else if (shown && !deeper)
        add_field(e, &e->order->type->fields[i], -1);
    else if (!shown && !deeper)
        add_base(e, name);
    if (e->n > before) return err_none();
    return err_make(ERR_INVALID, "no field '" STR_FMT "' of '%s'", STR_ARG(str_slice(name, 0, 40)),
                    e->order->type->name);
}

static Err list_columns(struct export *e) {
    const struct export_sheet *o = e->order;
    for (size_t i = 0; i < o->n_fields; i++) TRY(add_named(e, o->fields[i]));
    if (o->n_fields > 0) return err_none();
    add_base(e, STR("number"));
    add_base(e, STR("state"));
    for (size_t i = 0; i < o->type->n_fields; i++) {
        const struct field *f = &o->type->fields[i];
        if (!(o->lens->fields >> i & 1) || f->hidden) continue;
        if (f->kind == FIELD_LINES)
            add_lines(e, (int)i, (Str){0});
        else
            add_field(e, f, -1);
    }
    add_base(e, STR("created"));
    add_base(e, STR("created_by"));
    return err_none();
}

/* ---- a document's JSON becomes cells */

static Str choice_title(const struct export *e, const struct field *f, Str name) {
    for (const struct choice *c = f->choices; c && c->name; c++)
        if (str_eq_c(name, c->name)) return str_c(title(e, c->name, c->title_en, c->title_zh));
    return name;
}

static Str state_title(const struct export *e, Str name) {
    int i = doctype_state(e->order->type, name);
    const struct doc_state *s = i < 0 ? NULL : &e->order->type->states[i];
    return s ? str_c(title(e, s->name, s->title_en, s->title_zh)) : name;
}

static struct sheet_cell moment(Str text, bool date) {
    Nanos t;
    if (time_parse(text, &t).code != ERR_NONE) return (struct sheet_cell){.kind = SHEET_TEXT, .text = text};
    if (!date) return (struct sheet_cell){.kind = SHEET_TIME, .value = t};
    int64_t days = t / NANOS_PER_DAY - (t % NANOS_PER_DAY < 0);
    return (struct sheet_cell){.kind = SHEET_DATE, .value = days};
}

static struct sheet_cell cell_of(const struct export *e, const struct column *c, const struct json *v,
                                 struct arena *arena) {
    struct sheet_cell cell = {.kind = SHEET_TEXT};
    if (!v || json_kind(v) == JSON_NULL) return cell;
    if (!c->f && str_eq_c(c->key, "state"))
        cell.text = state_title(e, json_text(v, arena));
    else if (!c->f && (str_eq_c(c->key, "created") || str_eq_c(c->key, "changed")))
        return moment(json_text(v, arena), false);
    if (!c->f) {
        if (cell.text.len == 0) cell.text = json_text(v, arena);
        return cell;
    }
    switch (c->f->kind) {
    case FIELD_TIME:
    case FIELD_DATE: return moment(json_text(v, arena), c->f->kind == FIELD_DATE);
    case FIELD_INT:
    case FIELD_NUMBER:
    case FIELD_DECIMAL:
        return (struct sheet_cell){.kind = SHEET_NUMBER, .text = json_text_of(v, "value", "value", arena)};
    case FIELD_MONEY:
        if (c->currency)
            return (struct sheet_cell){.kind = SHEET_TEXT, .text = json_text_of(v, "currency", "currency", arena)};
        return (struct sheet_cell){.kind = SHEET_NUMBER, .text = json_text_of(v, "amount", "amount", arena)};
    case FIELD_REF: cell.text = json_text_of(v, "number", "id", arena); break;
    case FIELD_PARTY: cell.text = json_text_of(v, "name", "id", arena); break;
    case FIELD_CHOICE: cell.text = choice_title(e, c->f, json_text(v, arena)); break;
    default: cell.text = json_text(v, arena); break;
    }
    return cell;
}

static size_t rows_of(const struct export *e, const struct json *doc) {
    size_t most = 1;
    for (size_t c = 0; c < e->n; c++) {
        if (e->columns[c].lines < 0) continue;
        const struct json *list = json_get(doc, e->order->type->fields[e->columns[c].lines].name);
        if (list && json_kind(list) == JSON_ARRAY && json_len(list) > most) most = json_len(list);
    }
    return most;
}

static Err write_doc(struct export *e, const struct json *doc, struct arena *arena) {
    size_t n = e->has_lines ? rows_of(e, doc) : 1;
    for (size_t row = 0; row < n; row++) {
        for (size_t c = 0; c < e->n; c++) {
            const struct column *column = &e->columns[c];
            const struct json *from = doc;
            if (column->lines >= 0) {
                const struct json *list = json_get(doc, e->order->type->fields[column->lines].name);
                bool there = list && json_kind(list) == JSON_ARRAY && row < json_len(list);
                from = there ? json_at(list, row) : NULL;
            }
            e->cells[c] = cell_of(e, column, json_get(from, column->key.ptr), arena);
        }
        TRY(e->form->row(e->writer, e->cells, e->n, false));
    }
    return err_none();
}

static Err write_page(struct export *e, const struct doc_page *page, struct arena *arena) {
    struct buf text = {0};
    Err err = err_none();
    for (size_t i = 0; i < page->n && err.code == ERR_NONE; i++) {
        struct json *json = NULL;
        struct jw w;
        buf_clear(&text);
        jw_init(&w, &text);
        documents_json(e->order->documents, page->docs[i], e->order->lens, NULL, &w);
        err = json_parse(buf_view(&text), &json);
        if (err.code == ERR_NONE) err = write_doc(e, json, arena);
        json_free(json);
    }
    buf_fini(&text);
    return err;
}

static Err write_rows(struct export *e, uint64_t *documents) {
    const struct export_sheet *o = e->order;
    struct doc_query query = o->query;
    struct buf cursor = {0};
    struct arena arena;
    Err err = err_none();
    arena_init(&arena, 0);
    *documents = 0;
    query.no_total = true;
    for (bool more = true; more && err.code == ERR_NONE;) {
        struct doc_page page = {0};
        uint64_t left = o->query.limit ? o->query.limit - *documents : PAGE;
        arena_reset(&arena);
        query.limit = left < PAGE ? (size_t)left : PAGE;
        query.cursor = buf_view(&cursor);
        err = documents_list(o->documents, o->lens, o->type, &query, &arena, &page);
        if (err.code == ERR_NONE && (page.n > 0 || *documents == 0) && o->page) err = o->page(o->ctx, &page);
        if (err.code == ERR_NONE) err = write_page(e, &page, &arena);
        *documents += page.n;
        more = page.next.len > 0 && (o->query.limit == 0 || *documents < o->query.limit);
        buf_clear(&cursor);
        buf_str(&cursor, page.next);
    }
    buf_fini(&cursor);
    arena_fini(&arena);
    return err;
}

/* ---- the whole */

static Err write_headings(struct export *e) {
    for (size_t c = 0; c < e->n; c++)
        e->cells[c] = (struct sheet_cell){.kind = SHEET_TEXT, .text = e->columns[c].heading};
    return e->form->row(e->writer, e->cells, e->n, true);
}

static Err open_form(struct export *e, const char *path) {
    e->form = &sheet_csv_writer;
    if (e->order->xlsx) {
        const struct sheet_plugin *plugin;
        TRY(sheet_xlsx(&plugin));
        e->form = plugin->writer;
    }
    e->cells = arena_zero(&e->arena, e->n + 1, sizeof *e->cells);
    return e->form->open(path, &e->writer);
}

static Err close_form(struct export *e, Err err) {
    if (!e->writer) return err;
    Err closed = e->form->close(e->writer);
    return err.code != ERR_NONE ? err : closed;
}

static void fini(struct export *e) {
    free(e->columns);
    arena_fini(&e->arena);
}

Err export_sheet_write(const struct export_sheet *order, const char *path, uint64_t *documents) {
    struct export e = {.order = order};
    arena_init(&e.arena, 0);
    Err err = list_columns(&e);
    if (err.code == ERR_NONE) err = open_form(&e, path);
    if (err.code == ERR_NONE) err = write_headings(&e);
    if (err.code == ERR_NONE) err = write_rows(&e, documents);
    err = close_form(&e, err);
    fini(&e);
    return err;
}

/* ---- a template */

static const struct {
    const char *en, *zh;
} kind_help[] = {
    [FIELD_TEXT] = {"text", "文本"},
    [FIELD_INT] = {"a whole number", "整数"},
    [FIELD_NUMBER] = {"a number", "数字"},
    [FIELD_DECIMAL] = {"a decimal, exact", "精确小数"},
    [FIELD_BOOL] = {"yes or no", "是或否"},
    [FIELD_TIME] = {"a time: 2026-03-08 10:20", "时间：2026-03-08 10:20"},
    [FIELD_CHOICE] = {"one of: ", "以下之一："},
    [FIELD_REF] = {"number of: ", "引用单号："},
    [FIELD_THING] = {"a machine's name", "设备名称"},
    [FIELD_JSON] = {"JSON", "JSON"},
    [FIELD_MONEY] = {"an amount: 12.50", "金额：12.50"},
    [FIELD_DATE] = {"a date: 2026-03-08", "日期：2026-03-08"},
    [FIELD_PARTY] = {"a company's name or identifier", "企业名称或标识"},
    [FIELD_FILE] = {"", ""},
    [FIELD_GEOMETRY] = {"GeoJSON", "GeoJSON"},
    [FIELD_LINES] = {"", ""},
};

static void add_choices(const struct export *e, const struct field *f, struct buf *text) {
    for (const struct choice *c = f->choices; c && c->name; c++)
        buf_printf(text, "%s%s",
                   c == f->choices ? ""
                   : e->order->zh  ? "、"
                                   : ", ",
                   title(e, c->name, c->title_en, c->title_zh));
}

static Str help_of(struct export *e, const struct column *c) {
    bool zh = e->order->zh;
    struct buf text = {0};
    if (c->currency) return str_c(zh ? "货币代码：CNY" : "a currency: CNY");
    const char *own = zh ? c->f->help_zh : c->f->help_en;
    if (c->f->required) buf_c(&text, zh ? "必填；" : "required; ");
    buf_c(&text, zh ? kind_help[c->f->kind].zh : kind_help[c->f->kind].en);
    if (c->f->kind == FIELD_CHOICE) add_choices(e, c->f, &text);
    if (c->f->kind == FIELD_REF) buf_c(&text, c->f->ref);
    if (c->f->kind == FIELD_DECIMAL)
        buf_printf(&text, zh ? "，%u 位小数" : ", %u digits behind the point", c->f->scale);
    if (c->f->unit) buf_printf(&text, zh ? "，单位 %s" : ", in %s", c->f->unit);
    if (own) buf_printf(&text, zh ? "。%s" : ". %s", own);
    Str out = arena_str(&e->arena, buf_view(&text));
    buf_fini(&text);
    return out;
}

static void keep_fillable(struct export *e) {
    size_t n = 0;
    for (size_t c = 0; c < e->n; c++) {
        const struct field *f = e->columns[c].f;
        if (f && !f->computed && !f->compute && f->kind != FIELD_FILE) e->columns[n++] = e->columns[c];
    }
    e->n = n;
}

static Err write_help(struct export *e) {
    for (size_t c = 0; c < e->n; c++) {
        Str text = help_of(e, &e->columns[c]);
        if (c == 0) text = arena_printf(&e->arena, "# " STR_FMT, STR_ARG(text));
        e->cells[c] = (struct sheet_cell){.kind = SHEET_TEXT, .text = text};
    }
    return e->form->row(e->writer, e->cells, e->n, false);
}

Err export_sheet_template(const struct export_sheet *order, const char *path) {
    struct export e = {.order = order};
    arena_init(&e.arena, 0);
    Err err = list_columns(&e);
    keep_fillable(&e);
    if (err.code == ERR_NONE) err = open_form(&e, path);
    if (err.code == ERR_NONE) err = write_headings(&e);
    if (err.code == ERR_NONE) err = write_help(&e);
    err = close_form(&e, err);
    fini(&e);
    return err;
}
