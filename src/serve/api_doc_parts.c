/* What hangs from one document: its history, comments and attachments; several writes at once. */
#include <stdio.h>
#include <string.h>

#include "serve/api_doc.h"
#include "trust/audit.h"
#include "trust/gate.h"

#define ATTACHMENT_MAX ((size_t)64 << 20)
#define BATCH_MAX_BODY ((size_t)8 << 20)
#define HISTORY_MAX 500

/* ---- history: what the audit says of it, of the fields that its reader may see */

static bool may_see(const struct doctype *type, const struct lens *lens, Str name) {
    int i = doctype_field(type, name);
    if (i < 0) return true; /* "state", and what is no field */
    const struct field *f = &type->fields[i];
    return (lens->fields >> i & 1) && (f->custom_of == 0 || f->custom_of == lens->party);
}

static void write_side(struct jw *w, const char *name, Str text, const struct doctype *type, const struct lens *lens) {
    struct json *json = NULL;
    const struct json *value;
    struct buf one = {0};
    void *at = NULL;
    Str key;
    jw_key(w, name);
    if (text.len == 0 || json_parse(text, &json).code != ERR_NONE || json_kind(json) != JSON_OBJECT) {
        jw_null(w);
        json_free(json);
        return;
    }
    jw_object(w);
    while (json_next(json, &at, &key, &value)) {
        if (!may_see(type, lens, key)) continue;
        buf_clear(&one);
        json_dump(value, &one);
        jw_key_str(w, key);
        jw_raw(w, buf_view(&one));
    }
    jw_object_end(w);
    buf_fini(&one);
    json_free(json);
}

