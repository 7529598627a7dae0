/*
 * Answers kept under an Idempotency-Key, so that a POST sent again (after a lost answer) is done once. In memory,
 * bounded: the oldest go first, large answers are not kept.
 */
#ifndef SERVE_IDEMPOTENCY_H
#define SERVE_IDEMPOTENCY_H

#include "base/err.h"
#include "os/http.h"

#define IDEMPOTENCY_KEYS_MAX 512
#define IDEMPOTENCY_ANSWER_MAX (32 * 1024)

struct idempotency;

struct idempotency *idempotency_new(void);
void idempotency_free(struct idempotency *table);
/*
 * *repeated: the answer was given before and stands in the response. ERR_CONFLICT: the first one is still being worked
 * on; ERR_INVALID: the key was used for another body. Otherwise do the work, then call idempotency_end with the same
 * name.
 */
Err idempotency_begin(struct idempotency *table, Str name, uint64_t body_hash, struct http_response *response,
                      bool *repeated);
void idempotency_end(struct idempotency *table, Str name, const struct http_response *response); /* NULL: it failed */

#endif
