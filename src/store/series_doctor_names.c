/*
 * The catalogue of names. A block that cannot be read takes its names away, unless the log still has them; then the
 * numbers are given names that say so, with the party that the runs have for the thing. A thing without rows in a run
 * and without a name belongs to nobody that anybody knows of: its number stays taken, and its rows in the log are lost.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "store/series_chunk.h"
#include "store/series_doctor_inner.h"
#include "store/series_run_form.h"
#include "store/series_wal.h"

#define FILE_BYTES_MAX ((size_t)4 << 30)
#define MAGIC "WEFTNAM1"
#define BLOCK_HEAD 16
#define WIRE_HEAD 10

/* Stored names by their number, borrowed from the bytes they came in. */
struct found {
    Str *wires[SERIES_NAME_KINDS]; /* [cap], by number; empty: not found */
    uint32_t cap[SERIES_NAME_KINDS], top[SERIES_NAME_KINDS];
};

static void note(struct found *f, uint8_t kind, uint32_t id, Str wire) {
    if (kind >= SERIES_NAME_KINDS || id == 0 || id > (1u << 28)) return;
    if (id >= f->cap[kind]) {
        uint32_t cap = id * 2 + 64;
        f->wires[kind] = realloc(f->wires[kind], cap * sizeof *f->wires[kind]);
        ASSERT(f->wires[kind] != NULL);
        memset(f->wires[kind] + f->cap[kind], 0, (cap - f->cap[kind]) * sizeof *f->wires[kind]);
        f->cap[kind] = cap;
    }
    f->wires[kind][id] = wire;
    if (id > f->top[kind]) f->top[kind] = id;
}

static void note_all(struct found *f, Str stored) {
    while (stored.len >= WIRE_HEAD) {
        uint32_t id;
        memcpy(&id, stored.ptr, 4);
        size_t size = WIRE_HEAD + (size_t)(uint8_t)stored.ptr[9];
        if (id == 0 || size > stored.len) return;
        note(f, (uint8_t)stored.ptr[8], id, str_slice(stored, 0, size));
        stored = str_slice(stored, size, stored.len);
    }
}

/* Blocks that are whole; *at: the first that is not. */
static bool note_blocks(struct found *f, Str bytes, size_t *bad) {
    *bad = 0;
    if (bytes.len < 8 || memcmp(bytes.ptr, MAGIC, 8) != 0) return false;
    for (size_t at = 8; at < bytes.len;) {
        uint32_t size = 0;
        uint64_t checksum = 0;
        *bad = at;
        if (bytes.len - at < BLOCK_HEAD) return false;
        memcpy(&size, bytes.ptr + at, 4), memcpy(&checksum, bytes.ptr + at + 8, 8);
        at += BLOCK_HEAD;
        if (size > bytes.len - at || checksum != hash_bytes(bytes.ptr + at, size)) return false;
        note_all(f, str_slice(bytes, at, at + size));
        at += size;
    }
    return true;
}

/* Behind a damaged block: blocks that begin at any later byte. */
static void search_blocks(struct found *f, Str bytes, size_t from) {
    for (size_t at = from + 1; at + BLOCK_HEAD < bytes.len; at++) {
        uint32_t size, zero;
        uint64_t checksum;
        memcpy(&size, bytes.ptr + at, 4), memcpy(&zero, bytes.ptr + at + 4, 4),
            memcpy(&checksum, bytes.ptr + at + 8, 8);
        if (zero || size < WIRE_HEAD || size > bytes.len - at - BLOCK_HEAD) continue;
        if (checksum != hash_bytes(bytes.ptr + at + BLOCK_HEAD, size)) continue;
        note_all(f, str_slice(bytes, at + BLOCK_HEAD, at + BLOCK_HEAD + size));
        at += BLOCK_HEAD + size - 1;
    }
}

/* ---- the log still has the newest */

struct segments {
    struct series_doctor *d;
    struct found *found;
    struct buf bytes; /* of all segments; wires point into it, so it is reserved first */
    uint64_t total;
};

static bool is_segment(Str name, uint32_t *number) {
    char text[9] = "", *end;
    if (name.len != 16 || !str_starts(name, STR("wal-")) || !str_ends(name, STR(".log"))) return false;
    memcpy(text, name.ptr + 4, 8);
    *number = (uint32_t)strtoul(text, &end, 16);
    return end == text + 8;
}

static bool measure(void *ctx, Str name) {
    struct segments *s = ctx;
    char text[32], path[4096];
    uint32_t number;
    struct file *file;
    uint64_t size = 0;
    if (!is_segment(name, &number)) return true;
    snprintf(text, sizeof text, STR_FMT, STR_ARG(name));
    series_doctor_path(s->d, text, path);
    if (file_open(s->d->fs, path, FILE_READ, &file).code) return true;
    if (file_size(file, &size).code == ERR_NONE) s->total += size + 8;
    file_close(file);
    return true;
}

