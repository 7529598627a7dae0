/*
 * Entries stand in segments that double in size and never move, so a reader needs no lock; the index is an
 * open-addressed table of numbers that is replaced whole when it fills. Old tables are kept until the end, because a
 * reader may still look into one; together they are smaller than the one in use.
 */
#include "store/series_names.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "os/thread.h"
#include "store/rows_form.h"

#define SEGMENTS 26
#define FIRST_SEGMENT 64u
#define NAME_MAX_BYTES 255
#define WIRE_HEAD 10

struct entry {
    const char *text;
    PartyId party;
    uint32_t len;
    uint32_t hash;
};

struct index {
    struct index *older;
    uint32_t mask;
    _Atomic uint32_t ids[];
};

struct dictionary {
    _Atomic(struct entry *) segments[SEGMENTS];
    _Atomic uint32_t count;
    _Atomic(struct index *) index;
};

struct series_names {
    pthread_mutex_t lock; /* for adding */
    struct dictionary kinds[SERIES_NAME_KINDS];
    struct arena text;
    struct buf waiting;
    _Atomic uint64_t text_bytes;
};

/* Segment k holds FIRST_SEGMENT << k entries; id 0 is none but has its place. */
static struct entry *entry_at(const struct dictionary *d, uint32_t id, bool make) {
    uint32_t n = id / FIRST_SEGMENT + 1, k = 31 - (uint32_t)__builtin_clz(n);
    ASSERT(k < SEGMENTS);
    struct entry *segment = atomic_load_explicit(&d->segments[k], memory_order_acquire);
    if (!segment && make) {
        segment = calloc((size_t)FIRST_SEGMENT << k, sizeof *segment);
        ASSERT(segment != NULL);
        atomic_store_explicit(&((struct dictionary *)d)->segments[k], segment, memory_order_release);
    }
    return segment ? &segment[id - FIRST_SEGMENT * ((1u << k) - 1)] : NULL;
}

static struct index *new_index(uint32_t size, struct index *older) {
    struct index *index = calloc(1, sizeof *index + size * sizeof index->ids[0]);
    ASSERT(index != NULL);
    index->mask = size - 1, index->older = older;
    return index;
}

struct series_names *series_names_new(void) {
    struct series_names *names = calloc(1, sizeof *names);
    ASSERT(names != NULL);
    thread_mutex_init(&names->lock);
    arena_init(&names->text, 0);
    for (int k = 0; k < SERIES_NAME_KINDS; k++) atomic_init(&names->kinds[k].index, new_index(FIRST_SEGMENT, NULL));
    return names;
}

void series_names_free(struct series_names *names) {
    if (!names) return;
    for (int k = 0; k < SERIES_NAME_KINDS; k++) {
        struct dictionary *d = &names->kinds[k];
        for (int i = 0; i < SEGMENTS; i++) free(atomic_load(&d->segments[i]));
        for (struct index *index = atomic_load(&d->index), *older; index; index = older) {
            older = index->older;
            free(index);
        }
    }
    arena_fini(&names->text);
    buf_fini(&names->waiting);
    thread_mutex_fini(&names->lock);
    free(names);
}

static uint32_t hash_name(PartyId party, Str name) { return (uint32_t)hash_seeded(name.ptr, name.len, party); }

/* The id, or 0 and the free place. */
static uint32_t probe(const struct dictionary *d, const struct index *index, uint32_t hash, PartyId party, Str name,
                      uint32_t *place) {
    for (uint32_t i = hash & index->mask;; i = (i + 1) & index->mask) {
        uint32_t id = atomic_load_explicit(&index->ids[i], memory_order_acquire);
        *place = i;
        if (id == 0) return 0;
        const struct entry *e = entry_at(d, id, false);
        if (e->hash == hash && e->party == party && e->len == name.len && memcmp(e->text, name.ptr, name.len) == 0)
            return id;
    }
}

bool series_names_find(const struct series_names *names, enum series_name_kind kind, PartyId party, Str name,
                       uint32_t *id) {
    const struct dictionary *d = &names->kinds[kind];
    uint32_t place;
    *id = probe(d, atomic_load_explicit(&d->index, memory_order_acquire), hash_name(party, name), party, name, &place);
    return *id != 0;
}

