/* What the endpoints of documents share. */
#ifndef SERVE_API_DOC_H
#define SERVE_API_DOC_H

#include "document/documents.h"
#include "serve/api.h"
#include "serve/serve_state.h"

struct documents *api_doc_engine(const struct api_call *call);
/* Of /docs/{type}/{id}, by id or number, through the caller's lens. */
Err api_doc_type(const struct api_call *call, const struct doctype **type);
Err api_doc_find(struct api_call *call, const struct doctype **type, struct lens *lens, struct doc **doc);
/* If-Match: one of our tags, or "*" for whatever stands (0). */
Err api_doc_version(const struct api_call *call, int64_t *version);
/* Own documents only: what is not given under an agreement. */
Err api_doc_own(const struct lens *lens, const char *what);

/* ?fields= and ?expand= of a read. The documents that were written out besides are noted by api_doc_shape_disclose,
 * before the answer leaves. */
struct api_doc_shape {
    struct doc_shape shape;
    struct api_call *call;
    struct api_doc_seen {
        const struct doctype *type;
        int64_t id;
    } * seen;
    size_t n, cap;
};
Err api_doc_shape_read(struct api_call *call, const struct doctype *type, const struct lens *lens,
                       struct api_doc_shape *out);
Err api_doc_shape_disclose(struct api_doc_shape *shape);

#endif
