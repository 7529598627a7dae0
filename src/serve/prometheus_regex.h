/* Regular expressions of matchers and label_replace: PCRE2, anchored at both ends, with limits on time and memory. */
#ifndef SERVE_PROMETHEUS_REGEX_H
#define SERVE_PROMETHEUS_REGEX_H

#include "base/arena.h"
#include "base/err.h"

struct prometheus_regex;
/* Lives in the arena, which grows by what it needs. One thread at a time. ERR_INVALID says what and where. */
Err prometheus_regex_make(struct arena *arena, Str pattern, struct prometheus_regex **out);
/* The whole text. A text that takes more than the limits counts as no match, and prometheus_regex_gave_up says so. */
bool prometheus_regex_match(struct prometheus_regex *regex, Str text);
bool prometheus_regex_gave_up(const struct prometheus_regex *regex);
/* Of the last match: $1, ${1}, $name and ${name} are replaced by what the group took, $$ by $. */
Str prometheus_regex_expand(const struct prometheus_regex *regex, Str text, Str pattern, struct arena *arena);

#endif
