#include "app/cmd_compact.h"

#include "store/series.h"

static Err run(struct workspace *workspace, int argc, char **argv, struct control_out *out) {
    struct series_stats before, after;
    TRY(control_flags(argc, argv, "", ""));
    series_stats(workspace->series, &before);
    control_note(out, "rewriting %.1f MiB of telemetry …\n", (double)before.disk_bytes / (1 << 20));
    TRY(series_compact(workspace->series));
    series_stats(workspace->series, &after);
    control_print(out, "{\"bytes_before\":%llu,\"bytes\":%llu,\"runs_before\":%llu,\"runs\":%llu}\n",
                  (unsigned long long)before.disk_bytes, (unsigned long long)after.disk_bytes,
                  (unsigned long long)before.runs, (unsigned long long)after.runs);
    return err_none();
}

const struct control_command cmd_compact = {.name = "compact",
                                            .verb = "series",
                                            .usage = "writes telemetry in its smallest form now; it happens by itself "
                                                     "once a day has passed",
                                            .must_exist = true,
                                            .run = run};
