/* How far the replay is: one line that moves on a terminal, a line every tenth otherwise. */
#ifndef APP_DEMO_PROGRESS_H
#define APP_DEMO_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/time.h"

struct demo_progress {
    FILE *to;
    bool terminal;
    Nanos from, until;
    int shown; /* last percent shown; -1: nothing yet */
};

void demo_progress_init(struct demo_progress *p, FILE *to, Nanos from, Nanos until);
void demo_progress_at(struct demo_progress *p, Nanos at, size_t rows);
void demo_progress_end(struct demo_progress *p); /* leaves the line */

#endif
