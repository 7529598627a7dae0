#include "trust/consent.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* ---- what one field tells */

/* Words as they stand in names and titles; compared in lower case. */
static const struct {
    const char *word;
    enum reveals reveals;
} words[] = {
    {"person", REVEALS_PERSON},      {"employee", REVEALS_PERSON},   {"worker", REVEALS_PERSON},
    {"technician", REVEALS_PERSON},  {"operator", REVEALS_PERSON},   {"contact", REVEALS_PERSON},
    {"phone", REVEALS_PERSON},       {"email", REVEALS_PERSON},      {"address", REVEALS_PERSON},
    {"birth", REVEALS_PERSON},       {"signature", REVEALS_PERSON},  {"created_by", REVEALS_PERSON},
    {"reported_by", REVEALS_PERSON}, {"姓名", REVEALS_PERSON},       {"员工", REVEALS_PERSON},
    {"工人", REVEALS_PERSON},        {"联系人", REVEALS_PERSON},     {"电话", REVEALS_PERSON},
    {"手机", REVEALS_PERSON},        {"邮箱", REVEALS_PERSON},       {"地址", REVEALS_PERSON},
    {"customer", REVEALS_CUSTOMER},  {"client", REVEALS_CUSTOMER},   {"buyer", REVEALS_CUSTOMER},
    {"consignee", REVEALS_CUSTOMER}, {"supplier", REVEALS_CUSTOMER}, {"vendor", REVEALS_CUSTOMER},
    {"客户", REVEALS_CUSTOMER},      {"买方", REVEALS_CUSTOMER},     {"收货", REVEALS_CUSTOMER},
    {"供应商", REVEALS_CUSTOMER},    {"price", REVEALS_PRICE},       {"cost", REVEALS_PRICE},
    {"amount_due", REVEALS_PRICE},   {"discount", REVEALS_PRICE},    {"margin", REVEALS_PRICE},
    {"wage", REVEALS_PRICE},         {"salary", REVEALS_PRICE},      {"价", REVEALS_PRICE},
    {"金额", REVEALS_PRICE},         {"成本", REVEALS_PRICE},        {"折扣", REVEALS_PRICE},
    {"工资", REVEALS_PRICE},         {"quantity", REVEALS_OUTPUT},   {"output", REVEALS_OUTPUT},
    {"produced", REVEALS_OUTPUT},    {"yield", REVEALS_OUTPUT},      {"pieces", REVEALS_OUTPUT},
    {"throughput", REVEALS_OUTPUT},  {"capacity", REVEALS_OUTPUT},   {"stock", REVEALS_OUTPUT},
    {"on_hand", REVEALS_OUTPUT},     {"energy", REVEALS_OUTPUT},     {"power", REVEALS_OUTPUT},
    {"数量", REVEALS_OUTPUT},        {"产量", REVEALS_OUTPUT},       {"库存", REVEALS_OUTPUT},
    {"产能", REVEALS_OUTPUT},        {"电量", REVEALS_OUTPUT},       {"功率", REVEALS_OUTPUT},
};

static bool has_word(const char *text, const char *word) {
    size_t n = strlen(word);
    for (; text && *text; text++) {
        size_t i = 0;
        while (i < n && text[i] && (text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]) == word[i]) i++;
        if (i == n) return true;
    }
    return false;
}

static enum reveals by_words(const char *name, const char *en, const char *zh) {
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has_word(name, words[i].word) || has_word(en, words[i].word) || has_word(zh, words[i].word))
            return words[i].reveals;
    return REVEALS_NOTHING;
}

enum reveals consent_reveals(const struct field *f) {
    if (f->reveals != REVEALS_NOTHING) return f->reveals;
    if (f->kind == FIELD_MONEY) return REVEALS_PRICE;
    if (f->kind == FIELD_PARTY) return REVEALS_CUSTOMER;
    Str format = str_c(f->format);
    if (str_eq_c(format, "email") || str_eq_c(format, "phone")) return REVEALS_PERSON;
    if (str_eq_c(format, "uscc") || str_eq_c(format, "gln") || str_eq_c(format, "bpn")) return REVEALS_CUSTOMER;
    return by_words(f->name, f->title_en, f->title_zh);
}

enum reveals consent_metric_reveals(Str metric) {
    char name[256];
    if (metric.len >= sizeof name) return REVEALS_NOTHING;
    memcpy(name, metric.ptr, metric.len);
    name[metric.len] = '\0';
    return by_words(name, NULL, NULL);
}

