/*
 * An own-party lens is made anew at every read: the loop over at most 64 fields costs less than a look-up in a cache
 * would. What an agreement gives is compiled once for each type and kept with the agreement (trust/agreements.c), so
 * that a change of the agreement takes it along.
 */
#include "trust/gate.h"

#include "model/gate_rules.h"
#include "trust/agreements.h"

/* Fields that this reader may see: secrets are for the staff alone, and a party's additions for that party. */
static bool visible(const struct principal *who, const struct field *f) {
    if (f->share == SHARE_SECRET && !principal_may(who, ROLE_STAFF) && GATE_RULE_ON(SECRET)) return false;
    bool stranger = f->custom_of != 0 && f->custom_of != who->party && !principal_may(who, ROLE_BIT(ROLE_SYSTEM));
    return !(stranger && GATE_RULE_ON(CUSTOM));
}

static uint64_t visible_fields(const struct principal *who, const struct doctype *type) {
    uint64_t fields = 0;
    for (size_t i = 0; i < type->n_fields; i++)
        if (visible(who, &type->fields[i])) fields |= UINT64_C(1) << i;
    return fields;
}

static void visible_lines(const struct principal *who, const struct doctype *type, struct lens *lens) {
    unsigned k = 0;
    for (size_t i = 0; i < type->n_fields && k < DOCTYPE_LINES_MAX; i++) {
        if (type->fields[i].kind != FIELD_LINES) continue;
        if (type->fields[i].lines) lens->lines[k] = visible_fields(who, type->fields[i].lines);
        k++;
    }
}

static Err check_role(const struct principal *who, const struct doctype *type) {
    unsigned readers = type ? type->read_roles : ROLE_PEOPLE;
    if (principal_may(who, readers) || !GATE_RULE_ON(ROLE)) return err_none();
    return err_make(ERR_FORBIDDEN, "'%s' may not read %s: ask for another role", who->name,
                    type ? type->name : "things");
}

Err gate_lens(const struct principal *who, const struct doctype *type, const char *purpose, struct lens *out) {
    *out = (struct lens){0};
    TRY(check_role(who, type));
    *out = gate_lens_own(who, purpose);
    if (!GATE_RULE_ON(OWN_PARTY)) out->every_party = true;
    if (!type) return err_none();
    out->fields = visible_fields(who, type);
    visible_lines(who, type, out);
    return err_none();
}

/* ---- under an agreement */

static Err share_lens(struct agreements *agreements, const struct principal *who, int64_t agreement,
                      const struct doctype *type, bool preview, struct arena *arena, struct lens *out) {
    struct agreement_share share;
    *out = (struct lens){0};
    TRY(agreements_share(agreements, who, agreement, type, preview, arena, &share));
    *out = (struct lens){.party = share.owner,
                         .fields = share.mask.fields,
                         .base_hidden = share.mask.base_hidden,
                         .rows = share.mask.rows,
                         .n_rows = share.mask.n_rows,
                         .aggregates = share.aggregates,
                         .from = share.from,
                         .to = share.to,
                         .grants = share.grants,
                         .n_grants = share.n_grants,
                         .min_group = share.min_group,
                         .agreement = agreement,
                         .version = share.version,
                         .hash = share.hash,
                         .purpose = share.purpose};
    for (size_t i = 0; i < DOCTYPE_LINES_MAX; i++) out->lines[i] = share.mask.lines[i];
    return err_none();
}

Err gate_lens_agreement(struct agreements *agreements, const struct principal *who, int64_t agreement,
                        const struct doctype *type, struct arena *arena, struct lens *out) {
    *out = (struct lens){0};
    TRY(check_role(who, type));
    return share_lens(agreements, who, agreement, type, false, arena, out);
}

Err gate_lens_preview(struct agreements *agreements, const struct principal *owner, int64_t agreement,
                      const struct doctype *type, struct arena *arena, struct lens *out) {
    return share_lens(agreements, owner, agreement, type, true, arena, out);
}

bool gate_shows_base(const struct lens *lens, Str name) {
    for (const struct terms_mask_base_column *b = terms_mask_base; b->name; b++)
        if (str_eq_c(name, b->name)) return !(lens->base_hidden >> b->column & 1);
    return true;
}

/* ---- things and series */

