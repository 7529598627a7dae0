#include "act/alarm_rules.h"

#include <math.h>

#include "base/err.h"

#define HOURS(n) ((n)*NANOS_PER_HOUR)

#define LIMIT_EN "{metric} {value}, beyond its limit of {limit}"
#define LIMIT_ZH "{metric} {value}，超出限值 {limit}"
#define ANOMALY_EN "unusual: {why}"
#define ANOMALY_ZH "异常：{why}"

/* A condition that comes and goes within six hours is one alarm. A fault code has no end of its own; a day without it
 * is its end. */
const struct alarm_rule alarm_rules_default[] = {
    {FINDING_LIMIT, NULL, 0.20, "critical", 0, HOURS(6), 0, 0.25, 20, LIMIT_EN, LIMIT_ZH},
    {FINDING_LIMIT, NULL, 0.05, "high", 0, HOURS(6), 0, 0.25, 20, LIMIT_EN, LIMIT_ZH},
    {FINDING_LIMIT, NULL, 0.00, "medium", 0, HOURS(6), 0, 0.25, 10, LIMIT_EN, LIMIT_ZH},
    {FINDING_ANOMALY, NULL, 10, "critical", 0, HOURS(6), 0, 0.25, 20, ANOMALY_EN, ANOMALY_ZH},
    {FINDING_ANOMALY, NULL, 6, "high", 0, HOURS(6), 0, 0.25, 20, ANOMALY_EN, ANOMALY_ZH},
    {FINDING_ANOMALY, NULL, 5, "medium", 0, HOURS(6), 0, 0.25, 10, ANOMALY_EN, ANOMALY_ZH},
    {FINDING_ANOMALY, NULL, 0, "low", 0, HOURS(6), 0, 0.25, 10, ANOMALY_EN, ANOMALY_ZH},
    {FINDING_CODE, NULL, 0, "medium", 0, 0, HOURS(24), 0.25, 20, "fault code {code} reported", "上报故障码 {code}"},
    {.severity = NULL},
};

static const char *const severities[] = {"low", "medium", "high", "critical"};

int alarm_rules_severity(Str name) {
    for (int i = 0; i < 4; i++)
        if (str_eq_c(name, severities[i])) return i;
    return -1;
}

const char *alarm_rules_kind(enum finding_kind kind) {
    switch (kind) {
    case FINDING_LIMIT: return "limit";
    case FINDING_ANOMALY: return "anomaly";
    case FINDING_CODE: return "code";
    case FINDING_PREDICTION:
    case FINDING_CLEAR: break;
    }
    return NULL;
}

double alarm_rules_excess(const struct finding *finding, const struct thing_model *model, double *limit) {
    *limit = NAN;
    const struct thing_metric *m = model ? thing_model_metric(model, finding->metric) : NULL;
    if (!m) return 0;
    double beyond = 0;
    if (finding->score > m->high) {
        *limit = m->high;
        beyond = finding->score - m->high;
    } else if (finding->score < m->low) {
        *limit = m->low;
        beyond = m->low - finding->score;
    }
    double width = m->high - m->low;
    return isfinite(width) && width > 0 ? beyond / width : 0;
}

const struct alarm_rule *alarm_rules_find(const struct alarm_rule *rules, const struct finding *finding,
                                          const struct thing_model *model) {
    double limit, size = 0;
    Str match = finding->metric;
    if (finding->kind == FINDING_LIMIT) size = alarm_rules_excess(finding, model, &limit);
    if (finding->kind == FINDING_ANOMALY) size = fabs(finding->score);
    if (finding->kind == FINDING_CODE) match = finding->text;
    for (const struct alarm_rule *rule = rules; rule->severity; rule++)
        if (rule->kind == finding->kind && size >= rule->from && (!rule->match || str_eq_c(match, rule->match)))
            return rule;
    return NULL;
}

/* ---- texts */
struct facts {
    const struct finding *finding;
    const struct thing_metric *metric;
    const struct thing_component *component;
    const struct thing_model *model;
    bool zh;
};

static void add_rounded(struct buf *out, double v) {
    if (!isfinite(v))
        buf_c(out, "?");
    else
        buf_printf(out, fabs(v) >= 100 ? "%.0f" : fabs(v) >= 1 ? "%.1f" : "%.3f", v);
}

static Str or_text(const char *title, Str name) { return title ? str_c(title) : name; }

static void add_measured(struct buf *out, const struct facts *f, double v) {
    add_rounded(out, v);
    if (f->metric && f->metric->unit && *f->metric->unit) buf_printf(out, " %s", f->metric->unit);
}

static void add_thing(struct buf *out, const struct facts *f) { buf_str(out, f->finding->thing_name); }
static void add_code(struct buf *out, const struct facts *f) { buf_str(out, f->finding->text); }
static void add_value(struct buf *out, const struct facts *f) { add_measured(out, f, f->finding->score); }

static void add_metric(struct buf *out, const struct facts *f) {
    const struct thing_metric *m = f->metric;
    buf_str(out, or_text(m ? (f->zh ? m->title_zh : m->title_en) : NULL, f->finding->metric));
}

static void add_component(struct buf *out, const struct facts *f) {
    const struct thing_component *c = f->component;
    buf_str(out, or_text(c ? (f->zh ? c->title_zh : c->title_en) : NULL, f->finding->component));
}

static void add_limit(struct buf *out, const struct facts *f) {
    double limit;
    alarm_rules_excess(f->finding, f->model, &limit);
    add_measured(out, f, limit);
}

static void add_why(struct buf *out, const struct facts *f) {
    if (f->finding->n_reasons > 0) {
        const struct finding_reason *reason = &f->finding->reasons[0];
        buf_str(out, f->zh ? reason->text_zh : reason->text_en);
        return;
    }
    add_metric(out, f);
    buf_byte(out, ' ');
    add_rounded(out, f->finding->score);
    buf_c(out, f->zh ? " 倍正常波动" : " deviations from its baseline");
}

static const struct {
    const char *name;
    void (*add)(struct buf *out, const struct facts *f);
} words[] = {{"thing", add_thing}, {"metric", add_metric}, {"component", add_component},
             {"code", add_code},   {"value", add_value},   {"limit", add_limit},
             {"why", add_why}};

static void add_word(struct buf *out, Str name, const struct facts *f) {
    size_t i = 0, n = sizeof words / sizeof *words;
    while (i < n && !str_eq_c(name, words[i].name)) i++;
    ASSERT(i < n); /* a template's word that is in the table */
    words[i].add(out, f);
}

void alarm_rules_text(struct buf *out, const struct alarm_rule *rule, bool zh, const struct finding *finding,
                      const struct thing_model *model) {
    struct facts facts = {.finding = finding, .model = model, .zh = zh};
    if (model) facts.metric = thing_model_metric(model, finding->metric);
    if (model) facts.component = thing_model_component(model, finding->component);
    Str rest = str_c(zh ? rule->text_zh : rule->text_en), plain, word;
    while (str_cut(rest, '{', &plain, &rest)) {
        buf_str(out, plain);
        str_cut(rest, '}', &word, &rest);
        add_word(out, word, &facts);
    }
    buf_str(out, plain);
}