static bool note_segment(void *ctx, Str name) {
    struct segments *s = ctx;
    char text[32], path[4096];
    uint32_t number;
    struct series_wal_record r;
    if (!is_segment(name, &number)) return true;
    snprintf(text, sizeof text, STR_FMT, STR_ARG(name));
    series_doctor_path(s->d, text, path);
    while (s->bytes.len % 8) buf_byte(&s->bytes, 0);
    size_t from = s->bytes.len;
    if (file_load(s->d->fs, path, (size_t)4 << 30, &s->bytes).code) return true;
    Str all = str_slice(buf_view(&s->bytes), from, s->bytes.len);
    for (size_t at = SERIES_WAL_SEGMENT_HEAD; at < all.len;) {
        if (!series_wal_record(all, at, number, &r)) {
            at += 8;
            continue;
        }
        if (r.kind == SERIES_WAL_NAMES) note_all(s->found, r.payload);
        at = r.end;
    }
    return true;
}

/* ---- the runs know whose a thing is, and which metrics there are */

struct owners {
    PartyId *party; /* [cap], by thing; 0: not known */
    uint32_t cap, top_thing, top_metric;
};

static void own(struct owners *o, PartyId party, ThingId thing) {
    if (thing == 0 || thing > (1u << 28)) return;
    if (thing >= o->cap) {
        uint32_t cap = thing * 2 + 64;
        o->party = realloc(o->party, cap * sizeof *o->party);
        ASSERT(o->party != NULL);
        memset(o->party + o->cap, 0, (cap - o->cap) * sizeof *o->party);
        o->cap = cap;
    }
    o->party[thing] = party;
    if (thing > o->top_thing) o->top_thing = thing;
}

static void own_chunk(struct series_doctor *d, struct owners *o, struct series_run_chunk *chunk) {
    if (series_run_load_times(d->scratch, chunk).code) return;
    for (uint32_t i = 0; i < chunk->chunk.head.n_parts; i++) own(o, chunk->parts[i].party, chunk->parts[i].thing);
    for (uint32_t i = 0; i < chunk->chunk.head.n_columns; i++)
        if (chunk->columns[i].form.metric > o->top_metric) o->top_metric = chunk->columns[i].form.metric;
}

static void own_run(struct series_doctor *d, struct owners *o, const struct series_run_info *info) {
    struct series_run_place place = {.run = series_run_open(d->fs, d->dir, info)};
    struct series_run_entries all = {0};
    struct series_run_chunk chunk = {0};
    series_run_all(&place, &all);
    for (size_t i = 0; i < all.n; i++)
        if (series_run_load(&chunk, place.run, &all.items[i]).code == ERR_NONE) own_chunk(d, o, &chunk);
    series_run_chunk_fini(&chunk);
    series_run_unref(place.run);
    series_run_place_fini(&place);
    free(all.items);
}

/* ---- a catalogue of what was found, and of numbers in the place of what was not */

static void put_wire(struct buf *out, int kind, uint32_t id, PartyId party, const char *fmt) {
    char name[64];
    int n = snprintf(name, sizeof name, "%s-%u", fmt, id);
    buf_u32le(out, id);
    buf_u32le(out, party);
    buf_byte(out, (uint8_t)kind);
    buf_byte(out, (uint8_t)n);
    buf_add(out, name, (size_t)n);
}

static uint64_t put_kind(struct buf *out, const struct found *f, const struct owners *o, int kind, uint32_t top) {
    uint64_t lost = 0;
    for (uint32_t id = 1; id <= top; id++) {
        if (id < f->cap[kind] && f->wires[kind][id].len) {
            buf_str(out, f->wires[kind][id]);
            continue;
        }
        PartyId party = kind == SERIES_NAME_METRIC ? 0 : id < o->cap && o->party[id] ? o->party[id] : UINT32_MAX;
        put_wire(out, kind, id, party, kind == SERIES_NAME_METRIC ? "recovered-metric" : "recovered-thing");
        lost++;
    }
    return lost;
}

static uint32_t greater(uint32_t a, uint32_t b) { return a > b ? a : b; }

