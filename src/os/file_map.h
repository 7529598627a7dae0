/*
 * A file's bytes as memory, for those who read many small pieces of a file that nobody changes: no call and no copy for
 * each. What the disk cannot give, or is no longer in the file, reads as zeroes instead of ending the process: hold
 * what is read against a checksum, as one would what a read gave.
 */
#ifndef OS_FILE_MAP_H
#define OS_FILE_MAP_H

#include "os/file.h"

struct file_map;
/* NULL: this file system has no such thing, or the system no room: read instead. The file may be closed before it. */
struct file_map *file_map_new(const struct file *file, uint64_t size);
void file_map_free(struct file_map *map); /* NULL is fine */
Str file_map_bytes(const struct file_map *map);

#endif
