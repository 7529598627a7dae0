/*
 * A document type, as data. From one declaration come its table, its API resource, its validation, its OpenAPI
 * and its console pages. The tables are const and live in domain/ today; packs supply them later.
 */
#ifndef MODEL_DOCTYPE_H
#define MODEL_DOCTYPE_H

#include "model/principal.h"

enum field_kind {
    FIELD_TEXT,
    FIELD_INT,
    FIELD_NUMBER,  /* float, for measurements; never for money or quantities */
    FIELD_DECIMAL, /* exact, int64 at `scale`; a JSON string outside */
    FIELD_BOOL,
    FIELD_TIME,   /* Nanos; RFC 3339 outside */
    FIELD_CHOICE, /* one of `choices` */
    FIELD_REF,    /* id of a document of type `ref`; outside {"id":…,"number":…} on output, id or number on input */
    FIELD_THING,  /* a thing's name, of the same party; must exist */
    FIELD_JSON,   /* any JSON, kept as text */
};

enum share_class { SHARE_OWN, SHARE_PARTNERS, SHARE_PUBLIC, SHARE_SECRET };

struct choice {
    const char *name, *title_en, *title_zh;
};

struct field {
    const char *name, *title_en, *title_zh;
    enum field_kind kind;
    unsigned char scale; /* FIELD_DECIMAL */
    bool required, unique, indexed;
    bool computed;                /* only the system sets it; a person's input is refused */
    const char *unit;             /* UN/ECE Rec 20 code or NULL */
    const struct choice *choices; /* FIELD_CHOICE, ends with name NULL */
    const char *ref;              /* FIELD_REF */
    enum share_class share;
    const char *fallback; /* default, as text, or NULL */
};

struct doc_state {
    const char *name, *title_en, *title_zh;
    bool final;
    const char *tone; /* "neutral" "info" "good" "warning" "critical": how the console colours it */
};

struct transition {
    const char *name, *title_en, *title_zh;
    const char *from;   /* state names joined by '|', or "*" for every state that is not final */
    const char *to;     /* NULL: stays in its state */
    unsigned roles;     /* ROLE_BIT mask */
    const char *needs;  /* fields that must be given with it, joined by '|', or NULL */
    const char *takes;  /* further fields that may be given, or NULL */
    const char *stamps; /* FIELD_TIME field set to now, or NULL */
};

struct doctype {
    const char *name, *title_en, *title_zh; /* name as in the address: "work_order" */
    const char *prefix;                     /* numbers run PREFIX-000001 in each party */
    const struct field *fields;
    size_t n_fields;                /* at most DOCTYPE_FIELDS_MAX */
    const struct doc_state *states; /* the first is the initial one; at least one */
    size_t n_states;
    const struct transition *transitions;
    size_t n_transitions;
    unsigned read_roles, create_roles, change_roles; /* change: PATCH of fields outside transitions */
};

#define DOCTYPE_FIELDS_MAX 64

int doctype_field(const struct doctype *type, Str name); /* index or -1 */
int doctype_state(const struct doctype *type, Str name); /* index or -1 */
/* The first of that name, or NULL. Rows may share a name when they leave different states: */
const struct transition *doctype_transition(const struct doctype *type, Str name);
/* … then this is the one that leaves `state` (an index), or NULL. */
const struct transition *doctype_transition_from(const struct doctype *type, Str name, int state);
bool doctype_leaves(const struct doctype *type, const struct transition *t, int state); /* may it leave this state? */
bool doctype_names(const char *joined, Str name);                                       /* is name one of "a|b|c" */

/*
 * A document in memory. Everything in it lives in the arena of the call that gave it.
 * values[i] belongs to type->fields[i]: FIELD_TIME, _DECIMAL and _REF are VALUE_INT; FIELD_JSON, _CHOICE and _THING are
 * VALUE_STRING; VALUE_NONE is not set.
 */
struct doc {
    const struct doctype *type;
    int64_t id;
    Str number; /* "WO-000017" */
    PartyId party;
    int state;       /* index into type->states */
    int64_t version; /* 1…; the ETag */
    Nanos created, changed;
    Str created_by;
    Value *values; /* [type->n_fields] */
};

Value doctype_get(const struct doc *doc, const char *field); /* ASSERTs that the type has the field */
const char *doctype_state_name(const struct doc *doc);
bool doctype_in_state(const struct doc *doc, const char *state);

#endif
