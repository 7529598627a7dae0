/*
 * The format of packs, as data: which keys a mapping may have, what each takes, and what it is for. One table checks
 * the files, suggests what was meant, and is the JSON Schema that editors use (pack_schema.h). docs/packs.md explains
 * it.
 */
#ifndef MODEL_PACK_FORM_H
#define MODEL_PACK_FORM_H

#include "model/pack_node.h"

enum pack_want {
    PACK_WANT_TEXT, /* any scalar */
    PACK_WANT_NAME, /* lower case letters, digits and '_' */
    PACK_WANT_BOOL,
    PACK_WANT_INT,
    PACK_WANT_NUM,
    PACK_WANT_WORD,    /* one of `words` */
    PACK_WANT_TITLE,   /* a text, or {zh: …, en: …} */
    PACK_WANT_NAMES,   /* a name or a list of names; any texts */
    PACK_WANT_ROLES,   /* the same, of roles */
    PACK_WANT_CHOICES, /* a list of names, or names → titles */
    PACK_WANT_CHECKS,  /* "quantity > 0", or {check|lua, on, message}, or a list of such */
    PACK_WANT_PAIRS,   /* anything → scalar */
    PACK_WANT_KEYS,    /* a mapping with `keys` */
    PACK_WANT_EACH,    /* names → mappings with `keys` */
    PACK_WANT_TABLE,   /* any texts → mappings with `keys` */
    PACK_WANT_LIST,    /* a list of mappings with `keys` */
    PACK_WANT_KEEP,    /* a span, or {raw: span, 1m: …, 1h: …, 1d: …} */
    PACK_WANT_GIVES,   /* document types → the fields an agreement gives: a list, or {fields, rows} */
};

struct pack_key {
    const char *name;
    enum pack_want want;
    bool required;
    const struct pack_key *keys;
    const char *const *words; /* end with NULL */
    const char *help;
};

/* A section of a pack: a folder of files, or a key of pack.yaml. */
struct pack_section {
    const char *name;
    const struct pack_key *keys; /* of each thing in it */
    bool any_name;               /* names may be any text */
    const char *help;
};
extern const struct pack_section pack_form_sections[]; /* ends with name NULL */
extern const struct pack_key pack_form_pack[];         /* of pack.yaml, ends with name NULL */
extern const struct pack_key pack_form_field[];
extern const struct pack_key pack_form_check[];
extern const char *const pack_form_kinds[];
extern const char *const pack_form_shares[];
extern const char *const pack_form_reveals[];
extern const char *const pack_form_tones[];
extern const char *const pack_form_views[];
extern const char *const pack_form_roles[]; /* roles, then groups of them */
extern const char *const pack_form_resolutions[];

#define PACK_FORM_NAME_MAX 40
bool pack_form_is_name(Str text);
/* Says every key that is not known, missing or of another kind, here and below. */
void pack_check_map(const struct pack_node *map, const struct pack_key *keys, const char *what,
                    struct pack_faults *faults);
void pack_check_section(const struct pack_node *map, const struct pack_section *section, struct pack_faults *faults);
void pack_check_unknown(struct pack_faults *faults, struct pack_place at, const char *what, Str word,
                        const char *const *words);

#endif