static bool among(const char *const *names, Str name) {
    for (; names && *names; names++)
        if (str_eq_c(name, *names)) return true;
    return false;
}

static bool of_grant(const struct lens_grant *grant, Str thing, Str model) {
    if (!GATE_RULE_ON(THINGS)) return true;
    if (grant->things && !among(grant->things, thing)) return false;
    return !grant->model || str_eq_c(model, grant->model);
}

bool gate_shows_thing(const struct lens *lens, Str thing, Str model) {
    if (lens->agreement == 0) return true;
    for (size_t i = 0; i < lens->n_grants; i++)
        if (of_grant(&lens->grants[i], thing, model)) return true;
    return false;
}

/* Finer first; of the same fineness a level before an index. */
static bool finer(const struct lens_grant *a, const struct lens_grant *b) {
    return a->resolution != b->resolution ? a->resolution < b->resolution : a->index < b->index;
}

bool gate_lens_metric(const struct lens *lens, Str thing, Str model, Str metric, Nanos now, struct lens *out) {
    const struct lens_grant *best = NULL;
    *out = *lens;
    if (lens->agreement == 0) return true;
    for (size_t i = 0; i < lens->n_grants; i++) {
        const struct lens_grant *grant = &lens->grants[i];
        if (!of_grant(grant, thing, model)) continue;
        if (grant->metrics && !among(grant->metrics, metric) && GATE_RULE_ON(METRICS)) continue;
        if (!best || finer(grant, best)) best = grant;
    }
    if (!best) return false;
    if (GATE_RULE_ON(RESOLUTION)) out->resolution = best->resolution;
    out->index = best->index && GATE_RULE_ON(INDEX);
    if (!GATE_RULE_ON(PERIOD)) out->from = INT64_MIN, out->to = INT64_MAX;
    if (out->resolution > 0 && GATE_RULE_ON(WHOLE_HOURS)) { /* an hour that is not over would be told bit by bit */
        Nanos over = now - now % out->resolution;
        if (out->to > over) out->to = over;
    }
    return true;
}

struct lens gate_lens_grant(const struct lens *lens, size_t i) {
    struct lens one = *lens;
    ASSERT(i < lens->n_grants);
    one.grants = &lens->grants[i];
    one.n_grants = 1;
    return one;
}

/* ---- the system's own */

struct lens gate_lens_own(const struct principal *who, const char *reason) {
    struct lens lens = gate_lens_system(reason);
    lens.party = who->party;
    lens.every_party = who->party == 0 && principal_may(who, ROLE_BIT(ROLE_SYSTEM));
    return lens;
}

struct lens gate_lens_rows(const struct lens *lens) {
    struct lens rows = *lens;
    rows.fields = UINT64_MAX;
    rows.base_hidden = 0;
    rows.rows = NULL; /* conditions are on another type's fields */
    rows.n_rows = 0;
    rows.aggregates = false;
    return rows;
}

static uint64_t with_companions(uint64_t fields, const struct doctype *type) {
    uint64_t more = fields;
    for (size_t i = 0; i < type->n_fields; i++)
        if ((fields >> i & 1) && type->fields[i].companion > 0) more |= UINT64_C(1) << (type->fields[i].companion - 1);
    return more;
}

struct lens gate_lens_kept(const struct lens *lens, const struct doctype *type, uint32_t columns) {
    struct lens kept = *lens;
    size_t k = 0;
    kept.fields = with_companions(lens->fields, type);
    kept.base_hidden &= ~columns;
    for (size_t i = 0; i < type->n_fields && k < DOCTYPE_LINES_MAX; i++)
        if (type->fields[i].kind == FIELD_LINES) {
            kept.lines[k] = with_companions(lens->lines[k], type->fields[i].lines);
            k++;
        }
    return kept;
}

struct lens gate_lens_party(PartyId party, const char *reason) {
    struct lens lens = gate_lens_system(reason);
    lens.party = party;
    lens.every_party = false;
    return lens;
}

struct lens gate_lens_system(const char *reason) {
    struct lens lens = {
        .every_party = true, .fields = UINT64_MAX, .from = INT64_MIN, .to = INT64_MAX, .purpose = reason};
    for (size_t i = 0; i < DOCTYPE_LINES_MAX; i++) lens.lines[i] = UINT64_MAX;
    return lens;
}
