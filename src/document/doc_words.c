#include "document/doc_words.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/map.h"
#include "document/doc_engine.h"
#include "document/doc_value.h"
#include "model/gate_rules.h"

#define TAG 5 /* four characters and a NUL */
#define WORD_MAX 48
#define PREFIX_MIN 2
#define PREFIX_MAX 10
#define FIELD_BYTES_MAX 16384 /* of one text that is searched */
#define DOC_BYTES_MAX (512 << 10)
#define FORM 1 /* of the words; another number makes all of them again */

/* ---- characters */

static size_t character(Str text, size_t at, uint32_t *out) {
    unsigned char c = (unsigned char)text.ptr[at];
    size_t n = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    uint32_t v = n == 1 ? c : c & (0x7fu >> n);
    if (c >= 0x80 && c < 0xc0) n = 1, v = ' '; /* no beginning of a character */
    if (at + n > text.len) n = 1, v = ' ';
    for (size_t i = 1; i < n; i++) v = v << 6 | ((unsigned char)text.ptr[at + i] & 0x3f);
    *out = v;
    return n;
}

static size_t encode(uint32_t c, char out[4]) {
    if (c < 0x80) return out[0] = (char)c, 1;
    if (c < 0x800) return out[0] = (char)(0xc0 | c >> 6), out[1] = (char)(0x80 | (c & 0x3f)), 2;
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12), out[1] = (char)(0x80 | (c >> 6 & 0x3f)), out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | (c >> 18 & 7)), out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f)), out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* Full width as half width, capital as small letters. */
static uint32_t fold(uint32_t c) {
    if (c >= 0xff01 && c <= 0xff5e) c -= 0xfee0;
    if (c >= 'A' && c <= 'Z') return c + 32;
    if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
        return c + 32;
    return c >= 0x400 && c <= 0x40f ? c + 80 : c;
}

static bool is_paired(uint32_t c) {
    return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) ||
           (c >= 0xac00 && c <= 0xd7af) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff) ||
           c == 0x3005;
}

static bool is_letter(uint32_t c) {
    if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
    return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c <= 0x2bff) && !(c >= 0x3000 && c <= 0x303f) &&
           !(c >= 0xe000 && c <= 0xf8ff) && !(c >= 0xfe30 && c <= 0xff00) && !(c >= 0xff5f && c <= 0xffff) &&
           c < 0x1f000;
}

/* ---- words */

