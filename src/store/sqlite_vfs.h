/*
 * SQLite over any struct file_system, for the power-cut test: the records then run over a disk that forgets what was
 * not synced. One process only; locks and the log's shared index are in memory. Production uses SQLite's own layer.
 *
 * Sync sites: "records.db", "records.wal", "records.journal" for the three kinds of file, and "records.dir" for their
 * folder, which is synced the first time a new log or journal is, and after one is removed where SQLite asks for it.
 */
#ifndef STORE_SQLITE_VFS_H
#define STORE_SQLITE_VFS_H

#include "base/err.h"
#include "os/file.h"

#define SQLITE_VFS_NAME_MAX 40

void sqlite_vfs_name(const struct file_system *fs, char out[SQLITE_VFS_NAME_MAX]); /* the name it has in SQLite */
Err sqlite_vfs_add(struct file_system *fs); /* before the first connection; ERR_CONFLICT when it is there */
void sqlite_vfs_remove(const char *name);   /* after the last connection */

#endif
