/* Failures as people and programs see them: application/problem+json (RFC 9457), and a short page for each kind. */
#ifndef SERVE_PROBLEM_H
#define SERVE_PROBLEM_H

#include "base/err.h"
#include "os/http.h"

/* The whole answer: status, type and body. */
void problem_answer(const struct http_request *request, Err err, struct http_response *response);
/* The page at /problems/SLUG. False: no such kind. */
bool problem_page(Str slug, struct buf *html);

#endif
