/*
 * Files: attachments and whatever else is too large for a row. A blob is named by the SHA-256 of its bytes, kept once,
 * in DIR/blobs/ab/cdef…; bytes are synced before blobs_put returns. Any thread; calls block on the disk. Who refers to
 * a blob is not known here: nobody may remove one that somebody else may be putting.
 */
#ifndef STORE_BLOBS_H
#define STORE_BLOBS_H

#include "base/arena.h"
#include "base/err.h"
#include "os/file.h"

struct blobs;
typedef struct BlobId {
    unsigned char hash[32];
} BlobId;

Err blobs_open(const char *dir, struct file_system *fs, struct blobs **out); /* fs NULL: the disk */
void blobs_close(struct blobs *blobs);
Err blobs_put(struct blobs *blobs, Str bytes, BlobId *out);
/* ERR_NOT_FOUND; ERR_CORRUPT when the bytes are not those that were put. */
Err blobs_get(struct blobs *blobs, BlobId id, struct arena *arena, Str *out);
/* Reads every blob and compares it with its name. `bad` is called for each that is not what was put, and for files that
 * are none; it may stop by returning false. Beside an owner that puts and removes: what is gone meanwhile is no fault.
 */
struct blobs_count {
    uint64_t files, bytes, bad;
};
Err blobs_check(const char *dir, struct file_system *fs, bool (*bad)(void *ctx, const char *file, const char *what),
                void *ctx, struct blobs_count *out);
Err blobs_remove(struct blobs *blobs, BlobId id); /* absent is fine */

#endif