static Err write_catalogue(struct series_doctor *d, Str names) {
    char name[40], path[4096];
    struct buf bytes = {0};
    struct series_manifest *m = &d->manifest;
    m->names_file = m->next_file++;
    snprintf(name, sizeof name, "names-%012llx.weft", (unsigned long long)m->names_file);
    series_doctor_path(d, name, path);
    buf_c(&bytes, MAGIC);
    buf_u32le(&bytes, (uint32_t)names.len);
    buf_u32le(&bytes, 0);
    buf_u64le(&bytes, hash_bytes(names.ptr, names.len));
    buf_str(&bytes, names);
    m->names_bytes = bytes.len;
    Err err = file_replace(d->fs, path, buf_view(&bytes), "doctor.names");
    buf_fini(&bytes);
    return err;
}

/* What is known of the names, as stored; *lost: how many numbers got a name of ours. */
static void gather(struct series_doctor *d, struct found *f, struct buf *out, uint64_t *lost) {
    struct owners o = {0};
    for (size_t i = 0; i < d->manifest.n_runs; i++) own_run(d, &o, &d->manifest.runs[i]);
    uint32_t things = greater(greater(f->top[0], o.top_thing), d->manifest.names[0]);
    uint32_t metrics = greater(greater(f->top[1], o.top_metric), d->manifest.names[1]);
    *lost = put_kind(out, f, &o, SERIES_NAME_THING, things) + put_kind(out, f, &o, SERIES_NAME_METRIC, metrics);
    d->manifest.names[0] = things, d->manifest.names[1] = metrics;
    free(o.party);
}

static Err mend(struct series_doctor *d, struct found *f, const char *file) {
    struct segments s = {.d = d, .found = f};
    struct buf names = {0};
    uint64_t lost;
    char what[160];
    TRY(file_list(d->fs, d->dir, measure, &s));
    buf_reserve(&s.bytes, (size_t)s.total + 64);
    Err err = file_list(d->fs, d->dir, note_segment, &s);
    gather(d, f, &names, &lost);
    if (err.code == ERR_NONE) err = series_names_load(d->names, buf_view(&names));
    if (err.code == ERR_NONE) err = write_catalogue(d, buf_view(&names));
    if (lost) {
        snprintf(what, sizeof what,
                 "%llu names are lost; their things and metrics are called recovered-thing-N, -metric-N",
                 (unsigned long long)lost);
        series_doctor_say(d, SERIES_DOCTOR_MENDED, file, 0, what, "restore the file from a backup to have them back");
    }
    d->changed = true;
    buf_fini(&names);
    buf_fini(&s.bytes);
    return err;
}

Err series_doctor_names_run(struct series_doctor *d) {
    char file[40] = "names", path[4096];
    struct buf bytes = {0};
    struct found f = {0};
    size_t bad = 0;
    const struct series_manifest *m = &d->manifest;
    if (m->names_file == 0) return err_none();
    snprintf(file, sizeof file, "names-%012llx.weft", (unsigned long long)m->names_file);
    series_doctor_path(d, file, path);
    Err err = file_load(d->fs, path, FILE_BYTES_MAX, &bytes);
    bool gone = err.code == ERR_NOT_FOUND, cut = bytes.len < m->names_bytes;
    if (err.code && !gone) return err;
    if (!cut) bytes.len = (size_t)m->names_bytes;
    bool whole = !gone && !cut && note_blocks(&f, buf_view(&bytes), &bad);
    if (cut && !gone) note_blocks(&f, buf_view(&bytes), &bad);
    if (whole) whole = series_names_load(d->names, (Str){0}).code == ERR_NONE;
    if (whole) {
        struct buf names = {0};
        struct owners none = {0};
        whole = f.top[0] == m->names[0] && f.top[1] == m->names[1];
        if (put_kind(&names, &f, &none, 0, f.top[0]) + put_kind(&names, &f, &none, 1, f.top[1]) || !whole)
            whole = false;
        if (whole) whole = series_names_load(d->names, buf_view(&names)).code == ERR_NONE;
        buf_fini(&names);
    }
    d->result->files++, d->result->bytes += bytes.len, d->result->names += m->names[0] + m->names[1];
    if (!whole) {
        bool mends = d->options->repair;
        series_doctor_say(d, mends ? SERIES_DOCTOR_MENDED : SERIES_DOCTOR_DAMAGED, file, bad,
                          gone ? "the catalogue of names is gone" : "the catalogue of names cannot be read",
                          mends ? "made again of what can be read, of the log and the runs"
                                : "restore the file from a backup; --repair makes it again as far as it is known");
        search_blocks(&f, buf_view(&bytes), bad);
        if (mends)
            err = mend(d, &f, file);
        else
            err = err_none();
        if (mends && !gone && err.code == ERR_NONE) err = series_doctor_set_aside(d, file);
    } else {
        err = err_none();
    }
    series_doctor_progress(d, file, bytes.len);
    free(f.wires[0]);
    free(f.wires[1]);
    buf_fini(&bytes);
    return err;
}