static Err check_name(enum series_name_kind kind, PartyId party, Str name) {
    const char *what = kind == SERIES_NAME_THING ? "thing" : "metric";
    if (name.len == 0) return err_make(ERR_INVALID, "a %s without a name: give 1 to 255 bytes", what);
    if (name.len > NAME_MAX_BYTES)
        return err_make(ERR_INVALID, "%s name '%.40s…' has %zu bytes: at most 255 are possible", what, name.ptr,
                        name.len);
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < 0x20 || name.ptr[i] == 0x7f)
            return err_make(ERR_INVALID, "%s name has a control character at byte %zu: leave it out", what, i);
    if (!str_is_utf8(name)) return err_make(ERR_INVALID, "%s name is not UTF-8: encode it so", what);
    if (kind == SERIES_NAME_THING && party == 0)
        return err_make(ERR_INVALID, "thing '" STR_FMT "' without a party: say whose it is", STR_ARG(name));
    return err_none();
}

static void grow_index(struct dictionary *d) {
    struct index *old = atomic_load(&d->index), *fresh = new_index((old->mask + 1) * 2, old);
    uint32_t count = atomic_load(&d->count);
    for (uint32_t id = 1; id <= count; id++) {
        uint32_t i = entry_at(d, id, false)->hash & fresh->mask;
        while (atomic_load_explicit(&fresh->ids[i], memory_order_relaxed)) i = (i + 1) & fresh->mask;
        atomic_store_explicit(&fresh->ids[i], id, memory_order_relaxed);
    }
    atomic_store_explicit(&d->index, fresh, memory_order_release);
}

/* With the lock held and the name known to be new. */
static uint32_t insert(struct series_names *names, enum series_name_kind kind, PartyId party, Str name, uint32_t hash) {
    struct dictionary *d = &names->kinds[kind];
    uint32_t id = atomic_load(&d->count) + 1;
    if (id > (atomic_load(&d->index)->mask + 1) / 4 * 3) grow_index(d);
    *entry_at(d, id, true) = (struct entry){arena_c(&names->text, name), party, (uint32_t)name.len, hash};
    atomic_fetch_add_explicit(&names->text_bytes, name.len + 1, memory_order_relaxed);
    atomic_store_explicit(&d->count, id, memory_order_release);
    struct index *index = atomic_load(&d->index);
    uint32_t i = hash & index->mask;
    while (atomic_load_explicit(&index->ids[i], memory_order_relaxed)) i = (i + 1) & index->mask;
    atomic_store_explicit(&index->ids[i], id, memory_order_release);
    return id;
}

static void put_wire(struct buf *into, enum series_name_kind kind, uint32_t id, PartyId party, Str name) {
    buf_u32le(into, id);
    buf_u32le(into, party);
    buf_byte(into, (uint8_t)kind);
    buf_byte(into, (uint8_t)name.len);
    buf_str(into, name);
}

Err series_names_add(struct series_names *names, enum series_name_kind kind, PartyId party, Str name, uint32_t *id) {
    if (series_names_find(names, kind, party, name, id)) return err_none();
    TRY(check_name(kind, party, name));
    thread_lock(&names->lock);
    Err err = err_none();
    if (!series_names_find(names, kind, party, name, id)) { /* nobody was quicker */
        if (atomic_load(&names->kinds[kind].count) < ROWS_METRIC_MAX) {
            *id = insert(names, kind, party, name, hash_name(party, name));
            put_wire(&names->waiting, kind, *id, party, name);
        } else {
            err = err_make(ERR_LIMIT, "no number left for '" STR_FMT "': too many names", STR_ARG(name));
        }
    }
    thread_unlock(&names->lock);
    return err;
}

bool series_names_get(const struct series_names *names, enum series_name_kind kind, uint32_t id, PartyId *party,
                      Str *name) {
    if (id == 0 || id > series_names_count(names, kind)) return false;
    const struct entry *e = entry_at(&names->kinds[kind], id, false);
    *party = e->party;
    *name = (Str){e->text, e->len};
    return true;
}

PartyId series_names_party(const struct series_names *names, ThingId thing) {
    if (thing == 0 || thing > series_names_count(names, SERIES_NAME_THING)) return 0;
    return entry_at(&names->kinds[SERIES_NAME_THING], thing, false)->party;
}

