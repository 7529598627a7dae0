/*
 * One question over all types that the caller may read: type by type, the newest first in each. The cursor names the
 * type it stands in and the place in it.
 */
#include <string.h>

#include "serve/api_doc.h"

enum { LIMIT_DEFAULT = 20, LIMIT_MAX = 200, SNIPPET_BEFORE = 30, SNIPPET_BYTES = 160 };

static bool is_asked(Str types, const char *name) {
    Str one;
    if (types.len == 0) return true;
    while (types.len > 0) {
        str_cut(types, ',', &one, &types);
        if (str_eq_c(str_trim(one), name)) return true;
    }
    return false;
}

/* ---- what is shown of one that was found */

static size_t find_nocase(Str text, Str part) {
    for (size_t i = 0; part.len > 0 && i + part.len <= text.len; i++)
        if (str_eq_nocase(str_slice(text, i, i + part.len), part)) return i;
    return SIZE_MAX;
}

static bool is_inside(Str text, size_t at) { return at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80; }

/* Some of the text around the first word that stands in it; empty: none does. */
static Str snippet_of(Str text, Str words, struct arena *arena) {
    Str word;
    while (words.len > 0) {
        str_cut(words, ' ', &word, &words);
        size_t at = find_nocase(text, word);
        if (at == SIZE_MAX) continue;
        size_t from = at > SNIPPET_BEFORE ? at - SNIPPET_BEFORE : 0, to = from + SNIPPET_BYTES;
        while (from > 0 && is_inside(text, from)) from--;
        if (to > text.len) to = text.len;
        while (is_inside(text, to)) to--;
        return arena_printf(arena, "%s" STR_FMT "%s", from > 0 ? "…" : "", STR_ARG(str_slice(text, from, to)),
                            to < text.len ? "…" : "");
    }
    return (Str){0};
}

static bool may_show(const struct doctype *type, size_t i, const struct lens *lens) {
    const struct field *f = &type->fields[i];
    return (lens->fields >> i & 1) && f->kind == FIELD_TEXT && !f->hidden && f->share != SHARE_SECRET &&
           (f->custom_of == 0 || f->custom_of == lens->party);
}

static Str snippet(const struct doc *doc, const struct lens *lens, Str words, struct arena *arena) {
    Str found = {0};
    for (size_t i = 0; i < doc->type->n_fields && found.len == 0; i++)
        if (may_show(doc->type, i, lens) && doc->values[i].kind == VALUE_STRING)
            found = snippet_of(doc->values[i].s, words, arena);
    return found;
}

static Str label(const struct doc *doc, const struct lens *lens) {
    int i = doc->type->label ? doctype_field(doc->type, str_c(doc->type->label)) : -1;
    bool text = i >= 0 && may_show(doc->type, (size_t)i, lens) && doc->values[i].kind == VALUE_STRING;
    return text ? doc->values[i].s : doc->number;
}

static void write_found(struct api_call *call, const struct doc *doc, const struct lens *lens, Str words,
                        struct jw *w) {
    jw_object(w);
    jw_kc(w, "type", doc->type->name);
    jw_kint(w, "id", doc->id);
    jw_kstr(w, "number", doc->number);
    jw_kstr(w, "label", label(doc, lens));
    jw_kc(w, "state", doctype_state_name(doc));
    jw_kstr(w, "snippet", snippet(doc, lens, words, call->arena));
    jw_object_end(w);
}

/* ---- all types */

struct search {
    struct api_call *call;
    Str words, types, at_type, at_cursor; /* where the page before ended; empty: from the first type on */
    size_t left;
    Str next;
    struct jw *w;
};

static Err search_type(struct search *s, const struct doctype *type, Str cursor) {
    struct lens lens;
    struct doc_page page;
    struct doc_query query = {
        .search = s->words, .limit = s->left, .cursor = cursor, .no_total = true, .fields = UINT64_C(1) << 63};
    TRY(api_lens(s->call, type, &lens));
    TRY(documents_list(api_doc_engine(s->call), &lens, type, &query, s->call->arena, &page));
    for (size_t i = 0; i < page.n; i++) write_found(s->call, page.docs[i], &lens, s->words, s->w);
    s->left -= page.n;
    if (page.next.len > 0) s->next = arena_printf(s->call->arena, "%s~" STR_FMT, type->name, STR_ARG(page.next));
    return err_none();
}

static Err search_types(struct search *s) {
    const struct doctype *const *types = documents_types(api_doc_engine(s->call));
    bool begun = s->at_type.len == 0;
    for (; *types && s->next.len == 0; types++) {
        Str cursor = {0};
        if (!begun && !str_eq_c(s->at_type, (*types)->name)) continue;
        if (!begun) cursor = s->at_cursor;
        begun = true;
        if (!is_asked(s->types, (*types)->name) || !principal_may(&s->call->who, (*types)->read_roles)) continue;
        if (s->left == 0) {
            s->next = arena_printf(s->call->arena, "%s~", (*types)->name);
            break;
        }
        TRY(search_type(s, *types, cursor));
    }
    return begun ? err_none() : err_make(ERR_INVALID, "the cursor is not one of ours: start again without it");
}

static Err search_all(struct api_call *call) {
    struct search s = {.call = call,
                       .words = api_query(call, "q"),
                       .types = api_query(call, "types"),
                       .left = (size_t)api_query_int(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX)};
    str_cut(api_query(call, "cursor"), '~', &s.at_type, &s.at_cursor);
    s.w = api_json(call);
    jw_object(s.w);
    jw_key(s.w, "items");
    jw_array(s.w);
    TRY(search_types(&s));
    jw_array_end(s.w);
    jw_key(s.w, "next");
    if (s.next.len > 0)
        jw_str(s.w, s.next);
    else
        jw_null(s.w);
    jw_object_end(s.w);
    return err_none();
}

static const struct route_param search_params[] = {
    {"q", ROUTE_TEXT, true, "words, in Chinese or English: each must be in the document"},
    {"types", ROUTE_TEXT, false, "only documents of these types, comma between"},
    {"limit", ROUTE_INT, false, "documents in one answer; 20, at most 200"},
    {"cursor", ROUTE_TEXT, false, "`next` of the answer before"},
    {.name = NULL},
};

const struct route api_search_routes[] = {
    {HTTP_GET, "/api/v1/search", "search", "documents", "Find documents of all types by words", ROLE_PEOPLE,
     search_params, NULL, "Found", 0, 0, 0, search_all},
    {.handler = NULL},
};
