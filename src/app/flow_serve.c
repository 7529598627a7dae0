#include "app/flow_serve.h"

#include "app/version.h"
#include "connect/mqtt_server.h"
#include "document/packs.h"
#include "insight/query.h"
#include "insight/view.h"
#include "insight/watch.h"
#include "os/process.h"
#include "store/records.h"
#include "store/series.h"
#include "trust/oidc.h"

/* ---- numbers for /metrics */
#define SERIES(field, name, gauge, help)                                                                               \
    { name, "", help, gauge, offsetof(struct series_stats, field) }
#define WRITTEN(field, by, help)                                                                                       \
    { "weft_series_run_bytes_total", by, help, false, offsetof(struct series_stats, field) }
static const struct serve_number series_numbers[] = {
    SERIES(rows, "weft_series_rows_total", false, "Telemetry rows kept since the start."),
    SERIES(values, "weft_series_values_total", false, "Values in them."),
    SERIES(commits, "weft_series_commits_total", false, "Commits answered."),
    SERIES(syncs, "weft_series_syncs_total", false, "Times the log was synced; commits share them."),
    SERIES(dead_letters, "weft_dead_letters_total", false, "Messages kept raw because they could not be understood."),
    SERIES(memory_bytes, "weft_series_memory_bytes", true, "Rows in memory."),
    SERIES(row_bytes, "weft_series_row_bytes_total", false, "Bytes of rows kept, as they stand in memory."),
    WRITTEN(flush_bytes, "by=\"flush\"", "Bytes of files written: memory as runs, runs merged, latest values."),
    WRITTEN(merge_bytes, "by=\"merge\"", ""),
    WRITTEN(latest_file_bytes, "by=\"latest\"", ""),
    SERIES(runs, "weft_series_runs", true, "Runs on disk."),
    SERIES(latest, "weft_series_latest", true, "Series with a latest value."),
    SERIES(latest_bytes, "weft_series_latest_bytes", true, "Memory of latest values."),
    SERIES(names_bytes, "weft_series_names_bytes", true, "Memory of the names of things and metrics."),
    SERIES(latest_refused, "weft_series_latest_refused", true, "Files of latest values that could not be read."),
    SERIES(disk_bytes, "weft_series_disk_bytes", true, "Runs on disk."),
    SERIES(dropped_runs, "weft_series_dropped_runs_total", false, "Runs dropped because their time was over."),
    SERIES(dropped_bytes, "weft_series_dropped_bytes_total", false, "Bytes of those."),
    SERIES(log_bytes, "weft_series_log_bytes", true, "Write-ahead log on disk."),
    {0},
};

static void read_series(void *ctx, void *into) { series_stats(((struct flow *)ctx)->workspace.series, into); }

struct process_numbers {
    uint64_t resident, cpu_ms;
};
static const struct serve_number process_rows[] = {
    {"process_resident_memory_bytes", "", "Memory of this process in use.", true,
     offsetof(struct process_numbers, resident)},
    {"weft_process_cpu_milliseconds_total", "", "Processor time of this process.", false,
     offsetof(struct process_numbers, cpu_ms)},
    {0},
};

static void read_process(void *ctx, void *into) {
    (void)ctx;
    *(struct process_numbers *)into = (struct process_numbers){.resident = process_resident_bytes(),
                                                               .cpu_ms = (uint64_t)(process_cpu_time() / NANOS_PER_MS)};
}

static void read_ingest(void *ctx, struct ingest_counters *out) {
    mqtt_server_counters(((struct flow *)ctx)->mqtt, out);
}

static uint64_t rows_kept(void *ctx) {
    struct series_stats stats;
    series_stats(((struct flow *)ctx)->workspace.series, &stats);
    return stats.rows;
}

/* ---- checks for /healthz: an empty write goes the whole way, and fails for good once a disk has failed */
static Err series_writable(void *ctx) {
    struct series_commit commit = {0};
    rows_clear(&commit.rows);
    Err err = series_write(((struct flow *)ctx)->workspace.series, &commit);
    rows_fini(&commit.rows);
    return err;
}

static Err write_nothing(void *ctx, struct records_txn *txn) {
    (void)txn, (void)ctx;
    return err_none();
}

static Err records_writable(void *ctx) {
    return records_write(((struct flow *)ctx)->workspace.records, write_nothing, NULL);
}