uint32_t series_names_count(const struct series_names *names, enum series_name_kind kind) {
    return atomic_load_explicit(&names->kinds[kind].count, memory_order_acquire);
}

static uint64_t dictionary_bytes(const struct dictionary *d) {
    uint64_t bytes = 0;
    for (uint32_t k = 0; k < SEGMENTS; k++)
        if (atomic_load(&d->segments[k])) bytes += ((uint64_t)FIRST_SEGMENT << k) * sizeof(struct entry);
    for (const struct index *index = atomic_load(&d->index); index; index = index->older)
        bytes += sizeof *index + (index->mask + UINT64_C(1)) * sizeof index->ids[0];
    return bytes;
}

uint64_t series_names_bytes(const struct series_names *names) {
    uint64_t bytes = atomic_load_explicit(&names->text_bytes, memory_order_relaxed);
    for (int k = 0; k < SERIES_NAME_KINDS; k++) bytes += dictionary_bytes(&names->kinds[k]);
    return bytes;
}

/* ---- stored form */

void series_names_take(struct series_names *names, struct buf *into) {
    thread_lock(&names->lock);
    buf_str(into, buf_view(&names->waiting));
    buf_clear(&names->waiting);
    thread_unlock(&names->lock);
}

void series_names_dump(const struct series_names *names, uint32_t from[SERIES_NAME_KINDS], struct buf *into) {
    for (int k = 0; k < SERIES_NAME_KINDS; k++) {
        uint32_t count = series_names_count(names, (enum series_name_kind)k);
        for (uint32_t id = from[k] + 1; id <= count; id++) {
            const struct entry *e = entry_at(&names->kinds[k], id, false);
            put_wire(into, (enum series_name_kind)k, id, e->party, (Str){e->text, e->len});
        }
        from[k] = count;
    }
}

static Err load_one(struct series_names *names, uint8_t kind, uint32_t id, PartyId party, Str name) {
    PartyId known_party;
    Str known;
    if (kind >= SERIES_NAME_KINDS) return err_make(ERR_CORRUPT, "stored name of kind %u", kind);
    TRY(check_name((enum series_name_kind)kind, party, name));
    if (series_names_get(names, (enum series_name_kind)kind, id, &known_party, &known)) {
        if (known_party == party && str_eq(known, name)) return err_none();
        return err_make(ERR_CORRUPT, "number %u stands for '" STR_FMT "' and '" STR_FMT "'", id, STR_ARG(known),
                        STR_ARG(name));
    }
    uint32_t count = series_names_count(names, (enum series_name_kind)kind), other;
    if (id != count + 1) return err_make(ERR_CORRUPT, "stored name has number %u after %u", id, count);
    if (series_names_find(names, (enum series_name_kind)kind, party, name, &other))
        return err_make(ERR_CORRUPT, "'" STR_FMT "' has the numbers %u and %u", STR_ARG(name), other, id);
    insert(names, (enum series_name_kind)kind, party, name, hash_name(party, name));
    return err_none();
}

static bool is_zero(const char *at, const char *end) {
    while (at < end && *at == 0) at++;
    return at == end;
}

static Err load_all(struct series_names *names, Str stored) {
    const char *at = stored.ptr, *end = at + stored.len;
    while (end - at > 0) {
        if (end - at < 8 && is_zero(at, end)) break; /* the log's records end at a multiple of 8 */
        if (end - at < WIRE_HEAD) return err_make(ERR_CORRUPT, "stored names end in the middle of one");
        uint32_t id, party;
        memcpy(&id, at, 4), memcpy(&party, at + 4, 4);
        uint8_t kind = (uint8_t)at[8], len = (uint8_t)at[9];
        if (end - at < WIRE_HEAD + len) return err_make(ERR_CORRUPT, "stored names end in the middle of one");
        TRY(load_one(names, kind, id, party, (Str){at + WIRE_HEAD, len}));
        at += WIRE_HEAD + len;
    }
    return err_none();
}

Err series_names_load(struct series_names *names, Str stored) {
    if (stored.len == 0) return err_none();
    thread_lock(&names->lock);
    Err err = load_all(names, stored);
    thread_unlock(&names->lock);
    if (err.code == ERR_INVALID) err.code = ERR_CORRUPT;
    return err;
}
