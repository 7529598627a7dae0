/* What a question gives, written as JSON, CSV or lines of JSON while it comes. */
#ifndef SERVE_QUERY_JSON_OUT_H
#define SERVE_QUERY_JSON_OUT_H

#include "base/arena.h"
#include "base/jw.h"
#include "insight/query.h"

enum query_json_out_form { QUERY_JSON_OUT_JSON, QUERY_JSON_OUT_CSV, QUERY_JSON_OUT_LINES };

struct query_json_out {
    enum query_json_out_form form;
    bool times_ms;
    struct buf *out;
    /* Called when more than flush_at bytes are waiting; takes them. False: nobody reads any more. NULL: never. */
    bool (*flush)(void *ctx, struct buf *out);
    void *ctx;
    size_t flush_at;
    struct arena *arena; /* of the columns' names */
    /* ---- its own */
    struct jw w;
    struct query_column columns[2 * QUERY_COLUMNS_MAX + 40];
    size_t n;
    uint64_t rows;
};
struct query_sink query_json_out_sink(struct query_json_out *out);
/* The end of a JSON answer: its counts, or what went wrong behind the first rows. */
void query_json_out_end(struct query_json_out *out, const struct query_stats *stats, Err err);
const char *query_json_out_type(enum query_json_out_form form); /* the media type */
bool query_json_out_accept(Str accept, enum query_json_out_form *form);

#endif
