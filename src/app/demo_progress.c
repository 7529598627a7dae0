#include "app/demo_progress.h"

#include "os/process.h"

#define WIDTH 30

void demo_progress_init(struct demo_progress *p, FILE *to, Nanos from, Nanos until) {
    *p = (struct demo_progress){
        .to = to, .terminal = process_is_terminal(fileno(to)), .from = from, .until = until, .shown = -1};
}

static void draw(const struct demo_progress *p, int percent, const char *date, size_t rows) {
    char bar[WIDTH + 1];
    for (int i = 0; i < WIDTH; i++) bar[i] = i * 100 < percent * WIDTH ? '#' : '.';
    bar[WIDTH] = '\0';
    if (p->terminal)
        fprintf(p->to, "\r  [%s] %3d %%  %s  %zu rows ", bar, percent, date, rows);
    else
        fprintf(p->to, "  %3d %%  %s  %zu rows\n", percent, date, rows);
    fflush(p->to);
}

void demo_progress_at(struct demo_progress *p, Nanos at, size_t rows) {
    Nanos all = p->until > p->from ? p->until - p->from : 1;
    int percent = (int)((double)(at - p->from) / (double)all * 100);
    int step = p->terminal ? 1 : 10;
    if (percent < p->shown + step && p->shown >= 0) return;
    p->shown = percent - percent % step;
    char text[TIME_TEXT_MAX], date[11];
    snprintf(date, sizeof date, "%.10s", time_format(at, text).ptr);
    draw(p, percent, date, rows);
}

void demo_progress_end(struct demo_progress *p) {
    if (p->terminal && p->shown >= 0) fprintf(p->to, "\n");
    fflush(p->to);
}