struct cutting {
    bool asking;
    doc_words_fn *fn;
    void *ctx;
    char word[WORD_MAX + 4], pair[8];
    size_t len, n_paired, last; /* bytes of the word; characters of the run, bytes of its last one */
    bool cut;                   /* the word was longer */
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static void emit(struct cutting *c, const char *text, size_t n) { c->fn(c->ctx, str_n(text, n)); }

/* "sn2024001" is also found by "2024001", and "000017" by "17". */
static void emit_parts(struct cutting *c) {
    size_t zeros = 0;
    while (zeros + 1 < c->len && c->word[zeros] == '0') zeros++;
    if (zeros > 0) emit(c, c->word + zeros, c->len - zeros);
    for (size_t from = 0, to; from < c->len; from = to) {
        bool digits = is_digit(c->word[from]);
        for (to = from + 1; to < c->len && is_digit(c->word[to]) == digits;) to++;
        if (to - from < c->len && to - from > 1) emit(c, c->word + from, to - from);
    }
}

static void end_word(struct cutting *c) {
    if (c->len == 0) return;
    emit(c, c->word, c->len);
    if (!c->asking) {
        size_t n = 0;
        for (size_t i = 1; i < c->len && n < PREFIX_MAX; i++) {
            if (((unsigned char)c->word[i] & 0xc0) == 0x80) continue; /* inside a character */
            if (++n >= PREFIX_MIN) emit(c, c->word, i);
        }
        emit_parts(c);
    }
    c->len = 0;
}

static void end_run(struct cutting *c) {
    if (c->n_paired == 1 && c->asking) emit(c, c->pair, c->last); /* else it was said already */
    c->n_paired = 0;
}

static void add_letter(struct cutting *c, const char *bytes, size_t n) {
    end_run(c);
    if (c->len + n > WORD_MAX) return; /* what is longer is found by its beginning */
    memcpy(c->word + c->len, bytes, n);
    c->len += n;
}

static void add_paired(struct cutting *c, const char *bytes, size_t n) {
    end_word(c);
    if (c->n_paired > 0) {
        char both[8];
        memcpy(both, c->pair, c->last);
        memcpy(both + c->last, bytes, n);
        emit(c, both, c->last + n);
    }
    if (!c->asking) emit(c, bytes, n);
    memcpy(c->pair, bytes, n);
    c->last = n;
    c->n_paired++;
}

void doc_words_cut(Str text, bool asking, doc_words_fn *fn, void *ctx) {
    struct cutting c = {.asking = asking, .fn = fn, .ctx = ctx};
    for (size_t at = 0; at < text.len;) {
        uint32_t ch;
        char bytes[4];
        at += character(text, at, &ch);
        ch = fold(ch);
        size_t n = encode(ch, bytes);
        if (is_paired(ch)) {
            add_paired(&c, bytes, n);
        } else if (is_letter(ch)) {
            add_letter(&c, bytes, n);
        } else {
            end_word(&c);
            end_run(&c);
        }
    }
    end_word(&c);
    end_run(&c);
}

/* ---- tags */

struct doc_words {
    const struct doc_table *table;
    char number[TAG], field[DOCTYPE_FIELDS_MAX][TAG], label[DOCTYPE_FIELDS_MAX][TAG];
    char (*lines[DOCTYPE_LINES_MAX])[TAG];
    bool labels[DOCTYPE_FIELDS_MAX]; /* whoever reads the document may read what the reference is called */
    uint64_t hash;
};

/* Two fields of a type never share a tag: the one would be found by whoever sees the other. */
static void give_tag(struct map *taken, const struct doc_table *table, const char *name, const char *sub,
                     char out[TAG]) {
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz";
    char text[200];
    uint64_t seen;
    for (unsigned salt = 0;; salt++) {
        int n = snprintf(text, sizeof text, "%.60s.%.60s.%.60s %u", table->type->name, name, sub, salt);
        uint64_t hash = hash_bytes(text, (size_t)n);
        for (int i = 0; i < TAG - 1; i++, hash /= 36) out[i] = letters[hash % 36];
        out[TAG - 1] = '\0';
        if (map_get(taken, str_c(out), &seen)) continue;
        map_put(taken, str_c(out), 1);
        return;
    }
}

static bool is_searched(const struct field *f) {
    switch (f->kind) {
    case FIELD_BOOL:
    case FIELD_TIME:
    case FIELD_DATE:
    case FIELD_JSON:
    case FIELD_FILE:
    case FIELD_GEOMETRY:
    case FIELD_LINES: return false;
    default: return f->share != SHARE_SECRET && !f->hidden;
    }
}

static bool label_is_open(const struct doc_table *table, const struct field *f) {
    const struct doctype *type = NULL;
    for (size_t i = 0; f->kind == FIELD_REF && i < table->types->n; i++)
        if (strcmp(table->types->types[i]->name, f->ref) == 0) type = table->types->types[i];
    if (!type || !type->label || (table->type->read_roles & ~type->read_roles)) return false;
    int i = doctype_field(type, str_c(type->label));
    return i >= 0 && is_searched(&type->fields[i]) && type->fields[i].kind != FIELD_REF &&
           type->fields[i].custom_of == 0;
}

struct doc_words *doc_words_make(const struct doc_table *table, struct arena *arena) {
    struct doc_words *w = arena_zero(arena, 1, sizeof *w);
    const struct doctype *type = table->type;
    struct map taken;
    w->table = table;
    map_init(&taken);
    give_tag(&taken, table, "", "", w->number);
    for (size_t i = 0; i < type->n_fields; i++) {
        give_tag(&taken, table, type->fields[i].name, "", w->field[i]);
        give_tag(&taken, table, type->fields[i].name, "(label)", w->label[i]);
        w->labels[i] = label_is_open(table, &type->fields[i]);
    }
    for (size_t k = 0; k < table->n_lines; k++) {
        const struct doctype *lines = table->lines[k]->type;
        w->lines[k] = arena_zero(arena, lines->n_fields, sizeof *w->lines[k]);
        for (size_t i = 0; i < lines->n_fields; i++)
            give_tag(&taken, table, type->fields[table->lines[k]->field].name, lines->fields[i].name, w->lines[k][i]);
    }
    w->hash = hash_bytes(w->field, sizeof w->field) * 31 + hash_bytes(w->labels, sizeof w->labels) + FORM;
    for (size_t k = 0; k < table->n_lines; k++)
        w->hash = w->hash * 31 + hash_bytes(w->lines[k], table->lines[k]->type->n_fields * TAG);
    map_fini(&taken);
    return w;
}

uint64_t doc_words_hash(const struct doc_words *words) { return words->hash; }

/* ---- of a document */

struct keeping {
    const char *tag;
    struct buf out;
    struct map seen;
};

static void keep_word(void *ctx, Str word) {
    struct keeping *k = ctx;
    char token[TAG + WORD_MAX + 8];
    uint64_t seen;
    int n = snprintf(token, sizeof token, "%s" STR_FMT, k->tag, STR_ARG(word));
    Str text = str_n(token, (size_t)n);
    if (k->out.len > DOC_BYTES_MAX || map_get(&k->seen, text, &seen)) return;
    map_put(&k->seen, text, 1);
    if (k->out.len > 0) buf_byte(&k->out, ' ');
    buf_str(&k->out, text);
}

static void keep_text(struct keeping *k, const char *tag, Str text) {
    k->tag = tag;
    doc_words_cut(str_slice(text, 0, FIELD_BYTES_MAX), false, keep_word, k);
}

static void keep_choice(struct keeping *k, const char *tag, const struct field *f, Str name) {
    for (const struct choice *c = f->choices; c && c->name; c++) {
        if (!str_eq_c(name, c->name)) continue;
        keep_text(k, tag, str_c(c->title_en));
        keep_text(k, tag, str_c(c->title_zh));
    }
    keep_text(k, tag, name);
}

/* label: its tag, or NULL when it is not said here. */
static void keep_value(struct keeping *k, const char *tag, const char *label, const struct field *f, Value v,
                       const struct doc_words_names *names, struct arena *arena) {
    if (v.kind == VALUE_NONE || !is_searched(f)) return;
    if (f->kind == FIELD_CHOICE) {
        keep_choice(k, tag, f, v.s);
    } else if (f->kind == FIELD_REF) {
        struct doc_words_label found = {.number = {0}};
        names->of_ref(names->ctx, f->ref, v.i, &found);
        keep_text(k, tag, found.number);
        if (label) keep_text(k, label, found.label);
    } else if (f->kind == FIELD_PARTY) {
        keep_text(k, tag, names->of_party(names->ctx, (PartyId)v.i));
    } else {
        keep_text(k, tag, doc_value_text(f, v, arena));
    }
}

Str doc_words_of(const struct doc_words *w, const struct doc *doc, const struct doc_words_names *names,
                 struct arena *arena) {
    struct keeping k = {.tag = w->number};
    map_init(&k.seen);
    keep_text(&k, w->number, doc->number);
    for (size_t i = 0; i < doc->type->n_fields; i++)
        keep_value(&k, w->field[i], w->labels[i] ? w->label[i] : NULL, &doc->type->fields[i], doc->values[i], names,
                   arena);
    for (size_t l = 0; l < w->table->n_lines; l++) {
        const struct doctype *lines = w->table->lines[l]->type;
        for (size_t r = 0; r < doc->lines[l].n; r++)
            for (size_t i = 0; i < lines->n_fields; i++)
                keep_value(&k, w->lines[l][i], NULL, &lines->fields[i], doc->lines[l].rows[r][i], names, arena);
    }
    Str out = arena_str(arena, buf_view(&k.out));
    map_fini(&k.seen);
    buf_fini(&k.out);
    return out;
}

/* ---- a question */

struct asking {
    const char **tags;
    size_t n_tags, n_words;
    struct buf out;
};

static void ask_word(void *ctx, Str word) {
    struct asking *a = ctx;
    if (a->n_words++ >= DOC_WORDS_QUERY_MAX) return;
    if (a->out.len > 0) buf_byte(&a->out, ' ');
    for (size_t i = 0; i < a->n_tags; i++) {
        if (i > 0) buf_byte(&a->out, '|');
        buf_c(&a->out, a->tags[i]);
        buf_str(&a->out, word);
    }
}

static bool is_shown(const struct field *f, uint64_t fields, size_t i, const struct lens *lens) {
    if (!is_searched(f) || (f->custom_of != 0 && f->custom_of != lens->party)) return false;
    if (f->kind == FIELD_REF && lens->agreement != 0) return false; /* the other document's number is not given */
    return (fields >> i & 1) || !GATE_RULE_ON(QUERY);
}

static size_t shown_tags(const struct doc_words *w, const struct lens *lens, const char **tags) {
    const struct doctype *type = w->table->type;
    size_t n = 0;
    if (!(lens->base_hidden >> DOC_NUMBER & 1)) tags[n++] = w->number;
    for (size_t i = 0; i < type->n_fields; i++) {
        if (!is_shown(&type->fields[i], lens->fields, i, lens)) continue;
        tags[n++] = w->field[i];
        if (w->labels[i]) tags[n++] = w->label[i];
    }
    for (size_t k = 0; k < w->table->n_lines; k++) {
        const struct doctype *lines = w->table->lines[k]->type;
        if (!(lens->fields >> w->table->lines[k]->field & 1)) continue;
        for (size_t i = 0; i < lines->n_fields; i++)
            if (is_shown(&lines->fields[i], lens->lines[k], i, lens)) tags[n++] = w->lines[k][i];
    }
    return n;
}

Err doc_words_match(const struct doc_words *w, const struct lens *lens, Str question, struct arena *arena, bool *none,
                    Str *out) {
    size_t most = 1 + 2 * DOCTYPE_FIELDS_MAX + DOCTYPE_LINES_MAX * DOCTYPE_FIELDS_MAX;
    struct asking a = {.tags = arena_zero(arena, most, sizeof *a.tags)};
    a.n_tags = shown_tags(w, lens, a.tags);
    doc_words_cut(str_slice(question, 0, FIELD_BYTES_MAX), true, ask_word, &a);
    *none = a.n_tags == 0;
    *out = arena_str(arena, buf_view(&a.out));
    buf_fini(&a.out);
    if (a.n_words > 0) return err_none();
    return err_make(ERR_INVALID, "no word to search for in '" STR_FMT "'", STR_ARG(str_slice(question, 0, 40)));
}
