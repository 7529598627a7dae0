/* The owner's log of disclosures: what others read of its data, when, and for what. */
#include "trust/disclosures.h"

#include "serve/api.h"
#include "serve/serve_state.h"
#include "trust/agreements.h"
#include "trust/people.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 1000 };

static Err find_log(const struct api_call *call, struct disclosures **out) {
    *out = call->serve->options.disclosures;
    return *out ? err_none() : err_make(ERR_NOT_FOUND, "this server keeps no agreements, so nothing is disclosed");
}

static void write_reader(const struct api_call *call, struct jw *w, PartyId party, Str who) {
    Str name = {0};
    people_party_name(call->serve->options.people, party, call->arena, &name);
    jw_key(w, "reader");
    jw_object(w);
    jw_key(w, "party");
    jw_object(w);
    jw_kint(w, "id", party);
    jw_kstr(w, "name", name);
    jw_object_end(w);
    if (who.len > 0) jw_kstr(w, "who", who);
    jw_object_end(w);
}

static void write_names(struct jw *w, const char *key, Str joined) {
    jw_key(w, key);
    jw_array(w);
    for (Str name; joined.len > 0;) {
        str_cut(joined, ',', &name, &joined);
        jw_str(w, name);
    }
    jw_array_end(w);
}

static void write_row(const struct api_call *call, struct jw *w, const struct disclosure *row) {
    jw_object(w);
    jw_kint(w, "id", row->id);
    jw_ktime(w, "at", row->at);
    jw_key(w, "agreement");
    jw_object(w);
    jw_kint(w, "id", row->agreement);
    jw_kstr(w, "number", row->number);
    jw_object_end(w);
    write_reader(call, w, row->reader, row->who);
    jw_kstr(w, "type", row->type);
    jw_kstr(w, "what", row->what);
    jw_kint(w, "rows", (int64_t)row->rows);
    write_names(w, "fields", row->fields);
    jw_kstr(w, "purpose", row->purpose);
    jw_key(w, "ledger");
    if (row->ledger >= 0)
        jw_int(w, row->ledger);
    else
        jw_null(w);
    jw_object_end(w);
}

static Err read_reader(const struct api_call *call, PartyId *out) {
    Str reader = api_query(call, "reader");
    int64_t id;
    *out = 0;
    if (reader.len == 0) return err_none();
    if (str_to_i64(reader, &id) && id > 0 && id <= UINT32_MAX) {
        *out = (PartyId)id;
        return err_none();
    }
    return people_find_party(call->serve->options.people, reader, out);
}

static Err read_agreement(const struct api_call *call, int64_t *out) {
    struct agreement agreement;
    Str text = api_query(call, "agreement");
    *out = 0;
    if (text.len == 0) return err_none();
    TRY(agreements_find(call->serve->options.agreements, &call->who, text, call->arena, &agreement));
    *out = agreement.id;
    return err_none();
}

static Err list_disclosures(struct api_call *call) {
    struct disclosures *log;
    struct disclosure *rows;
    size_t n;
    struct disclosures_query query = {.from = api_query_time(call, "from"),
                                      .to = api_query_time(call, "to"),
                                      .before = api_query_int(call, "cursor", 0, 0, INT64_MAX),
                                      .limit = (size_t)api_query_int(call, "limit", LIMIT_DEFAULT, 1, LIMIT_MAX)};
    TRY(find_log(call, &log));
    TRY(read_reader(call, &query.reader));
    TRY(read_agreement(call, &query.agreement));
    TRY(disclosures_list(log, call->who.party, &query, call->arena, &rows, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) write_row(call, w, &rows[i]);
    jw_array_end(w);
    jw_key(w, "next");
    if (n == query.limit)
        jw_str(w, arena_printf(call->arena, "%lld", (long long)rows[n - 1].id));
    else
        jw_null(w);
    jw_object_end(w);
    return err_none();
}

static Err summarise(struct api_call *call) {
    struct disclosures *log;
    struct disclosures_line *lines;
    size_t n;
    Str by = api_query(call, "by");
    TRY(find_log(call, &log));
    if (by.len > 0 && !str_eq_c(by, "reader:day"))
        return err_make(ERR_INVALID, "query parameter 'by' is reader:day, the only summary there is");
    TRY(disclosures_summary(log, call->who.party, api_query_time(call, "from"), api_query_time(call, "to"), call->arena,
                            &lines, &n));
    struct jw *w = api_json(call);
    jw_object(w);
    jw_key(w, "items");
    jw_array(w);
    for (size_t i = 0; i < n; i++) {
        jw_object(w);
        write_reader(call, w, lines[i].reader, (Str){0});
        jw_ktime(w, "day", lines[i].day);
        jw_kint(w, "reads", (int64_t)lines[i].reads);
        jw_kint(w, "rows", (int64_t)lines[i].rows);
        jw_object_end(w);
    }
    jw_array_end(w);
    jw_object_end(w);
    return err_none();
}

static const struct route_param list_params[] = {
    {"agreement", ROUTE_TEXT, false, "only reads under this agreement, by id or number"},
    {"reader", ROUTE_TEXT, false, "only reads by this party, by name or id"},
    {"from", ROUTE_TIME, false, "RFC 3339 or ms since 1970"},
    {"to", ROUTE_TIME, false, "RFC 3339 or ms since 1970, not included"},
    {"limit", ROUTE_INT, false, "reads in one answer; 50, at most 1000"},
    {"cursor", ROUTE_INT, false, "`next` of the answer before"},
    {.name = NULL},
};
static const struct route_param summary_params[] = {
    {"by", ROUTE_TEXT, false, "reader:day"},
    {"from", ROUTE_TIME, false, "RFC 3339 or ms since 1970"},
    {"to", ROUTE_TIME, false, "RFC 3339 or ms since 1970, not included"},
    {.name = NULL},
};

const struct route api_disclosures_routes[] = {
    {HTTP_GET, "/api/v1/disclosures", "listDisclosures", "agreements", "What others read of our data, newest first",
     ROLE_STAFF, list_params, NULL, "DisclosurePage", 0, 0, 0, list_disclosures},
    {HTTP_GET, "/api/v1/disclosures/summary", "summariseDisclosures", "agreements",
     "The same, counted by reader and day", ROLE_STAFF, summary_params, NULL, "Any", 0, 0, 0, summarise},
    {.handler = NULL},
};
