#include "trust/merkle.h"

#include <string.h>

#include "base/sha256.h"

MerkleHash merkle_leaf(Str entry) {
    MerkleHash out;
    unsigned char small[64];
    if (entry.len < sizeof small) { /* one call for the ledger's own, which are 32 bytes */
        small[0] = 0;
        if (entry.len > 0) memcpy(small + 1, entry.ptr, entry.len);
        sha256_bytes(small, entry.len + 1, out.bytes);
    } else {
        sha256_pair(str_n("\0", 1), entry, out.bytes);
    }
    return out;
}

MerkleHash merkle_node(MerkleHash left, MerkleHash right) {
    MerkleHash out;
    unsigned char both[65];
    both[0] = 1;
    memcpy(both + 1, left.bytes, 32);
    memcpy(both + 33, right.bytes, 32);
    sha256_bytes(both, sizeof both, out.bytes);
    return out;
}

MerkleHash merkle_empty(void) {
    MerkleHash out;
    sha256_bytes("", 0, out.bytes);
    return out;
}

bool merkle_eq(MerkleHash a, MerkleHash b) { return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0; }

/* ---- checking: RFC 9162, 2.1.3.2 and 2.1.4.2, in their words */
bool merkle_included(MerkleHash leaf, uint64_t index, uint64_t size, const MerkleHash *path, size_t n,
                     MerkleHash root) {
    if (index >= size) return false;
    uint64_t fn = index, sn = size - 1;
    MerkleHash r = leaf;
    for (size_t i = 0; i < n; i++) {
        if (sn == 0) return false;
        if ((fn & 1) || fn == sn) {
            r = merkle_node(path[i], r);
            while (!(fn & 1) && fn != 0) fn >>= 1, sn >>= 1;
        } else {
            r = merkle_node(r, path[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && merkle_eq(r, root);
}

bool merkle_consistent(uint64_t from, uint64_t to, const MerkleHash *path, size_t n, MerkleHash from_root,
                       MerkleHash to_root) {
    if (from > to) return false;
    if (from == to)
        return n == 0 && merkle_eq(from_root, to_root) && (from > 0 || merkle_eq(from_root, merkle_empty()));
    if (from == 0) return false;
    bool whole = (from & (from - 1)) == 0; /* the older root is itself a node of the newer tree */
    if (n == 0 && !whole) return false;
    uint64_t fn = from - 1, sn = to - 1;
    while (fn & 1) fn >>= 1, sn >>= 1;
    MerkleHash fr = whole ? from_root : path[0], sr = fr;
    for (size_t i = whole ? 0 : 1; i < n; i++) {
        if (sn == 0) return false;
        if ((fn & 1) || fn == sn) {
            fr = merkle_node(path[i], fr);
            sr = merkle_node(path[i], sr);
            while (!(fn & 1) && fn != 0) fn >>= 1, sn >>= 1;
        } else {
            sr = merkle_node(sr, path[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && merkle_eq(fr, from_root) && merkle_eq(sr, to_root);
}

/* ---- proving */
static unsigned level_of(uint64_t power) { return (unsigned)__builtin_ctzll(power); }

/* The largest power of two below n, n ≥ 2. */
static uint64_t split_of(uint64_t n) { return UINT64_C(1) << (63 - __builtin_clzll(n - 1)); }

/* The root over the leaves from … from + n - 1, where from is a multiple of the smallest power of two that is ≥ n:
 * the complete subtrees within, joined from the right. */
static Err range(const struct merkle_source *s, uint64_t from, uint64_t n, MerkleHash *out) {
    MerkleHash parts[64];
    size_t count = 0;
    while (n > 0) {
        uint64_t power = UINT64_C(1) << (63 - __builtin_clzll(n));
        TRY(s->node(s->ctx, level_of(power), from >> level_of(power), &parts[count++]));
        from += power;
        n -= power;
    }
    *out = parts[--count];
    while (count > 0) *out = merkle_node(parts[--count], *out);
    return err_none();
}

Err merkle_root(const struct merkle_source *s, uint64_t size, MerkleHash *out) {
    if (size > 0) return range(s, 0, size, out);
    *out = merkle_empty();
    return err_none();
}

/* The path is told from the leaf up, and found from the root down. */
static void turn(MerkleHash *path, size_t n) {
    for (size_t i = 0; i + 1 < n - i; i++) {
        MerkleHash other = path[i];
        path[i] = path[n - 1 - i];
        path[n - 1 - i] = other;
    }
}

Err merkle_prove_inclusion(const struct merkle_source *s, uint64_t index, uint64_t size,
                           MerkleHash path[MERKLE_PATH_MAX], size_t *n) {
    *n = 0;
    if (index >= size)
        return err_make(ERR_INVALID, "entry %llu is not among the first %llu", (unsigned long long)index,
                        (unsigned long long)size);
    uint64_t from = 0;
    while (size > 1) {
        uint64_t k = split_of(size);
        bool left = index < k;
        TRY(range(s, left ? from + k : from, left ? size - k : k, &path[(*n)++]));
        if (!left) from += k, index -= k;
        size = left ? k : size - k;
    }
    turn(path, *n);
    return err_none();
}

/* SUBPROOF of RFC 9162, 2.1.4.1. whole: the older tree is exactly the subtree looked at, so its root is known. */
Err merkle_prove_consistency(const struct merkle_source *s, uint64_t from, uint64_t to,
                             MerkleHash path[MERKLE_PATH_MAX], size_t *n) {
    *n = 0;
    if (from == 0 || from > to)
        return err_make(ERR_INVALID, "no proof leads from size %llu to size %llu: from 1 up to the newer size",
                        (unsigned long long)from, (unsigned long long)to);
    uint64_t at = 0;
    bool whole = true;
    while (from < to) {
        uint64_t k = split_of(to);
        if (from <= k) {
            TRY(range(s, at + k, to - k, &path[(*n)++]));
            to = k;
        } else {
            TRY(range(s, at, k, &path[(*n)++]));
            at += k;
            from -= k;
            to -= k;
            whole = false;
        }
    }
    if (!whole) TRY(range(s, at, to, &path[(*n)++]));
    turn(path, *n);
    return err_none();
}
