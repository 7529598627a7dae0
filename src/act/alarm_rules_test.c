#include "act/alarm_rules.h"

#include <math.h>

#include "tests/lib/act_rig.h"

static const struct {
    const char *name;
    enum finding_kind kind;
    const char *what; /* metric or code */
    double score;
    const char *severity, *text_en, *text_zh;
} cases[] = {
    {"just above the limit", FINDING_LIMIT, "heat", 90.5, "medium", "Heat 90.5 °C, beyond its limit of 90.0 °C",
     "温度 90.5 °C，超出限值 90.0 °C"},
    {"an eighth of the width above", FINDING_LIMIT, "heat", 100, "high", "Heat 100 °C, beyond its limit of 90.0 °C",
     "温度 100 °C，超出限值 90.0 °C"},
    {"far below", FINDING_LIMIT, "heat", -30, "critical", "Heat -30.0 °C, beyond its limit of 10.0 °C",
     "温度 -30.0 °C，超出限值 10.0 °C"},
    {"a metric that the model lacks", FINDING_LIMIT, "smoke", 5, "medium", "smoke 5.0, beyond its limit of ?",
     "smoke 5.0，超出限值 ?"},
    {"small anomaly", FINDING_ANOMALY, "heat", 3, "low", "unusual: Heat 3.0 deviations from its baseline",
     "异常：温度 3.0 倍正常波动"},
    {"deviations below count as those above", FINDING_ANOMALY, "heat", -9, "high",
     "unusual: Heat -9.0 deviations from its baseline", "异常：温度 -9.0 倍正常波动"},
    {"a fault code", FINDING_CODE, "E42", 0, "medium", "fault code E42 reported", "上报故障码 E42"},
};

static void severities(void) {
    struct act_rig rig = {.party = 1};
    struct buf text = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unit_case(cases[i].name);
        struct finding f = act_rig_finding(&rig, cases[i].kind, cases[i].what, cases[i].score, 0);
        const struct alarm_rule *rule = alarm_rules_find(alarm_rules_default, &f, &act_rig_model);
        if (!CHECK(rule != NULL)) continue;
        CHECK_STR(str_c(rule->severity), str_c(cases[i].severity));
        buf_clear(&text);
        alarm_rules_text(&text, rule, false, &f, &act_rig_model);
        CHECK_STR(buf_view(&text), str_c(cases[i].text_en));
        buf_clear(&text);
        alarm_rules_text(&text, rule, true, &f, &act_rig_model);
        CHECK_STR(buf_view(&text), str_c(cases[i].text_zh));
    }
    buf_fini(&text);
}

static void reasons_and_matches(void) {
    static const struct alarm_rule rules[] = {
        {FINDING_CODE, "E1", 0, "critical", 0, 0, 0, 0, 1, "{thing}: {component}", "{thing}：{component}"},
        {FINDING_CODE, NULL, 0, "low", 0, 0, 0, 0, 1, "{code}", "{code}"},
        {.severity = NULL},
    };
    struct act_rig rig = {.party = 1};
    struct buf text = {0};
    unit_case("a row for one code stands before the row for all");
    struct finding f = act_rig_finding(&rig, FINDING_CODE, "E1", 0, 0);
    f.component = STR("stove");
    const struct alarm_rule *rule = alarm_rules_find(rules, &f, &act_rig_model);
    CHECK_STR(str_c(rule->severity), STR("critical"));
    alarm_rules_text(&text, rule, true, &f, &act_rig_model);
    CHECK_STR(buf_view(&text), STR("oven-1：炉"));
    f.text = STR("E2");
    CHECK_STR(str_c(alarm_rules_find(rules, &f, NULL)->severity), STR("low"));
    unit_case("an anomaly says why in the finding's own words");
    f = act_rig_finding(&rig, FINDING_ANOMALY, "heat", 6, 0);
    f.n_reasons = 1;
    f.reasons[0] = (struct finding_reason){STR("heat"), 1, STR("too hot"), STR("过热")};
    buf_clear(&text);
    alarm_rules_text(&text, alarm_rules_find(alarm_rules_default, &f, NULL), false, &f, &act_rig_model);
    CHECK_STR(buf_view(&text), STR("unusual: too hot"));
    unit_case("what is no alarm has no rule");
    f.kind = FINDING_PREDICTION;
    CHECK(alarm_rules_find(alarm_rules_default, &f, NULL) == NULL);
    CHECK(alarm_rules_kind(FINDING_PREDICTION) == NULL);
    CHECK_INT(alarm_rules_severity(STR("high")), 2);
    CHECK_INT(alarm_rules_severity(STR("dire")), -1);
    buf_fini(&text);
}

void alarm_rules_test(void) {
    severities();
    reasons_and_matches();
}
