#include "os/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

struct charset {
    iconv_t way;
    char name[16];
};

Err charset_open(const char *from, struct charset **out) {
    iconv_t way = iconv_open("UTF-8", from);
    if (way == (iconv_t)-1) // NOLINT(performance-no-int-to-ptr): iconv's own sign of failure
        return err_make(ERR_INVALID, "text encoded as '%.15s' is not known here: save it as UTF-8", from);
    struct charset *c = calloc(1, sizeof *c);
    ASSERT(c);
    c->way = way;
    memcpy(c->name, from, strnlen(from, sizeof c->name - 1));
    *out = c;
    return err_none();
}

void charset_close(struct charset *c) {
    if (!c) return;
    iconv_close(c->way);
    free(c);
}

Err charset_convert(struct charset *c, Str text, struct buf *out, size_t *used) {
    char *in = (char *)(uintptr_t)text.ptr; /* iconv does not write to it */
    size_t left = text.len;
    int failed = 0;
    while (left > 0 && !failed) {
        buf_reserve(out, left * 2 + 16);
        char *to = out->ptr + out->len;
        size_t room = out->cap - out->len;
        failed = iconv(c->way, &in, &left, &to, &room) == (size_t)-1 ? errno : 0;
        out->len = (size_t)(to - out->ptr);
        if (failed == E2BIG) failed = 0;
    }
    *used = text.len - left;
    if (failed != EILSEQ) return err_none();
    return err_make(ERR_INVALID, "bytes that are no character of '%s': save the file as UTF-8", c->name);
}
