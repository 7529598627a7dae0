/*
 * Agreements: what one party, the owner, gives another, the receiver. They are in memory as the records have them; a
 * change is written first and audited for both sides.
 *
 *     proposed ──counter──▶ negotiating ──accept──▶ agreed ──▶ active ◀──▶ suspended
 *         └──────accept────────────┴──────▶            │          └── end, or the clock ──▶ ended
 *
 * Every offer is a version; whoever makes one stands by it, and the other side accepts that version or answers with
 * its own. An agreement is active once a person of the receiver has accepted its confidentiality terms, if there are
 * any, and its time has come. Either side suspends, resumes what it suspended, and ends; reads stop at once. Without
 * consent, basis "law": the operator records the legal reference; the owner sees it and what is read.
 *
 * Any thread. Changes wait for their commit. What is handed out is copied into the arena given.
 */
#ifndef TRUST_AGREEMENTS_H
#define TRUST_AGREEMENTS_H

#include "model/principal.h"
#include "os/clock.h"
#include "trust/terms.h"

struct agreements;
struct records;

enum agreement_state {
    AGREEMENT_PROPOSED,
    AGREEMENT_NEGOTIATING,
    AGREEMENT_AGREED,
    AGREEMENT_ACTIVE,
    AGREEMENT_SUSPENDED,
    AGREEMENT_ENDED
};
enum agreement_side { AGREEMENT_OWNER, AGREEMENT_RECEIVER };

struct agreement_assent {
    Str who; /* empty: not given */
    Nanos at;
};
struct agreement {
    int64_t id;
    Str number, title; /* "AG-000012" */
    PartyId owner, receiver, proposed_by;
    enum agreement_state state; /* at the time of asking */
    int64_t version;
    Str terms; /* JSON */
    struct agreement_assent agreed[2], confidential;
    bool by_law;
    Str legal_reference, reason;
    unsigned suspended_by; /* bit of enum agreement_side */
    bool offered_by_owner; /* who made the newest version */
    Nanos created, changed;
};

struct agreements_options {
    struct records *records;
    const struct clock *clock;
    struct terms_world world;
    /* Runs the platform: may record what the law's named role gives. NULL: nobody. */
    bool (*is_operator)(void *ctx, const struct principal *who);
    /* After each change, for the other side: "proposed" "countered" "agreed" "suspended" …; must not block long. */
    void (*told)(void *ctx, const struct agreement *agreement, PartyId to, const char *what);
    void *ctx;
};
Err agreements_open(const struct agreements_options *options, struct agreements **out);
void agreements_close(struct agreements *agreements); /* NULL is fine */

const char *agreements_state_name(enum agreement_state state);
bool agreements_state_parse(Str name, enum agreement_state *out);
const char *agreements_dsp(const struct agreement *agreement); /* Dataspace Protocol, contract negotiation */

/* ---- changing. ERR_FORBIDDEN, ERR_STATE and ERR_INVALID say what is possible instead. */
struct agreement_offer {
    PartyId owner, receiver; /* one of them is who's own */
    Str title;
    const struct json *terms;
    Str legal_reference; /* not empty: by law */
};
Err agreements_step_propose(struct agreements *a, const struct principal *who, const struct agreement_offer *offer,
                            struct arena *arena, struct agreement *out);
/* step: "accept" "counter" "withdraw" "suspend" "resume" "end" "accept_confidentiality". version: of what is accepted;
 * 0: the newest. */
struct agreement_step {
    Str name, reason;
    const struct json *terms; /* counter */
    int64_t version;
};
Err agreements_step(struct agreements *a, const struct principal *who, int64_t id, const struct agreement_step *step,
                    struct arena *arena, struct agreement *out);
/* Names of the steps who may take now; ends with NULL. */
const char *const *agreements_step_can(struct agreements *a, const struct principal *who,
                                       const struct agreement *agreement, struct arena *arena);

/* ---- reading: only the two parties see an agreement; to others it is ERR_NOT_FOUND */
Err agreements_get(struct agreements *a, const struct principal *who, int64_t id, struct arena *arena,
                   struct agreement *out);
/* By id or number, "12" or "AG-000012". */
Err agreements_find(struct agreements *a, const struct principal *who, Str text, struct arena *arena,
                    struct agreement *out);
/* The only active one in which `owner` gives to who's party. ERR_CONFLICT names them when there are several. */
Err agreements_with(struct agreements *a, const struct principal *who, PartyId owner, struct arena *arena,
                    struct agreement *out);
Err agreements_list(struct agreements *a, const struct principal *who, struct arena *arena, struct agreement **out,
                    size_t *n); /* newest first */
struct agreement_version {
    int64_t version;
    Nanos at;
    Str who, terms, reason;
    PartyId by;
};
Err agreements_versions(struct agreements *a, const struct principal *who, int64_t id, struct arena *arena,
                        struct agreement_version **out, size_t *n); /* oldest first */

/* ---- for the gate: what an active agreement gives who of a type (NULL: of things and series), ready for a lens.
 * preview: for the owner, whatever its state. ERR_FORBIDDEN says why nothing may be read. */
struct agreement_share {
    struct terms_mask mask; /* of the type */
    bool aggregates;
    struct lens_grant *grants; /* type NULL */
    size_t n_grants;
    PartyId owner;
    Nanos from, to;
    uint32_t min_group;
    uint64_t version, hash;
    const char *purpose, *number;
};
Err agreements_share(struct agreements *a, const struct principal *who, int64_t id, const struct doctype *type,
                     bool preview, struct arena *arena, struct agreement_share *out);
/* May who read under it at all now? */
Err agreements_readable(struct agreements *a, const struct principal *who, int64_t id);
const struct terms_world *agreements_world(const struct agreements *a);

#endif
