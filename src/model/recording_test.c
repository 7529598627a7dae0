#include "model/recording.h"

#include <math.h>
#include <string.h>

#include "base/csv.h"
#include "base/num.h"
#include "base/zst.h"
#include "os/file.h"
#include "tests/unit.h"

void recording_test(void);

#define DEMO "packs/machinery/demo"
#define MACHINES                                                                                                         \
    "machine,model,age_years,latitude,longitude,site_en,site_zh\nm-1,a,3,34.5,117.25,Here,这里\nm-2,b,0,35,118,There," \
    "那里\n"
#define TELEMETRY                                                                                                      \
    "time,machine,volt\n2015-01-01T06:00:00Z,m-1,1.25\n2015-01-01T06:00:00Z,m-2,\n2015-01-01T07:00:00Z,m-1,2\n"
#define ERRORS "time,machine,code\n2015-01-01T06:00:00Z,m-2,e1\n"
#define FAILURES "time,machine,component\n2015-01-01T06:00:00Z,m-1,c1\n"
#define MAINTENANCE "time,machine,component\n2014-06-01T06:00:00Z,m-1,c1\n2015-01-01T06:00:00Z,m-1,c1\n"

static const struct {
    const char *name;
    const char *machines, *telemetry, *errors, *failures, *maintenance; /* NULL: the good one */
    const char *fault;
} bad[] = {
    {"no machines", "", NULL, NULL, NULL, NULL, "machines.csv:1:1: empty"},
    {"only a first row", "machine,model,age_years,latitude,longitude,site_en,site_zh\n", NULL, NULL, NULL, NULL,
     "machines.csv:1:1: no machine"},
    {"machine twice", MACHINES "m-1,a,3,34.5,117.25,Here,x\n", NULL, NULL, NULL, NULL,
     "machines.csv:4:1: machine 'm-1' is there twice"},
    {"latitude", "machine,model,age_years,latitude,longitude,site_en,site_zh\nm,a,3,91,0,x,y\n", NULL, NULL, NULL, NULL,
     "machines.csv:2:7: a latitude"},
    {"age", "machine,model,age_years,latitude,longitude,site_en,site_zh\nm,a,old,1,0,x,y\n", NULL, NULL, NULL, NULL,
     "machines.csv:2:5: not a whole number: 'old'"},
    {"no metric", NULL, "time,machine\n", NULL, NULL, NULL, "telemetry.csv:1:1: the first row must be"},
    {"metric twice", NULL, "time,machine,v,v\n", NULL, NULL, NULL, "telemetry.csv:1:16: metric 'v' is there twice"},
    {"value", NULL, "time,machine,v\n2015-01-01,m-1,abc\n", NULL, NULL, NULL,
     "telemetry.csv:2:16: not a number: 'abc'"},
    {"infinite", NULL, "time,machine,v\n2015-01-01,m-1,1e999\n", NULL, NULL, NULL,
     "telemetry.csv:2:16: not a number: '1e999'"},
    {"too many digits", NULL, "time,machine,v\n2015-01-01,m-1,1.234567890123456\n", NULL, NULL, NULL,
     "telemetry.csv:2:16: more than 15 digits"},
    {"time", NULL, "time,machine,v\n2015-13-01,m-1,1\n", NULL, NULL, NULL,
     "telemetry.csv:2:1: not a time: '2015-13-01'"},
    {"backwards", NULL, "time,machine,v\n2015-01-02,m-1,1\n2015-01-01,m-1,1\n", NULL, NULL, NULL,
     "telemetry.csv:3:1: earlier than the row before"},
    {"row twice", NULL, "time,machine,v\n2015-01-02,m-1,1\n2015-01-02,m-2,1\n2015-01-02,m-1,1\n", NULL, NULL, NULL,
     "telemetry.csv:4:12: a second row"},
    {"unknown machine", NULL, NULL, NULL, "time,machine,component\n2015-01-01,m-9,c\n", NULL,
     "failures.csv:2:12: machine 'm-9' is not in machines.csv"},
    {"no code", NULL, NULL, "time,machine,code\n2015-01-01,m-1,\n", NULL, NULL, "errors.csv:2:16: empty"},
    {"first row", NULL, NULL, NULL, NULL, "time,machine,code\n", "maintenance.csv:1:14: column 'code'"},
    {"torn", NULL, "\x28\xB5\x2F\xFD\x24", NULL, NULL, NULL, "telemetry.csv.zst:1:1: "},
};

static Str or_good(const char *text, const char *good) { return str_c(text ? text : good); }

