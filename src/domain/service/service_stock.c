#include "domain/service/service_stock.h"

#include "base/log.h"

#define PART service_doc_type(s, PART_TYPE)
#define RESERVATION service_doc_type(s, RESERVATION_TYPE)
#define TRIES 500 /* each lost try means that another one won */

/* A part and the reservations that hold pieces of it, as of one moment: read again when the part changed meanwhile. */
struct holding {
    struct doc *part;
    struct doc_page page; /* oldest first */
};

static Err read_holding(struct service *s, PartyId party, int64_t part, struct arena *arena, struct holding *out) {
    struct doc_filter filters[] = {SERVICE_DOC_ID(RESERVATION_PART, part),
                                   SERVICE_DOC_STATE(RESERVATION_STATE_RESERVED),
                                   SERVICE_DOC_STATE(RESERVATION_STATE_USED),
                                   {RESERVATION_ISSUED, DOC_IS_SET, VALUE_B(false)}};
    struct doc *again;
    TRY(service_doc_get(s, party, PART, part, arena, &again));
    for (int i = 0; i < TRIES; i++) {
        out->part = again;
        TRY(service_doc_find(s, party, RESERVATION, filters, 4, "id", 0, arena, &out->page));
        TRY(service_doc_get(s, party, PART, part, arena, &again));
        if (again->version == out->part->version) return err_none();
    }
    return err_make(ERR_BUSY, "part '" STR_FMT "' changes faster than its stock can be counted: try again",
                    STR_ARG(out->part->number));
}

/* Pieces held up to and with the reservation `last`. One that was used counts until the part's `on_hand` fell for it.
 * standing_only: those alone that still wait. */
static int64_t pieces(const struct holding *h, int64_t last, bool standing_only) {
    int64_t sum = 0;
    for (size_t i = 0; i < h->page.n && h->page.docs[i]->id <= last; i++) {
        const struct doc *r = h->page.docs[i];
        bool used = doctype_in_state(r, RESERVATION_STATE_USED);
        if (used && (standing_only || r->id == service_doc_int(h->part, PART_LAST_ISSUE))) continue;
        sum += service_doc_int(r, RESERVATION_QUANTITY);
    }
    return sum;
}

/* Brings the part's `reserved` in line. A write that succeeds counted at least all that stood when the one before was
 * written. */
static Err follow(struct service *s, PartyId party, int64_t part, struct arena *arena) {
    Err err = err_none();
    for (int i = 0; i < TRIES; i++) {
        struct holding h;
        TRY(read_holding(s, party, part, arena, &h));
        int64_t reserved = pieces(&h, INT64_MAX, true);
        if (reserved == service_doc_int(h.part, PART_RESERVED)) return err_none();
        struct service_sets sets = {.n = 0};
        service_doc_put_count(&sets, PART_RESERVED, reserved);
        err = service_doc_change(s, &h.part, &sets, true, arena);
        if (err.code != ERR_PRECONDITION) return err;
    }
    return err;
}

/* *holds false: it was beyond the stock and is released again. */
static Err settle(struct service *s, struct doc **reservation, struct arena *arena, bool *holds) {
    struct holding h;
    PartyId party = (*reservation)->party;
    TRY(read_holding(s, party, service_doc_int(*reservation, RESERVATION_PART), arena, &h));
    *holds = pieces(&h, (*reservation)->id, false) <= service_doc_int(h.part, PART_ON_HAND);
    if (!*holds) {
        struct service_sets sets = {.n = 0};
        service_doc_put_text(&sets, RESERVATION_NOTE, STR("no free piece in stock / 库存不足"));
        int64_t id = (*reservation)->id;
        Err err = service_doc_move(s, reservation, RESERVATION_STEP_RELEASE, &sets, arena);
        if (err.code != ERR_NONE && err.code != ERR_STATE) return err;
        if (err.code == ERR_STATE) { /* the reaction to its making was quicker, or a person */
            TRY(service_doc_get(s, party, RESERVATION, id, arena, reservation));
            *holds = !doctype_in_state(*reservation, RESERVATION_STATE_RELEASED);
        }
    }
    return follow(s, party, service_doc_int(*reservation, RESERVATION_PART), arena);
}