static Err get_history(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct audit_row *rows;
    size_t n;
    TRY(api_doc_find(call, &type, &lens, &doc));
    TRY(api_doc_own(&lens, "histories"));
    TRY(audit_list(call->serve->options.records, &lens, str_c(type->name), doc->number, 0, HISTORY_MAX, call->arena,
                   &rows, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        jw_ktime(w, "at", rows[i].at);
        jw_kstr(w, "who", rows[i].who);
        jw_kstr(w, "action", rows[i].action);
        write_side(w, "before", rows[i].before, type, &lens);
        write_side(w, "after", rows[i].after, type, &lens);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

/* ---- comments */

static void write_comment(struct jw *w, const struct doc_comment *c) {
    jw_object(w);
    jw_kint(w, "id", c->id);
    jw_ktime(w, "at", c->at);
    jw_kstr(w, "who", c->who);
    jw_kstr(w, "text", c->text);
    jw_object_end(w);
}

static Err list_comments(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct doc_comment *comments;
    size_t n;
    TRY(api_doc_find(call, &type, &lens, &doc));
    TRY(documents_comments(api_doc_engine(call), &lens, type, doc->id, call->arena, &comments, &n));
    TRY(api_disclose(call, &lens, type, &doc->id, 1));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) write_comment(w, &comments[i]);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err add_comment(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct doc_comment *all;
    int64_t id;
    size_t n;
    Str text;
    TRY(api_need_body(call));
    TRY(api_text(call, "text", NULL, &text));
    TRY(api_doc_find(call, &type, &lens, &doc));
    TRY(documents_comment(api_doc_engine(call), &call->who, type, doc->id, text, call->arena, &id));
    TRY(documents_comments(api_doc_engine(call), &lens, type, doc->id, call->arena, &all, &n));
    for (size_t i = 0; i < n; i++)
        if (all[i].id == id) write_comment(api_json(call), &all[i]);
    return err_none();
}

/* ---- attachments */

static void write_attachment(struct jw *w, const struct doc_attachment *a) {
    char hex[65];
    for (int i = 0; i < 32; i++) snprintf(hex + 2 * i, 3, "%02x", a->hash[i]);
    jw_object(w);
    jw_kint(w, "id", a->id);
    jw_ktime(w, "at", a->at);
    jw_kstr(w, "who", a->who);
    jw_kstr(w, "name", a->name);
    jw_kstr(w, "media_type", a->media_type);
    jw_kint(w, "bytes", (int64_t)a->bytes);
    jw_kbool(w, "sealed", a->sealed);
    jw_kc(w, "hash", hex);
    jw_object_end(w);
}

static Err list_attachments(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct doc_attachment *list;
    size_t n;
    TRY(api_doc_find(call, &type, &lens, &doc));
    TRY(documents_attachments(api_doc_engine(call), &lens, type, doc->id, call->arena, &list, &n));
    TRY(api_disclose(call, &lens, type, &doc->id, 1));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) write_attachment(w, &list[i]);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static Err add_attachment(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct doc_attachment *list, what = {.media_type = str_trim(http_header(call->request, "Content-Type"))};
    int64_t id;
    size_t n;
    Str sealed = api_query(call, "sealed");
    if (!http_text_decode(http_header(call->request, "X-Weft-Name"), false, call->arena, &what.name))
        return err_make(ERR_INVALID, "the header X-Weft-Name is not well percent-encoded");
    if (sealed.len > 0 && !str_eq_c(sealed, "true") && !str_eq_c(sealed, "false"))
        return err_make(ERR_INVALID, "query parameter 'sealed' is true or false");
    what.sealed = str_eq_c(sealed, "true");
    TRY(api_doc_find(call, &type, &lens, &doc));
    TRY(documents_attach(api_doc_engine(call), &call->who, type, doc->id, &what, call->request->body, call->arena,
                         &id));
    TRY(documents_attachments(api_doc_engine(call), &lens, type, doc->id, call->arena, &list, &n));
    for (size_t i = 0; i < n; i++)
        if (list[i].id == id) write_attachment(api_json(call), &list[i]);
    return err_none();
}

/* Only what a browser shows without running anything keeps its type; the rest are bytes to save. */
static const char *safe_type(Str media) {
    static const char *const safe[] = {"image/png",  "image/jpeg",      "image/gif",
                                       "image/webp", "application/pdf", "text/plain"};
    Str head, tail;
    str_cut(media, ';', &head, &tail);
    for (size_t i = 0; i < sizeof safe / sizeof *safe; i++)
        if (str_eq_nocase(str_trim(head), str_c(safe[i]))) return safe[i];
    return "application/octet-stream";
}

static Str encoded(Str name, struct arena *arena) {
    char *out = arena_alloc(arena, 3 * name.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-';
        n += (size_t)snprintf(out + n, 4, plain ? "%c" : "%%%02X", c);
    }
    return str_n(out, n);
}

static Err get_attachment(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    struct doc_attachment what;
    int64_t id;
    Str bytes;
    if (!str_to_i64(call->segments[2], &id)) return err_make(ERR_NOT_FOUND, "an attachment is named by its id");
    TRY(api_doc_find(call, &type, &lens, &doc));
    TRY(documents_attachment(api_doc_engine(call), &lens, type, doc->id, id, call->arena, &what, &bytes));
    if (what.sealed && (lens.agreement || !principal_may(&call->who, ROLE_STAFF)))
        return err_make(ERR_FORBIDDEN, "'%s' may not open sealed files: ask the staff", call->who.name);
    TRY(api_disclose(call, &lens, type, &doc->id, 1));
    call->response->content_type = safe_type(what.media_type);
    call->response->keep_plain = true;
    http_response_header(call->response, "X-Content-Type-Options", STR("nosniff"));
    http_response_header(
        call->response, "Content-Disposition",
        arena_printf(call->arena, "attachment; filename*=UTF-8''" STR_FMT, STR_ARG(encoded(what.name, call->arena))));
    buf_add(&call->response->body, bytes.ptr, bytes.len);
    return err_none();
}

/* ---- removing, and several writes at once */

static Err remove_doc(struct api_call *call) {
    const struct doctype *type;
    struct lens lens;
    struct doc *doc;
    int64_t version;
    TRY(api_doc_version(call, &version));
    TRY(api_doc_find(call, &type, &lens, &doc));
    return documents_remove(api_doc_engine(call), &call->who, type, doc->id, version, call->arena);
}

static Err read_order(const struct api_call *call, const struct doctype *type, const struct json *item,
                      struct doc_order *out) {
    Str op = json_get_str(item, "op", (Str){0});
    *out = (struct doc_order){.type = type, .id = json_get_int(item, "id", 0), .change.json = json_get(item, "doc")};
    out->change.if_version = json_get_int(item, "if_version", 0);
    if (json_kind(item) != JSON_OBJECT || op.len == 0)
        return err_make(ERR_INVALID, "an item is {\"op\":\"create|change|delete|STEP\",\"id\":…,\"doc\":{…}}");
    bool create = str_eq_c(op, "create"), change = str_eq_c(op, "change");
    out->remove = str_eq_c(op, "delete");
    if (create != (out->id == 0))
        return err_make(ERR_INVALID, create ? "a new document has no id yet" : "which document? give its id");
    if (create && !out->change.json) return err_make(ERR_INVALID, "'doc' is missing");
    if (!create && !change && !out->remove) out->transition = arena_str(call->arena, op);
    return err_none();
}

static void write_outcome(struct jw *w, const struct doc *doc, const Err *err, bool done) {
    jw_object(w);
    jw_kint(w, "status", done ? (doc && doc->version == 1 ? 201 : doc ? 200 : 204) : err_http_status(err->code));
    if (doc) jw_kint(w, "id", doc->id);
    if (doc) jw_kstr(w, "number", doc->number);
    if (!done) {
        jw_key(w, "error");
        jw_object(w);
        jw_kc(w, "type", err_slug(err->code));
        jw_kc(w, "title", err_title(err->code));
        jw_kint(w, "status", err_http_status(err->code));
        jw_kc(w, "detail", err->text);
        jw_object_end(w);
    }
    jw_object_end(w);
}

struct batch {
    struct doc_order *orders;
    struct doc **docs;
    Err *errs;
    size_t n;
};

static Err run_atomic(struct api_call *call, struct batch *b) {
    size_t bad;
    for (size_t i = 0; i < b->n; i++)
        if (b->errs[i].code != ERR_NONE) return err_make(b->errs[i].code, "items[%zu]: %.200s", i, b->errs[i].text);
    Err err = documents_all(api_doc_engine(call), &call->who, b->orders, b->n, call->arena, b->docs, &bad);
    return err.code == ERR_NONE ? err : err_make(err.code, "items[%zu]: %.220s", bad, err.text);
}

static void run_each(struct api_call *call, struct batch *b) {
    for (size_t i = 0; i < b->n; i++) {
        size_t bad;
        if (b->errs[i].code != ERR_NONE) continue;
        b->errs[i] = documents_all(api_doc_engine(call), &call->who, &b->orders[i], 1, call->arena, &b->docs[i], &bad);
    }
}

static Err run_batch(struct api_call *call) {
    const struct doctype *type;
    TRY(api_doc_type(call, &type));
    TRY(api_need_body(call));
    const struct json *items = json_get(call->body, "items");
    if (!items || json_kind(items) != JSON_ARRAY || json_len(items) > DOCUMENTS_OPS_MAX)
        return err_make(ERR_INVALID, "'items' is a list of at most %d writes", DOCUMENTS_OPS_MAX);
    struct batch b = {.n = json_len(items)};
    b.orders = arena_zero(call->arena, b.n, sizeof *b.orders);
    b.docs = arena_zero(call->arena, b.n, sizeof *b.docs);
    b.errs = arena_zero(call->arena, b.n, sizeof *b.errs);
    for (size_t i = 0; i < b.n; i++) b.errs[i] = read_order(call, type, json_at(items, i), &b.orders[i]);
    if (json_get_bool(call->body, "atomic", false))
        TRY(run_atomic(call, &b));
    else
        run_each(call, &b);
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < b.n; i++) write_outcome(w, b.docs[i], &b.errs[i], b.errs[i].code == ERR_NONE);
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static const struct route_param attach_params[] = {
    {"sealed", ROUTE_TEXT, false, "true: kept encrypted with the party's key, opened by its staff alone"},
    {.name = NULL},
};

#define DOC "/api/v1/docs/{type}/{id}"
const struct route api_doc_parts_routes[] = {
    {HTTP_DELETE, DOC, "remove", "documents", "Delete, while in its first state; If-Match guards", ROLE_PEOPLE, NULL,
     NULL, NULL, 204, ROUTE_PER_TYPE, 0, remove_doc},
    {HTTP_POST, "/api/v1/docs/{type}/batch", "batch", "documents", "Several writes, each by itself or all at once",
     ROLE_PEOPLE, NULL, "Batch", "BatchResult", 0, 0, BATCH_MAX_BODY, run_batch},
    {HTTP_GET, DOC "/history", "getHistory", "documents", "What was done to it, newest first", ROLE_PEOPLE, NULL, NULL,
     "History", 0, 0, 0, get_history},
    {HTTP_GET, DOC "/comments", "listComments", "documents", "Comments, oldest first", ROLE_PEOPLE, NULL, NULL,
     "Comments", 0, 0, 0, list_comments},
    {HTTP_POST, DOC "/comments", "addComment", "documents", "Comment", ROLE_PEOPLE, NULL, "NewComment", "Comment", 201,
     0, 0, add_comment},
    {HTTP_GET, DOC "/attachments", "listAttachments", "documents", "Attachments", ROLE_PEOPLE, NULL, NULL,
     "Attachments", 0, 0, 0, list_attachments},
    {HTTP_POST, DOC "/attachments", "addAttachment", "documents",
     "Attach the body; Content-Type and X-Weft-Name (percent-encoded) say what it is", ROLE_PEOPLE, attach_params,
     "File", "Attachment", 201, ROUTE_RAW_BODY, ATTACHMENT_MAX, add_attachment},
    {HTTP_GET, DOC "/attachments/{attachment}", "getAttachment", "documents", "The bytes of an attachment", ROLE_PEOPLE,
     NULL, NULL, NULL, 0, 0, 0, get_attachment},
    {.handler = NULL},
};
