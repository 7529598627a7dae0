/* Reading a zip through minizip, within limits: what an archive says of itself is not believed, what comes out is
 * counted. */
#include <stdlib.h>
#include <string.h>

#include "xlsx.h"

#define RATIO_FREE (UINT64_C(8) << 20)

/* ---- the source as minizip wants it */

struct stream {
    struct xlsx_zip *zip;
    uint64_t at;
};

static voidpf stream_open(voidpf opaque, const void *name, int mode) {
    struct stream *s = calloc(1, sizeof *s);
    (void)name, (void)mode;
    ASSERT(s);
    s->zip = opaque;
    return s;
}

static uLong stream_read(voidpf opaque, voidpf stream, void *into, uLong n) {
    struct xlsx_zip *zip = opaque;
    struct stream *s = stream;
    size_t got = 0;
    Err err = zip->source->read(zip->source->ctx, into, n, s->at, &got);
    if (err.code != ERR_NONE) zip->fault = err;
    s->at += got;
    return (uLong)got;
}

static uLong stream_write(voidpf opaque, voidpf stream, const void *from, uLong n) {
    (void)opaque, (void)stream, (void)from, (void)n;
    return 0;
}

static ZPOS64_T stream_tell(voidpf opaque, voidpf stream) {
    (void)opaque;
    return ((struct stream *)stream)->at;
}

static long stream_seek(voidpf opaque, voidpf stream, ZPOS64_T offset, int origin) {
    struct stream *s = stream;
    uint64_t size = ((struct xlsx_zip *)opaque)->source->size;
    uint64_t base = origin == ZLIB_FILEFUNC_SEEK_CUR ? s->at : origin == ZLIB_FILEFUNC_SEEK_END ? size : 0;
    if (offset > size - (base < size ? base : size)) return -1;
    s->at = base + offset;
    return 0;
}

static int stream_close(voidpf opaque, voidpf stream) {
    (void)opaque;
    free(stream);
    return 0;
}

static int stream_error(voidpf opaque, voidpf stream) {
    (void)stream;
    return ((struct xlsx_zip *)opaque)->fault.code != ERR_NONE;
}

/* ---- */

static Err broken(const struct xlsx_zip *zip) {
    if (zip->fault.code != ERR_NONE) return zip->fault;
    return err_make(ERR_INVALID, "the XLSX file is damaged: open it in a spreadsheet program and save it anew");
}

static Err check_entries(struct xlsx_zip *zip) {
    unz_global_info64 info;
    if (unzGetGlobalInfo64(zip->zip, &info) != UNZ_OK) return broken(zip);
    if (info.number_entry > SHEET_ENTRIES_MAX)
        return err_make(ERR_TOO_LARGE, "the XLSX file has more than %d parts: save only the table that is meant",
                        SHEET_ENTRIES_MAX);
    uint64_t total = 0;
    int at = unzGoToFirstFile(zip->zip);
    for (size_t i = 0; at == UNZ_OK && i < info.number_entry; i++, at = unzGoToNextFile(zip->zip)) {
        unz_file_info64 file;
        if (unzGetCurrentFileInfo64(zip->zip, &file, NULL, 0, NULL, 0, NULL, 0) != UNZ_OK) return broken(zip);
        if (file.flag & 1)
            return err_make(ERR_INVALID, "the XLSX file is protected by a password: save it without one");
        if (file.uncompressed_size > SHEET_INFLATED_MAX || (total += file.uncompressed_size) > SHEET_INFLATED_MAX)
            return err_make(ERR_TOO_LARGE, "the XLSX file unpacks to more than 2 GiB: send it in parts, or as CSV");
    }
    return err_none();
}

Err xlsx_zip_open(struct xlsx_zip *zip, const struct sheet_source *source) {
    *zip = (struct xlsx_zip){.source = source};
    zlib_filefunc64_def functions = {stream_open, stream_read,  stream_write, stream_tell,
                                     stream_seek, stream_close, stream_error, zip};
    zip->zip = unzOpen2_64("source", &functions);
    if (!zip->zip) return broken(zip);
    Err err = check_entries(zip);
    if (err.code != ERR_NONE) xlsx_zip_close(zip);
    return err;
}

void xlsx_zip_close(struct xlsx_zip *zip) {
    if (zip->zip) unzClose(zip->zip);
    zip->zip = NULL;
}

Err xlsx_zip_part(struct xlsx_zip *zip, const char *name, bool *there) {
    unz_file_info64 file;
    *there = strlen(name) < 200 && unzLocateFile(zip->zip, name, 2) == UNZ_OK;
    if (!*there) return zip->fault;
    if (unzGetCurrentFileInfo64(zip->zip, &file, NULL, 0, NULL, 0, NULL, 0) != UNZ_OK) return broken(zip);
    if (unzOpenCurrentFile(zip->zip) != UNZ_OK) return broken(zip);
    zip->packed += file.compressed_size < zip->source->size ? file.compressed_size : zip->source->size;
    return err_none();
}

Err xlsx_zip_read(struct xlsx_zip *zip, void *into, unsigned n, unsigned *got) {
    int done = unzReadCurrentFile(zip->zip, into, n);
    *got = done > 0 ? (unsigned)done : 0;
    zip->inflated += *got;
    if (zip->inflated > SHEET_INFLATED_MAX || zip->inflated > RATIO_FREE + zip->packed * SHEET_RATIO_MAX)
        return err_make(ERR_TOO_LARGE, "the XLSX file unpacks to far more than a table of its size: send it as CSV");
    if (done < 0) return broken(zip);
    if (done == 0 && unzCloseCurrentFile(zip->zip) != UNZ_OK) return broken(zip); /* its checksum is wrong */
    return zip->fault;
}
