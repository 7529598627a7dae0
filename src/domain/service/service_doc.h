/*
 * Reading and writing documents in few words, for the steps of this folder only. All writes are the system's
 * ("system:service"), all reads see one party. Results live in the arena given.
 */
#ifndef DOMAIN_SERVICE_SERVICE_DOC_H
#define DOMAIN_SERVICE_SERVICE_DOC_H

#include "domain/service/service.h"
#include "model/machinery.h"

#define SERVICE_DOC_ARRIVE_HOURS 2  /* the promise: on site within … of the request */
#define SERVICE_DOC_FINISH_HOURS 24 /* … and working again within */

struct service {
    struct service_options options;
};

/* A type of packs/machinery, as it is now: packs may change while the server runs. */
const struct doctype *service_doc_type(const struct service *s, const char *name);

/* Fields that are not set read as empty, 0, NaN and false. */
Str service_doc_text(const struct doc *doc, const char *field);
int64_t service_doc_int(const struct doc *doc, const char *field);
double service_doc_num(const struct doc *doc, const char *field);
bool service_doc_flag(const struct doc *doc, const char *field);
bool service_doc_has(const struct doc *doc, const char *field);

/* Values to write, gathered; an empty text, an id or time of 0 and NaN are left out. */
#define SERVICE_DOC_SETS_MAX 20
struct service_sets {
    struct doc_set set[SERVICE_DOC_SETS_MAX];
    size_t n;
};
void service_doc_put_text(struct service_sets *sets, const char *field, Str text);
void service_doc_put_int(struct service_sets *sets, const char *field, int64_t value);   /* also times and references */
void service_doc_put_count(struct service_sets *sets, const char *field, int64_t value); /* 0 is written as well */
void service_doc_put_nothing(struct service_sets *sets, const char *field);              /* empties the field */
void service_doc_put_num(struct service_sets *sets, const char *field, double value);
void service_doc_put_flag(struct service_sets *sets, const char *field, bool value);

Err service_doc_lens(PartyId party, const struct doctype *type, struct lens *out); /* party 0: every one */
Err service_doc_get(struct service *s, PartyId party, const struct doctype *type, int64_t id, struct arena *arena,
                    struct doc **out);
/* Party 0: of every one. At most `limit` (0: 1,000) documents that fit all filters; sort as in struct doc_query. */
Err service_doc_find(struct service *s, PartyId party, const struct doctype *type, const struct doc_filter *filters,
                     size_t n_filters, const char *sort, size_t limit, struct arena *arena, struct doc_page *out);
Err service_doc_create(struct service *s, PartyId party, const struct doctype *type, const struct service_sets *sets,
                       struct arena *arena, struct doc **out);
/* doc becomes the new version. if_same: only when it still is the version read, else ERR_PRECONDITION. */
Err service_doc_change(struct service *s, struct doc **doc, const struct service_sets *sets, bool if_same,
                       struct arena *arena);
Err service_doc_move(struct service *s, struct doc **doc, const char *transition, const struct service_sets *sets,
                     struct arena *arena); /* sets may be NULL */

/* False for a replacement that the machines of a replayed recording know nothing of. */
bool service_doc_really_happened(const struct service *s, const struct doc *maintenance);

/* Filters. */
#define SERVICE_DOC_TEXT(field, text)                                                                                  \
    { field, DOC_EQ, VALUE_S(text) }
#define SERVICE_DOC_ID(field, id)                                                                                      \
    { field, DOC_EQ, VALUE_I(id) }
#define SERVICE_DOC_STATE(name)                                                                                        \
    {                                                                                                                  \
        "state", DOC_EQ, {                                                                                             \
            .kind = VALUE_STRING, .s = { name, sizeof(name) - 1 }                                                      \
        }                                                                                                              \
    }

#endif
