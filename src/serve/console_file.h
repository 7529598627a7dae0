/* The console's files as tools/embed.sh puts them into the binary. Read-only, for the whole life of the process. */
#ifndef SERVE_CONSOLE_FILE_H
#define SERVE_CONSOLE_FILE_H

#include <stddef.h>

/* A file is there either gzipped (texts) or plain (images, fonts): the other pointer is NULL and its length 0. */
struct console_file {
    const char *path; /* "/index.html", "/assets/main-AB12.js": names under /assets/ change with their content */
    const char *content_type; /* "text/html; charset=utf-8" */
    const char *etag;         /* with its quotes, of the plain bytes */
    const unsigned char *gzip_bytes;
    size_t gzip_len;
    const unsigned char *bytes;
    size_t len;
};

extern const struct console_file console_files[]; /* sorted by path, byte order */
extern const size_t console_files_count;          /* 0 when the binary was built without the console */

#endif
