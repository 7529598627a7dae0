/* `weft pack new NAME`: a folder with a small pack that works, and the schemas for editors beside it. */
#ifndef APP_PACK_SCAFFOLD_H
#define APP_PACK_SCAFFOLD_H

#include "base/arena.h"
#include "base/err.h"

/* NAME or a path that ends in it. ERR_CONFLICT: there is something already. */
Err pack_scaffold(const char *path, struct arena *arena);

#endif
