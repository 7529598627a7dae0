#include "trust/merkle.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "os/file.h"
#include "tests/unit.h"
#include "trust/secret.h"

void merkle_test(void);

/* ---- published vectors: tests/data/merkle.json */
static struct arena arena;

static struct json *load(const char *path) {
    struct buf text = {0};
    struct json *json = NULL;
    if (CHECK_OK(file_load(file_disk, path, 1 << 20, &text))) CHECK_OK(json_parse(buf_view(&text), &json));
    buf_fini(&text);
    return json;
}

static bool hash_of(const struct json *json, MerkleHash *out) {
    Str raw;
    *out = (MerkleHash){0};
    if (!secret_base64_read(&arena, json_str(json), &raw) || raw.len == 0 || raw.len > 32) return false;
    memcpy(out->bytes, raw.ptr, raw.len);
    return true;
}

static uint64_t number(const struct json *json) { return strtoull(arena_c(&arena, json_str(json)), NULL, 10); }

/* Some have shorter texts in place of hashes; zeros behind them make hashes of them, but not of nothing. */
static bool verdict(const struct json *v) {
    const struct json *proof = json_get(v, "proof");
    MerkleHash path[MERKLE_PATH_MAX], a, b;
    size_t n = json_kind(proof) == JSON_ARRAY ? json_len(proof) : 0;
    for (size_t i = 0; i < n; i++)
        if (!hash_of(json_at(proof, i), &path[i])) return false;
    if (str_eq(json_str(json_get(v, "kind")), STR("inclusion")))
        return hash_of(json_get(v, "leafHash"), &a) && hash_of(json_get(v, "root"), &b) &&
               merkle_included(a, number(json_get(v, "leafIdx")), number(json_get(v, "treeSize")), path, n, b);
    return hash_of(json_get(v, "root1"), &a) && hash_of(json_get(v, "root2"), &b) &&
           merkle_consistent(number(json_get(v, "size1")), number(json_get(v, "size2")), path, n, a, b);
}

static void test_vectors(void) {
    struct json *all = load("tests/data/merkle.json");
    unit_case("published proofs");
    CHECK_INT(json_len(all), 184);
    size_t right = 0;
    for (size_t i = 0; i < json_len(all); i++) {
        const struct json *v = json_at(all, i);
        bool want = !json_bool(json_get(v, "wantErr"));
        unit_case(arena_c(&arena, json_str(json_get(v, "name"))));
        CHECK_INT(verdict(v), want);
        right += want;
    }
    CHECK(right >= 10);
    json_free(all);
}

/* ---- every proof of small trees, against the definition */
#define LEAVES 70

static MerkleHash leaves[LEAVES];

/* MTH of RFC 9162, 2.1.1 */
static MerkleHash mth(size_t from, size_t n) {
    if (n == 0) return merkle_empty();
    if (n == 1) return leaves[from];
    size_t k = 1;
    while (2 * k < n) k *= 2;
    return merkle_node(mth(from, k), mth(from + k, n - k));
}

static Err node(void *ctx, unsigned level, uint64_t index, MerkleHash *out) {
    (void)ctx;
    size_t from = (size_t)(index << level), n = (size_t)1 << level;
    ASSERT(from + n <= LEAVES);
    *out = mth(from, n);
    return err_none();
}

static void test_inclusion(const struct merkle_source *source) {
    unit_case("every proof of inclusion up to 70 leaves");
    MerkleHash path[MERKLE_PATH_MAX], root;
    size_t n, bad = 0;
    for (uint64_t size = 1; size <= LEAVES; size++) {
        CHECK_OK(merkle_root(source, size, &root));
        bad += !merkle_eq(root, mth(0, (size_t)size));
        for (uint64_t i = 0; i < size; i++) {
            CHECK_OK(merkle_prove_inclusion(source, i, size, path, &n));
            bad += !merkle_included(leaves[i], i, size, path, n, root);
            bad += merkle_included(leaves[(i + 1) % LEAVES], i, size, path, n, root);
            bad += i + 1 < size && merkle_included(leaves[i], i + 1, size, path, n, root);
            bad += n > 0 && merkle_included(leaves[i], i, size, path, n - 1, root);
        }
    }
    CHECK_INT(bad, 0);
    CHECK_ERR(merkle_prove_inclusion(source, 5, 5, path, &n), ERR_INVALID);
}

static void test_consistency(const struct merkle_source *source) {
    unit_case("every proof of consistency up to 70 leaves");
    MerkleHash path[MERKLE_PATH_MAX];
    size_t n, bad = 0;
    for (uint64_t to = 1; to <= LEAVES; to++)
        for (uint64_t from = 1; from <= to; from++) {
            MerkleHash a = mth(0, (size_t)from), b = mth(0, (size_t)to);
            CHECK_OK(merkle_prove_consistency(source, from, to, path, &n));
            bad += !merkle_consistent(from, to, path, n, a, b);
            bad += merkle_consistent(from, to, path, n, leaves[3], b);
            bad += merkle_consistent(from, to, path, n, a, leaves[3]) && to != 1;
            if (n == 0) continue;
            path[n / 2].bytes[7] ^= 4;
            bad += merkle_consistent(from, to, path, n, a, b);
        }
    CHECK_INT(bad, 0);
    CHECK_ERR(merkle_prove_consistency(source, 0, 5, path, &n), ERR_INVALID);
    CHECK_ERR(merkle_prove_consistency(source, 6, 5, path, &n), ERR_INVALID);
}

void merkle_test(void) {
    arena_init(&arena, 0);
    struct merkle_source source = {.node = node};
    for (unsigned i = 0; i < LEAVES; i++) {
        unsigned char byte = (unsigned char)i;
        leaves[i] = merkle_leaf(str_n((char *)&byte, 1));
    }
    test_vectors();
    test_inclusion(&source);
    test_consistency(&source);
    arena_fini(&arena);
}
