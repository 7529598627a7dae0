/*
 * Two parties for the property test of the gate: acme's documents and samples bear values that occur nowhere else, and
 * each agreement that is drawn gives other some fields of some rows of them.
 */
#ifndef TESTS_LIB_SERVE_GATE_WORLD_H
#define TESTS_LIB_SERVE_GATE_WORLD_H

#include "tests/lib/serve_gate_model.h"
#include "tests/lib/serve_types.h"

enum { ORDERS = 36, CUSTOMERS = 8, MEMOS = 6, SECRETS_MAX = 1200, FAULTS_MAX = 20 };

struct secret { /* a text that occurs in one field of one document of acme's */
    char text[64];
    size_t type, doc;
    int column;
};
struct world {
    struct serve_rig rig;
    struct gate_model model;
    char viewer[96], third[96]; /* other's viewer; a party that is no side */
    struct secret secrets[SECRETS_MAX];
    size_t n_secrets;
    uint64_t random, noted;
    long long agreement;
    const char *reader;
    bool may_memo; /* the reader's role reads memos */
    unsigned faults, asked;
    unsigned also; /* further lines in the log that the next question makes */
    bool adds;     /* the next answer has sums, which may happen to be a number of some document */
    Str last;      /* the body of the last answer */
};

static inline uint64_t draw(struct world *w) {
    uint64_t z = (w->random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
static inline size_t below(struct world *w, size_t n) { return (size_t)(draw(w) % n); }
static inline bool chance(struct world *w, unsigned percent) { return draw(w) % 100 < percent; }

static inline const struct json *docs_of(const struct world *w, size_t type) {
    return json_get(w->model.docs[type], "items");
}

static inline bool given(const struct world *w, size_t type, int column) { return w->model.terms[type].fields[column]; }

bool gate_world_open(struct world *w);
void gate_world_close(struct world *w);
/* Draws the terms of an agreement and makes it active; its model is w->model. */
bool gate_world_agree(struct world *w);
/* Prints what is wrong with an answer, at most FAULTS_MAX times. */
void gate_world_fault(struct world *w, const char *target, const char *what, Str body);
/* Asks under the agreement. tree: of a 200; json_free it; NULL: it is no JSON, see last. detail: of a refusal. Every
 * success must be in the owner's log, once, and no text of a document or field that is not given may occur in it. */
int gate_world_ask(struct world *w, const char *target, struct json **tree, char detail[256]);
void gate_world_refused(struct world *w, const char *target, int status, const char *detail); /* NULL: any */
/* acme writes a little more into a document's first field; the model sees it. False: it cannot be written any more. */
bool gate_world_touch(struct world *w, size_t type, size_t doc);
bool gate_world_noted(struct world *w, uint64_t n); /* so many lines came into the owner's log since the last look? */
void gate_world_secrets(struct world *w, const char *target, Str body);
const char *gate_world_escape(const char *text, char *out, size_t size);

#endif
