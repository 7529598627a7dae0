/* The files of the packs that come with the program: packs/core and packs/machinery, put into it by tools/packs.sh. */
#ifndef MODEL_PACK_BUILTIN_H
#define MODEL_PACK_BUILTIN_H

#include <stddef.h>

struct pack_builtin_file {
    const char *pack, *name; /* "machinery", "records/work_order.yaml" */
    const unsigned char *bytes;
    size_t len;
};
extern const struct pack_builtin_file pack_builtin_files[]; /* pack by pack; ends with pack NULL */

#endif