const char *consent_severity_name(enum consent_severity severity) {
    static const char *const names[] = {"info", "warning", "serious"};
    return names[severity];
}

/* ---- collecting */

struct name_list {
    Str *items;
    size_t n, cap;
};
struct collect {
    struct arena *arena;
    struct name_list by[REVEALS_OUTPUT + 1]; /* fields given, by what they tell */
    struct name_list times, numbers;
    struct consent_warning *warnings;
    size_t n, cap;
};

static void add_warning(struct collect *c, enum consent_severity severity, const char *en, const char *zh,
                        const struct name_list *const *lists) {
    struct name_list all = {0};
    for (; lists && *lists; lists++)
        for (size_t i = 0; i < (*lists)->n; i++) VEC_PUSH(all.items, all.n, all.cap, (*lists)->items[i]);
    struct consent_warning w = {.severity = severity, .text_en = str_c(en), .text_zh = str_c(zh), .n_fields = all.n};
    w.fields = arena_zero(c->arena, all.n, sizeof *w.fields);
    for (size_t i = 0; i < all.n; i++) w.fields[i] = all.items[i];
    free(all.items);
    VEC_PUSH(c->warnings, c->n, c->cap, w);
}

static void add_name(struct collect *c, struct name_list *list, const char *type, Str name) {
    Str full = arena_printf(c->arena, "%s." STR_FMT, type, STR_ARG(name));
    VEC_PUSH(list->items, list->n, list->cap, full);
}

static const struct field *field_of(const struct doctype *type, Str name) {
    Str head, tail;
    bool lines = str_cut(name, '.', &head, &tail);
    int i = doctype_field(type, head);
    if (i < 0 || !lines) return i < 0 ? NULL : &type->fields[i];
    const struct doctype *of = type->fields[i].lines;
    int k = of ? doctype_field(of, tail) : -1;
    return k < 0 ? NULL : &of->fields[k];
}

static void collect_field(struct collect *c, const struct doctype *type, Str name) {
    const struct field *f = field_of(type, name);
    if (str_eq_c(name, "created_by")) add_name(c, &c->by[REVEALS_PERSON], type->name, name);
    if (str_eq_c(name, "number")) add_name(c, &c->numbers, type->name, name);
    if (str_eq_c(name, "created") || str_eq_c(name, "changed")) add_name(c, &c->times, type->name, name);
    if (!f) return;
    add_name(c, &c->by[consent_reveals(f)], type->name, name);
    if (f->kind == FIELD_TIME || f->kind == FIELD_DATE) add_name(c, &c->times, type->name, name);
}

/* ---- what several tell together; each row holds when every list in it has a field */

static const struct {
    enum consent_severity severity;
    enum reveals all[3]; /* ends with REVEALS_NOTHING */
    bool times;
    const char *en, *zh;
} rules[] = {
    {CONSENT_WARNING,
     {REVEALS_PERSON},
     false,
     "These fields name or lead to single persons. Make sure they know, or leave the fields out.",
     "这些字段可识别到具体个人：请确认已告知本人，或不提供这些字段。"},
    {CONSENT_SERIOUS,
     {REVEALS_PERSON},
     true,
     "Persons together with times show who worked when.",
     "个人信息与时间结合，可还原每个人的工作时间和行踪。"},
    {CONSENT_WARNING,
     {REVEALS_CUSTOMER},
     false,
     "These fields show who your customers or suppliers are.",
     "这些字段会暴露您的客户或供应商。"},
    {CONSENT_WARNING, {REVEALS_PRICE}, false, "These fields show prices or costs.", "这些字段会暴露价格或成本。"},
    {CONSENT_SERIOUS,
     {REVEALS_CUSTOMER, REVEALS_PRICE},
     false,
     "Together these fields show what each customer pays.",
     "这些字段结合起来，可看出每个客户的成交价格。"},
    {CONSENT_SERIOUS,
     {REVEALS_PRICE, REVEALS_OUTPUT},
     false,
     "Prices and quantities together show your turnover.",
     "价格与数量结合，可推算您的营业额。"},
    {CONSENT_WARNING,
     {REVEALS_CUSTOMER, REVEALS_OUTPUT},
     false,
     "Together these fields show how much each customer buys.",
     "这些字段结合起来，可看出每个客户的采购量。"},
    {CONSENT_WARNING,
     {REVEALS_OUTPUT},
     true,
     "Quantities with times show how much you make, and how busy you are.",
     "数量与时间结合，可推算您的产量和开工率。"},
};

