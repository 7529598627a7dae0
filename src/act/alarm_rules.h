/*
 * When a finding is an alarm, how bad it is and what it says: a table. The first row that fits decides, so rows of one
 * kind stand with the gravest first.
 */
#ifndef ACT_ALARM_RULES_H
#define ACT_ALARM_RULES_H

#include "base/buf.h"
#include "model/finding.h"
#include "model/thing_model.h"

struct alarm_rule {
    enum finding_kind kind; /* FINDING_LIMIT, _ANOMALY or _CODE */
    const char *match;      /* this metric or code only; NULL: every one */
    /* From this much on. LIMIT: how far beyond the limit, as a part of the width between both limits (0.1 = a tenth).
     * ANOMALY: deviations, either way. CODE: 0. */
    double from;
    const char *severity;   /* low, medium, high, critical */
    Nanos delay;            /* the condition must have lasted this long; the machine's time, as all of these */
    Nanos settle;           /* comes it back within this time after its end, it is the same alarm going on */
    Nanos hold;             /* over by itself this long after the last report; 0: only when said to have ended */
    double deadband;        /* a repeat is written when the score moved by this part of itself, or the severity rose */
    unsigned most_per_hour; /* a machine raising more new alarms of this row's severity within an hour is in a flood */
    /* with {thing} {metric} {component} {code} {value} {limit} {why} */
    const char *text_en, *text_zh;
};

extern const struct alarm_rule alarm_rules_default[]; /* ends with severity NULL */

/* NULL: no alarm. model may be NULL. */
const struct alarm_rule *alarm_rules_find(const struct alarm_rule *rules, const struct finding *finding,
                                          const struct thing_model *model);
int alarm_rules_severity(Str name);                   /* 0 low … 3 critical; -1 unknown */
const char *alarm_rules_kind(enum finding_kind kind); /* "limit" "anomaly" "code"; NULL: makes no alarm */
/* How far a LIMIT finding is beyond its limit, as a part of the width; *limit is the one passed, NaN without one. */
double alarm_rules_excess(const struct finding *finding, const struct thing_model *model, double *limit);
void alarm_rules_text(struct buf *out, const struct alarm_rule *rule, bool zh, const struct finding *finding,
                      const struct thing_model *model);

#endif
