#include "insight/view_kept.h"

#include "insight/view_inner.h"
#include "store/series.h"

static Str what_of(uint32_t level) {
    if (level == 0) return STR("raw");
    return level <= SERIES_KEEP_LEVELS ? str_c(series_keep_names[level - 1]) : STR("latest");
}

Err view_kept(struct view *view, struct arena *arena, struct view_kept **out, size_t *n) {
    struct series_kept *kept;
    char text[SERIES_KEEP_TEXT_MAX];
    TRY(series_kept(view->options.series, arena, &kept, n));
    *out = arena_zero(arena, *n + 1, sizeof **out);
    for (size_t i = 0; i < *n; i++) {
        const struct series_kept *k = &kept[i];
        bool never = k->dropped_at == SERIES_KEEP_FOREVER;
        (*out)[i] = (struct view_kept){.keep = arena_str(arena, str_c(series_keep_text(&k->keep, text))),
                                       .what = what_of(k->level),
                                       .from = k->from,
                                       .to = k->to,
                                       .dropped_at = never ? 0 : k->dropped_at,
                                       .runs = k->runs,
                                       .bytes = k->bytes,
                                       .rows = k->rows,
                                       .values = k->values};
    }
    return err_none();
}

struct view_written view_kept_written(const struct view *view) {
    struct series_stats stats;
    series_stats(view->options.series, &stats);
    return (struct view_written){stats.flush_bytes, stats.merge_bytes, stats.dropped_runs, stats.dropped_bytes};
}