static void check_bad(void) {
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        unit_case(bad[i].name);
        struct recording rec;
        Err err = recording_parse(
            &(struct recording_files){or_good(bad[i].machines, MACHINES), or_good(bad[i].telemetry, TELEMETRY),
                                      or_good(bad[i].errors, ERRORS), or_good(bad[i].failures, FAILURES),
                                      or_good(bad[i].maintenance, MAINTENANCE)},
            &rec);
        CHECK_INT(err.code, ERR_INVALID);
        CHECK_STR(str_slice(str_c(err.text), 0, strlen(bad[i].fault)), str_c(bad[i].fault));
        recording_close(&rec);
    }
}

static void check_order(void) {
    unit_case("one stream in the order of time");
    static const struct {
        enum recording_kind kind;
        uint32_t machine;
    } want[] = {{RECORDING_REPLACEMENT, 0}, {RECORDING_ROW, 0},         {RECORDING_ROW, 1}, {RECORDING_CODE, 1},
                {RECORDING_FAILURE, 0},     {RECORDING_REPLACEMENT, 0}, {RECORDING_ROW, 0}};
    struct recording rec;
    if (!CHECK_OK(recording_parse(
            &(struct recording_files){STR(MACHINES), STR(TELEMETRY), STR(ERRORS), STR(FAILURES), STR(MAINTENANCE)},
            &rec)))
        return;
    CHECK_INT(rec.n_events, sizeof want / sizeof *want);
    for (size_t i = 0; i < sizeof want / sizeof *want && i < rec.n_events; i++) {
        CHECK_INT(rec.events[i].kind, want[i].kind);
        CHECK_INT(rec.events[i].machine, want[i].machine);
    }
    CHECK_NUM(rec.events[1].values[0], 1.25, 0);
    CHECK(isnan(rec.events[2].values[0]));
    CHECK_STR(rec.events[3].what, STR("e1"));
    CHECK_STR(rec.machines[0].site_zh, STR("这里"));
    CHECK_INT(rec.from, time_from_civil(2015, 1, 1, 6, 0, 0));
    CHECK_INT(rec.to, time_from_civil(2015, 1, 1, 7, 0, 0));
    recording_close(&rec);
}

/* Every number of the file again, from the double that was read, digit by digit. */
static void check_digits(const struct recording *rec) {
    unit_case("every digit of the demo's telemetry survives");
    struct buf packed = {0}, plain = {0};
    struct arena arena;
    arena_init(&arena, 0);
    CHECK_OK(file_load(file_disk, DEMO "/telemetry.csv.zst", 16 << 20, &packed));
    CHECK_OK(zst_decompress(buf_view(&packed), 16 << 20, &plain));
    struct csv csv;
    csv_open(&csv, STR("telemetry.csv"), buf_view(&plain), &arena);
    bool more = true;
    size_t differ = 0, values = 0, at = 0;
    CHECK_OK(csv_next(&csv, &more));
    while (csv_next(&csv, &more).code == ERR_NONE && more) {
        while (at < rec->n_events && rec->events[at].kind != RECORDING_ROW) at++;
        if (at == rec->n_events) break;
        char text[NUM_TEXT_MAX];
        for (size_t i = 0; i < rec->n_metrics; i++, values++)
            differ += !str_eq(num_format(rec->events[at].values[i], text), csv.fields[i + 2]);
        at++;
    }
    CHECK_INT(values, 43200 * 4);
    CHECK_INT(differ, 0);
    arena_fini(&arena);
    buf_fini(&packed), buf_fini(&plain);
}

static void check_demo(void) {
    unit_case("the demo's recording");
    struct recording rec;
    if (!CHECK_OK(recording_open(DEMO, &rec))) return;
    CHECK_INT(rec.n_machines, 20);
    CHECK_INT(rec.n_metrics, 4);
    CHECK_INT(rec.n_rows, 43200);
    CHECK_INT(rec.n_codes, 211);
    CHECK_INT(rec.n_failures, 42);
    CHECK_INT(rec.n_replacements, 208);
    CHECK_INT(rec.to - rec.from, 90 * NANOS_PER_DAY - NANOS_PER_HOUR);
    size_t unordered = 0;
    for (size_t i = 1; i < rec.n_events; i++) unordered += rec.events[i].time < rec.events[i - 1].time;
    CHECK_INT(unordered, 0);
    check_digits(&rec);
    recording_close(&rec);
}

void recording_test(void) {
    check_bad();
    check_order();
    check_demo();
    unit_case("an absent folder");
    struct recording rec;
    CHECK_ERR(recording_open("packs/nowhere", &rec), ERR_NOT_FOUND);
}
