#include "kernel/compress_blocks.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* ---- blocks */

size_t compress_blocks_count(size_t n) { return (n + CODEC_BLOCK - 1) / CODEC_BLOCK; }

static size_t block_values(size_t n, size_t block) {
    size_t left = n - block * CODEC_BLOCK;
    return left < CODEC_BLOCK ? left : CODEC_BLOCK;
}

static size_t begin(struct buf *out, size_t n) {
    size_t sizes = out->len, room = (compress_blocks_count(n) - 1) * 4;
    buf_reserve(out, room);
    memset(out->ptr + sizes, 0, room);
    out->len += room;
    return sizes;
}

static void note_size(struct buf *out, size_t sizes, size_t block, size_t n_blocks, size_t from) {
    uint32_t size = (uint32_t)(out->len - from);
    if (block + 1 < n_blocks) memcpy(out->ptr + sizes + 4 * block, &size, 4);
}

void compress_blocks_ints(struct codec_work *work, const int64_t *v, size_t n, struct buf *out) {
    size_t blocks = compress_blocks_count(n), sizes = begin(out, n);
    for (size_t b = 0; b < blocks; b++) {
        size_t from = out->len;
        codec_block_write(work, v + b * CODEC_BLOCK, block_values(n, b), out);
        note_size(out, sizes, b, blocks, from);
    }
}

void compress_blocks_floats(struct codec_work *work, const double *v, size_t n, struct buf *out) {
    size_t blocks = compress_blocks_count(n), sizes = begin(out, n);
    for (size_t b = 0; b < blocks; b++) {
        size_t from = out->len;
        codec_real_write(work, v + b * CODEC_BLOCK, block_values(n, b), out);
        note_size(out, sizes, b, blocks, from);
    }
}

/* Block `from`'s bytes, then each next one. */
struct walk {
    const uint8_t *sizes, *at, *end;
    size_t n, block, blocks;
};

static bool start(struct walk *w, Str bytes, size_t n, size_t from) {
    *w = (struct walk){.n = n, .blocks = compress_blocks_count(n)};
    size_t head = (w->blocks - 1) * 4;
    if (bytes.len < head) return false;
    w->sizes = (const uint8_t *)bytes.ptr;
    w->at = w->sizes + head, w->end = w->sizes + bytes.len;
    for (uint32_t size; w->block < from; w->block++) {
        if (w->block + 1 >= w->blocks) return false;
        memcpy(&size, w->sizes + 4 * w->block, 4);
        if (size > (size_t)(w->end - w->at)) return false;
        w->at += size;
    }
    return true;
}

static bool next(struct walk *w, struct codec_in *in) {
    uint32_t size = (uint32_t)(w->end - w->at);
    if (w->block + 1 < w->blocks) memcpy(&size, w->sizes + 4 * w->block, 4);
    if (size > (size_t)(w->end - w->at)) return false;
    *in = (struct codec_in){w->at, w->at + size, w->end};
    w->at += size;
    w->block++;
    return true;
}

bool compress_blocks_read_ints(struct codec_work *work, Str bytes, size_t n, size_t from, size_t to, int64_t *v) {
    struct walk w;
    struct codec_in in;
    if (n == 0 || to > compress_blocks_count(n) || !start(&w, bytes, n, from)) return false;
    for (size_t b = from; b < to; b++) {
        size_t some = block_values(n, b);
        if (!next(&w, &in) || !codec_block_read(work, &in, v, some) || in.at != in.end) return false;
        v += some;
    }
    return true;
}

bool compress_blocks_read_floats(struct codec_work *work, Str bytes, size_t n, size_t from, size_t to, double *v) {
    struct walk w;
    struct codec_in in;
    if (n == 0 || to > compress_blocks_count(n) || !start(&w, bytes, n, from)) return false;
    for (size_t b = from; b < to; b++) {
        size_t some = block_values(n, b);
        if (!next(&w, &in) || !codec_real_read(work, &in, v, some) || in.at != in.end) return false;
        v += some;
    }
    return true;
}

/* ---- what is different */

struct slot {
    uint64_t word;
    uint32_t place, used;
};

static struct slot *find_slot(struct slot *slots, size_t mask, uint64_t word) {
    uint64_t hash = word * UINT64_C(0x9e3779b97f4a7c15);
    size_t i = (size_t)(hash >> 32 ^ hash >> 52) & mask;
    while (slots[i].used && slots[i].word != word) i = (i + 1) & mask;
    return &slots[i];
}

static int by_word(const void *a, const void *b) {
    uint64_t x, y;
    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    return x < y ? -1 : x > y;
}

bool compress_blocks_different(const uint64_t *words, size_t n, size_t most, struct compress_blocks_set *out) {
    size_t room = 64;
    while (room < 2 * most + 2) room *= 2;
    struct slot *slots = calloc(room, sizeof *slots);
    uint64_t *list = malloc((most + 1) * sizeof *list);
    int64_t *places = NULL;
    ASSERT(slots && list);
    size_t count = 0;
    for (size_t i = 0; i < n && count <= most; i++) {
        struct slot *s = find_slot(slots, room - 1, words[i]);
        if (s->used) continue;
        if (count == most) {
            count++;
            break;
        }
        *s = (struct slot){words[i], 0, 1};
        list[count++] = words[i];
    }
    bool few = count <= most;
    if (few) {
        qsort(list, count, sizeof *list, by_word);
        for (size_t i = 0; i < count; i++) find_slot(slots, room - 1, list[i])->place = (uint32_t)i;
        places = malloc(n * sizeof *places + 1);
        ASSERT(places != NULL);
        for (size_t i = 0; i < n; i++) places[i] = find_slot(slots, room - 1, words[i])->place;
    } else {
        free(list);
        list = NULL;
    }
    free(slots);
    *out = (struct compress_blocks_set){list, places, count};
    return few;
}
