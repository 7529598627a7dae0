/* Installed packs on the disk: a pack's folder is there whole, in its old form or its new one. See packs.c. */
#ifndef DOCUMENT_PACKS_FOLDER_H
#define DOCUMENT_PACKS_FOLDER_H

#include "model/pack.h"

Err packs_folder_list(struct file_system *fs, const char *dir, struct arena *arena, Str *names, size_t max, size_t *n);
/* Ends what a crash interrupted. */
Err packs_folder_settle(struct file_system *fs, const char *dir);
Err packs_folder_put(struct file_system *fs, const char *dir, Str name, const struct pack_source *source);
Err packs_folder_remove(struct file_system *fs, const char *dir, Str name);

#endif
