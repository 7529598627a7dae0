/* PromQL's functions of instant vectors and numbers that are more than one operation on each value. */
#ifndef SERVE_PROMETHEUS_CALL_H
#define SERVE_PROMETHEUS_CALL_H

#include "serve/prometheus_functions.h"

prometheus_call_fn prometheus_call_round, prometheus_call_clamp, prometheus_call_clamp_min, prometheus_call_clamp_max;
prometheus_call_fn prometheus_call_time, prometheus_call_pi, prometheus_call_timestamp, prometheus_call_scalar,
    prometheus_call_vector;
prometheus_call_fn prometheus_call_absent, prometheus_call_absent_over_time;
prometheus_call_fn prometheus_call_sort, prometheus_call_sort_desc;
prometheus_call_fn prometheus_call_label_replace, prometheus_call_label_join;
/* Of a moment, in UTC. */
prometheus_date_fn prometheus_call_minute, prometheus_call_hour, prometheus_call_day_of_week,
    prometheus_call_day_of_month, prometheus_call_day_of_year, prometheus_call_days_in_month, prometheus_call_month,
    prometheus_call_year;

#endif