static void models_changed(void *ctx) {
    struct flow *flow = ctx;
    watch_forget_models(flow->watch);
    mqtt_server_models_changed(flow->mqtt);
}

static Err open_oidc(struct flow *flow, const struct settings *s) {
    const char *ca = settings_c(s, SETTING_oidc_ca_file);
    struct oidc_options o = {
        .name = settings_c(s, SETTING_oidc_name),
        .title = settings_c(s, SETTING_oidc_title),
        .issuer = settings_c(s, SETTING_oidc_issuer),
        .client_id = settings_c(s, SETTING_oidc_client_id),
        .client_secret = settings_c(s, SETTING_oidc_client_secret),
        .limits = {.private_too = settings_bool(s, SETTING_oidc_own_network), .ca_file = ca[0] ? ca : NULL}};
    if (!o.issuer[0]) return err_none();
    if (!settings_c(s, SETTING_http_public_url)[0])
        return err_make(ERR_INVALID, "oidc.issuer needs http.public_url, where the provider sends people back to");
    return oidc_open(&o, &flow->oidc);
}

Err flow_serve_start(struct flow *flow, const struct flow_options *o) {
    const struct settings *s = o->settings;
    struct workspace *w = &flow->workspace;
    struct view_options view = {.series = w->series, .things = w->things, .watch = flow->watch, .clock = w->clock};
    TRY(open_oidc(flow, s));
    struct query_engine_options query = {.series = w->series, .things = w->things, .clock = w->clock};
    TRY(view_open(&view, &flow->view));
    query.view = flow->view;
    TRY(query_engine_open(&query, &flow->query));
    struct serve_numbers *numbers = arena_zero(&flow->arena, 2, sizeof *numbers);
    numbers[0] = (struct serve_numbers){series_numbers, read_series, flow, sizeof(struct series_stats)};
    numbers[1] = (struct serve_numbers){process_rows, read_process, NULL, sizeof(struct process_numbers)};
    struct serve_check *checks = arena_zero(&flow->arena, 2, sizeof *checks);
    checks[0] = (struct serve_check){"series", series_writable, flow};
    checks[1] = (struct serve_check){"records", records_writable, flow};
    struct serve_options options = {
        .listen = settings_c(s, SETTING_http_listen),
        .workers = (unsigned)settings_int(s, SETTING_http_workers),
        .max_connections = (size_t)settings_int(s, SETTING_http_max_connections),
        .max_body = (size_t)settings_int(s, SETTING_http_max_body_kb) << 10,
        .request_time = settings_int(s, SETTING_http_deadline_s) * NANOS_PER_S,
        .prometheus_lookback = settings_int(s, SETTING_prometheus_lookback_s) * NANOS_PER_S,
        .public_url = settings_c(s, SETTING_http_public_url),
        .oidc = flow->oidc,
        .behind_proxy = settings_bool(s, SETTING_http_behind_proxy),
        .version = version_text,
        .clock = w->clock,
        .people = w->people,
        .devices = w->devices,
        .things = w->things,
        .documents = w->documents,
        .records = w->records,
        .imports = flow->imports,
        .program = "/proc/self/exe",
        .spool = arena_printf(&flow->arena, "%s/imports", settings_c(s, SETTING_store_data)).ptr,
        .agreements = flow->agreements,
        .disclosures = flow->disclosures,
        .notify = flow->notify,
        .rules = flow->rules,
        .ledger = w->ledger,
        .ledger_entries = flow->entries,
        .witnesses = w->witnesses,
        .n_witnesses = w->n_witnesses,
        .lines = flow->lines,
        .csv = &flow->csv,
        .view = flow->view,
        .query = flow->query,
        .watch = flow->watch,
        .act = flow->act,
        .packs = w->packs,
        .own_party = flow->party,
        .catalog = packs_cell(w->packs),
        .rows_kept = rows_kept,
        .ingest = read_ingest,
        .models_changed = models_changed,
        .ctx = flow,
        .replay = o->replay,
        .numbers = numbers,
        .n_numbers = 2,
        .checks = checks,
        .n_checks = 2,
    };
    packs_on_change(w->packs, models_changed, flow);
    w->things_changed = models_changed, w->things_ctx = flow;
    return serve_start(&options, &flow->serve);
}
