/* SQL under the round's agreement, held against the plain model. */
#ifndef TESTS_LIB_SERVE_GATE_SQL_H
#define TESTS_LIB_SERVE_GATE_SQL_H

#include "tests/lib/serve_gate_world.h"

void serve_gate_sql_drive(struct world *w);

#endif
