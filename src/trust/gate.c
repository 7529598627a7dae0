#include "trust/gate.h"

/* Fields that this reader may see: secrets are for the staff alone. */
static uint64_t visible_fields(const struct principal *who, const struct doctype *type) {
    uint64_t fields = 0;
    for (size_t i = 0; i < type->n_fields; i++)
        if (type->fields[i].share != SHARE_SECRET || principal_may(who, ROLE_STAFF)) fields |= UINT64_C(1) << i;
    return fields;
}

Err gate_lens(const struct principal *who, const struct doctype *type, const char *purpose, struct lens *out) {
    unsigned readers = type ? type->read_roles : ROLE_PEOPLE;
    *out = (struct lens){0};
    if (!principal_may(who, readers))
        return err_make(ERR_FORBIDDEN, "'%s' may not read %s: ask for another role", who->name,
                        type ? type->name : "things");
    *out = gate_lens_own(who, purpose);
    if (type) out->fields = visible_fields(who, type);
    return err_none();
}

struct lens gate_lens_own(const struct principal *who, const char *reason) {
    struct lens lens = gate_lens_system(reason);
    lens.party = who->party;
    lens.every_party = who->party == 0 && principal_may(who, ROLE_BIT(ROLE_SYSTEM));
    return lens;
}

struct lens gate_lens_rows(const struct lens *lens) {
    struct lens rows = *lens;
    rows.fields = UINT64_MAX;
    return rows;
}

struct lens gate_lens_party(PartyId party, const char *reason) {
    struct lens lens = gate_lens_system(reason);
    lens.party = party;
    lens.every_party = false;
    return lens;
}

struct lens gate_lens_system(const char *reason) {
    return (struct lens){
        .every_party = true, .fields = UINT64_MAX, .from = INT64_MIN, .to = INT64_MAX, .purpose = reason};
}
