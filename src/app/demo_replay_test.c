#include "app/demo_replay.h"

#include <stdio.h>
#include <string.h>

#include "act/act.h"
#include "app/demo_report.h"
#include "document/documents.h"
#include "tests/unit.h"
#include "trust/gate.h"

/* Two machines, three hours; one fails and gets its component. */
static const char *const files[] = {
    "machine,model,age_years,latitude,longitude,site_en,site_zh\n"
    "m-01,model3,18,34.2857,117.3352,East,东\n"
    "m-02,model3,7,34.2351,117.0948,West,西\n",
    "time,machine,volt,rotate,pressure,vibration\n"
    "2015-01-01T06:00:00Z,m-01,170.5,440,100,40\n"
    "2015-01-01T06:00:00Z,m-02,171.5,441,101,41\n"
    "2015-01-01T07:00:00Z,m-01,172.5,442,102,42\n"
    "2015-01-01T07:00:00Z,m-02,173.5,443,103,43\n"
    "2015-01-01T08:00:00Z,m-01,174.5,444,104,44\n"
    "2015-01-01T08:00:00Z,m-02,175.5,445,105,45\n",
    "time,machine,code\n"
    "2015-01-01T07:00:00Z,m-01,error1\n"
    "2015-01-01T07:00:00Z,m-01,error2\n"
    "2015-01-01T07:00:00Z,m-02,error1\n",
    "time,machine,component\n2015-01-01T08:00:00Z,m-01,comp2\n",
    "time,machine,component\n"
    "2014-08-01T06:00:00Z,m-01,comp2\n"
    "2014-09-01T06:00:00Z,m-02,comp1\n"
    "2015-01-01T08:00:00Z,m-01,comp2\n",
};

struct run {
    struct recording recording;
    struct settings settings;
    struct demo_clock clock;
    struct flow *flow;
    struct demo_login logins[DEMO_COMPANY_LOGINS];
    struct demo_device devices[2];
    struct demo_replay replay;
};

static bool is_replay(void *ctx, struct serve_replay_now *out) {
    (void)ctx, (void)out;
    return false;
}

static bool start(struct run *run, const char *dir) {
    char data[300];
    int used;
    Nanos at;
    settings_init(&run->settings);
    snprintf(data, sizeof data, "%s/data", dir);
    char *words[][2] = {{(char[]){"--data"}, data},
                        {(char[]){"--http"}, (char[]){"127.0.0.1:0"}},
                        {(char[]){"--mqtt"}, (char[]){"127.0.0.1:0"}}};
    for (size_t i = 0; i < 3; i++)
        if (!CHECK_OK(settings_flag(&run->settings, 2, words[i], 0, &used))) return false;
    struct recording_files texts = {str_c(files[0]), str_c(files[1]), str_c(files[2]), str_c(files[3]),
                                    str_c(files[4])};
    if (!CHECK_OK(recording_parse(&texts, &run->recording)) ||
        !CHECK_OK(demo_replay_position(data, &run->recording, &at)))
        return false;
    demo_clock_init(&run->clock, at, 0);
    struct flow_options options = {.settings = &run->settings,
                                   .clock = &run->clock.clock,
                                   .assume_party = DEMO_COMPANY_NAME,
                                   .replay = {.read = is_replay}};
    if (!CHECK_OK(flow_start(&options, &run->flow)) ||
        !CHECK_OK(demo_company_make(run->flow, &run->recording, run->logins, run->devices)) ||
        !CHECK_OK(demo_replay_history(run->flow, &run->recording)))
        return false;
    flow_drain(run->flow);
    return CHECK_OK(demo_replay_open(&run->replay, run->flow, &run->recording, &run->clock, run->devices));
}

static void stop(struct run *run) {
    demo_replay_close(&run->replay);
    flow_stop(run->flow);
    demo_clock_fini(&run->clock);
    recording_close(&run->recording);
    settings_fini(&run->settings);
}

static void no_progress(void *ctx, const struct demo_replay *replay) { (void)ctx, (void)replay; }

static size_t count(struct run *run, const char *type_name) {
    struct principal who = principal_system(run->flow->party, "test");
    const struct doctype *type = documents_type(run->flow->workspace.documents, str_c(type_name));
    struct lens lens;
    struct doc_page page = {.n = 0};
    struct arena arena;
    arena_init(&arena, 0);
    CHECK_OK(gate_lens(&who, type, "test", &lens));
    CHECK_OK(
        documents_list(run->flow->workspace.documents, &lens, type, &(struct doc_query){.limit = 1}, &arena, &page));
    arena_fini(&arena);
    return page.total;
}

static void check_played(struct run *run) {
    struct demo_report report;
    CHECK_OK(demo_report_read(run->flow, &run->recording, &report));
    CHECK_INT(report.machines, 2);
    CHECK_INT(report.rows_kept, 6); /* six readings, one with two codes, one with one */
    CHECK_INT(demo_replay_rows_until(&run->recording, INT64_MAX), 6);
    CHECK_INT(count(run, "fault"), 1);
    CHECK_INT(count(run, "work_order"), 1);
    CHECK_INT(count(run, "technician"), 8);
    CHECK_INT(count(run, "part"), 8);
    CHECK_INT(count(run, "alarm"), 3); /* a code each */
    CHECK(count(run, "maintenance") >= 3);
}

void demo_replay_test(void) {
    const char *dir = unit_temp_dir();
    struct run run = {.flow = NULL};
    bool stopped = true;
    unit_case("a recording is played over MQTT, and what follows from it happens");
    if (!start(&run, dir)) return;
    CHECK_INT(count(&run, "maintenance"), 2); /* history */
    CHECK_OK(demo_replay_run(&run.replay, no_progress, NULL, &stopped));
    CHECK(!stopped);
    CHECK_INT(run.replay.rows_sent, 6);
    CHECK_INT(clock_now(&run.clock.clock), run.recording.to);
    check_played(&run);
    CHECK_INT(count(&run, "maintenance"), 3);
    stop(&run);
    unit_case("started again, it knows where it was and doubles nothing");
    if (!start(&run, dir)) return;
    CHECK_INT(clock_now(&run.clock.clock), run.recording.to);
    CHECK_OK(demo_replay_run(&run.replay, no_progress, NULL, &stopped));
    CHECK_INT(run.replay.rows_sent, 2); /* the last moment's readings */
    check_played(&run);
    CHECK_INT(count(&run, "maintenance"), 3);
    stop(&run);
}