Err service_stock_reserve(struct service *s, PartyId party, int64_t part, int64_t order, struct arena *arena,
                          struct doc **out) {
    struct service_sets sets = {.n = 0};
    service_doc_put_int(&sets, RESERVATION_PART, part);
    service_doc_put_int(&sets, RESERVATION_WORK_ORDER, order);
    service_doc_put_int(&sets, RESERVATION_QUANTITY, 1);
    TRY(service_doc_create(s, party, RESERVATION, &sets, arena, out));
    bool holds;
    TRY(settle(s, out, arena, &holds));
    if (!holds) *out = NULL;
    return err_none();
}

Err service_stock_of_order(struct service *s, PartyId party, int64_t order, struct arena *arena, struct doc **out) {
    struct doc_filter filters[] = {SERVICE_DOC_ID(RESERVATION_WORK_ORDER, order),
                                   SERVICE_DOC_STATE(RESERVATION_STATE_RESERVED),
                                   SERVICE_DOC_STATE(RESERVATION_STATE_USED)};
    struct doc_page page;
    TRY(service_doc_find(s, party, RESERVATION, filters, 3, "id", 1, arena, &page));
    *out = page.n ? page.docs[0] : NULL;
    return err_none();
}

Err service_stock_made(struct service *s, PartyId party, int64_t id, struct arena *arena) {
    struct doc *reservation;
    bool holds;
    TRY(service_doc_get(s, party, RESERVATION, id, arena, &reservation));
    if (!doctype_in_state(reservation, RESERVATION_STATE_RESERVED)) return err_none();
    return settle(s, &reservation, arena, &holds);
}

/* Takes the pieces off the shelf once: the part remembers the last reservation taken, and only this thread takes. */
static Err take_from_shelf(struct service *s, const struct doc *reservation, struct arena *arena) {
    Err err = err_none();
    for (int i = 0; i < TRIES; i++) {
        struct doc *part;
        TRY(service_doc_get(s, reservation->party, PART, service_doc_int(reservation, RESERVATION_PART), arena, &part));
        if (service_doc_int(part, PART_LAST_ISSUE) == reservation->id) return err_none();
        int64_t left = service_doc_int(part, PART_ON_HAND) - service_doc_int(reservation, RESERVATION_QUANTITY);
        if (left < 0) LOG_WARN("service.stock_below_zero", LOG_S("part", service_doc_text(part, PART_CODE)));
        struct service_sets sets = {.n = 0};
        service_doc_put_count(&sets, PART_ON_HAND, left < 0 ? 0 : left);
        service_doc_put_int(&sets, PART_LAST_ISSUE, reservation->id);
        err = service_doc_change(s, &part, &sets, true, arena);
        if (err.code != ERR_PRECONDITION) return err;
    }
    return err;
}

Err service_stock_used(struct service *s, PartyId party, int64_t id, struct arena *arena) {
    struct doc *reservation;
    TRY(service_doc_get(s, party, RESERVATION, id, arena, &reservation));
    if (service_doc_flag(reservation, RESERVATION_ISSUED)) return err_none();
    TRY(take_from_shelf(s, reservation, arena));
    struct service_sets sets = {.n = 0};
    service_doc_put_flag(&sets, RESERVATION_ISSUED, true);
    TRY(service_doc_change(s, &reservation, &sets, false, arena));
    return follow(s, party, service_doc_int(reservation, RESERVATION_PART), arena);
}

Err service_stock_released(struct service *s, PartyId party, int64_t id, struct arena *arena) {
    struct doc *reservation;
    TRY(service_doc_get(s, party, RESERVATION, id, arena, &reservation));
    return follow(s, party, service_doc_int(reservation, RESERVATION_PART), arena);
}
