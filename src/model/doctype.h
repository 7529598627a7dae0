/*
 * A document type, as data. From one declaration come its table, its API resource, its validation, its OpenAPI
 * and its console pages. Packs supply them (model/pack.h); a type lives as long as the process.
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
    FIELD_MONEY,  /* as FIELD_DECIMAL; {"amount":"12.50","currency":"CNY"} outside, the currency in its companion field
                   */
    FIELD_DATE,   /* days since 1970-01-01; "2026-03-08" outside */
    FIELD_PARTY,  /* PartyId; the party's name outside */
    FIELD_FILE,   /* id of an attachment of this document */
    FIELD_GEOMETRY, /* GeoJSON geometry (RFC 7946), kept as text */
    FIELD_LINES,    /* rows of their own, of type `lines`; a JSON array of objects outside; no Value in the head */
};

enum share_class { SHARE_OWN, SHARE_PARTNERS, SHARE_PUBLIC, SHARE_SECRET };

/* What a field tells about its owner when it is shared; the consent page warns of it. */
enum reveals { REVEALS_NOTHING, REVEALS_PERSON, REVEALS_CUSTOMER, REVEALS_PRICE, REVEALS_OUTPUT };

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
    const char *fallback;          /* default, as text, or NULL */
    const char *help_en, *help_zh; /* a sentence for whoever fills it in, or NULL */
    const char *format;            /* FIELD_TEXT: a row of model/ident.h ("uscc", "gln", …), or NULL */
    const char *currency;          /* FIELD_MONEY: ISO 4217 code, fixed; NULL: each document says its own */
    unsigned char companion;       /* FIELD_MONEY: 1 + index of the FIELD_TEXT that keeps the currency; 0: fixed */
    bool hidden;                   /* a companion: never seen by itself */
    const char *compute;           /* Lua function of the type's script that gives the value, or NULL; see script.h */
    const struct doctype *lines;   /* FIELD_LINES: a type with fields (no lines of its own), without states */
    enum reveals reveals;
    const char *was;   /* its name in an earlier version of its pack, or NULL: what is kept moves along */
    PartyId custom_of; /* added by this party to a type of a pack: nobody else sees it; 0: the pack's own */
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

enum doc_op { DOC_EQ, DOC_NE, DOC_LT, DOC_LE, DOC_GT, DOC_GE, DOC_CONTAINS, DOC_IS_SET };

/* What must hold: at every write (transition NULL) or to make a transition. A comparison, or a Lua function. */
struct doc_check {
    const char *transition;
    const char *field; /* "quantity" */
    enum doc_op op;
    const char *other;    /* the field it is compared with, or NULL … */
    const char *text;     /* … for a constant, in the field's outside form */
    const char *function; /* a Lua function of the type's script that answers true; field is NULL then */
    const char *message_en, *message_zh;
};

struct script;

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
    unsigned delete_roles;                           /* 0: nobody; only in the first state */
    const struct doc_check *checks;
    size_t n_checks;
    const struct script *script; /* functions that compute and check; NULL: none */
    const char *pack;            /* the pack it comes from, or NULL */
    const char *number;          /* "WO-{yyyy}{mm}-{0000}"; NULL: PREFIX-{000000} */
    const char *help_en, *help_zh;
    const char *label; /* the field that names a document to people, or NULL: its number */
    bool immutable;    /* never changed after it was made: an event; corrected by another one */
};

#define DOCTYPE_FIELDS_MAX 64
#define DOCTYPE_LINES_MAX 4 /* fields of kind FIELD_LINES in a type */
#define DOCTYPE_LINE_ROWS_MAX 1000

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
 * VALUE_STRING; FIELD_MONEY, _DATE, _PARTY and _FILE are VALUE_INT; VALUE_NONE is not set.
 */
struct doc {
    const struct doctype *type;
    int64_t id;
    Str number; /* "WO-000017" */
    PartyId party;
    int state;       /* index into type->states, or DOC_STATE_HIDDEN */
    int64_t version; /* 1…; the ETag. 0, as number, times and created_by empty or 0: the lens hides it */
    Nanos created, changed;
    Str created_by;
    Value *values;           /* [type->n_fields] */
    struct doc_lines *lines; /* [DOCTYPE_LINES_MAX], the k-th field of kind FIELD_LINES; NULL: the type has none */
    int64_t batch;           /* the import it came with; 0: none */
};

#define DOC_STATE_HIDDEN (-1) /* read through a lens that does not show it */

struct doc_lines {
    Value **rows; /* [n][lines->n_fields] */
    size_t n;
};

Value doctype_get(const struct doc *doc, const char *field); /* ASSERTs that the type has the field */
const char *doctype_state_name(const struct doc *doc);       /* NULL: hidden */
bool doctype_in_state(const struct doc *doc, const char *state);

#endif