static void judge_together(struct collect *c) {
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct name_list *lists[5] = {0};
        size_t n = 0;
        bool holds = !rules[i].times || c->times.n > 0;
        for (size_t k = 0; k < 3 && rules[i].all[k] != REVEALS_NOTHING; k++) {
            lists[n++] = &c->by[rules[i].all[k]];
            holds = holds && c->by[rules[i].all[k]].n > 0;
        }
        if (rules[i].times) lists[n++] = &c->times;
        if (holds) add_warning(c, rules[i].severity, rules[i].en, rules[i].zh, lists);
    }
    const struct name_list *numbers[] = {&c->numbers, NULL};
    if (c->numbers.n > 0)
        add_warning(c, CONSENT_INFO, "Running numbers show how many documents lie between two of them.",
                    "连续编号可推算两张单据之间共有多少张单据。", numbers);
}

static void judge_series(struct collect *c, const struct terms *terms) {
    struct name_list output = {0}, raw = {0};
    for (size_t i = 0; i < terms->n_series; i++) {
        const struct terms_series *s = &terms->series[i];
        for (size_t k = 0; k < s->n_metrics; k++)
            if (consent_metric_reveals(s->metrics[k]) == REVEALS_OUTPUT) add_name(c, &output, "series", s->metrics[k]);
        if (s->every_metric) add_name(c, &output, "series", STR("*"));
        if (s->resolution == TERMS_RAW) add_name(c, &raw, "series", s->model.len ? s->model : STR("*"));
    }
    const struct name_list *outputs[] = {&output, NULL}, *raws[] = {&raw, NULL};
    if (output.n > 0)
        add_warning(c, CONSENT_WARNING, "These measurements show when and how much you produce.",
                    "这些测量值可反映您的生产时间和产量。", outputs);
    if (raw.n > 0)
        add_warning(c, CONSENT_WARNING,
                    "Single samples show each cycle of a machine; hourly values or an index are often enough.",
                    "原始采样可还原设备的每个工作循环；小时值或指数通常已够用。", raws);
    free(output.items);
    free(raw.items);
}

static void judge_terms(struct collect *c, const struct terms *terms) {
    for (size_t i = 0; i < terms->n_types; i++)
        if (terms->types[i].n_rows == 0) {
            struct name_list all = {0};
            add_name(c, &all, "rows", terms->types[i].type);
            const struct name_list *lists[] = {&all, NULL};
            add_warning(c, CONSENT_INFO, "Every document of this type is given, also those that are made later.",
                        "该类型的全部单据都会提供，包括以后新建的单据。", lists);
            free(all.items);
        }
    if (terms->to == INT64_MAX)
        add_warning(c, CONSENT_INFO, "The agreement has no end: it lasts until one side ends it.",
                    "协议没有截止日期：直到一方终止为止。", NULL);
    if (terms->onward)
        add_warning(c, CONSENT_SERIOUS, "The receiver may pass on what it reads, and you will not see to whom.",
                    "接收方可以转交所得数据，而您看不到转交给了谁。", NULL);
    if (terms->confidentiality.len == 0)
        add_warning(c, CONSENT_INFO, "There are no confidentiality terms.", "协议没有保密条款。", NULL);
}

void consent_warnings(const struct terms *terms, const struct terms_world *world, struct arena *arena,
                      struct consent_warning **out, size_t *n) {
    const struct catalog *catalog = world->catalog(world->ctx);
    struct collect c = {.arena = arena};
    for (size_t i = 0; i < terms->n_types; i++) {
        const struct doctype *type = catalog_type(catalog, terms->types[i].type);
        for (size_t k = 0; type && !terms->types[i].aggregates && k < terms->types[i].n_fields; k++)
            collect_field(&c, type, terms->types[i].fields[k]);
    }
    judge_together(&c);
    judge_series(&c, terms);
    judge_terms(&c, terms);
    *out = arena_zero(arena, c.n, sizeof **out);
    if (c.n > 0) memcpy(*out, c.warnings, c.n * sizeof **out);
    *n = c.n;
    for (size_t i = 0; i <= REVEALS_OUTPUT; i++) free(c.by[i].items);
    free(c.times.items);
    free(c.numbers.items);
    free(c.warnings);
}
