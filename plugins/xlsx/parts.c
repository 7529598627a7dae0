/* The small parts of an XLSX: which sheet is the first, the shared texts, and which formats are dates. */
#include <expat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xlsx.h"

#define PIECE 65536
#define STYLES_MAX 65536
#define FORMATS_MAX 4096

/* ---- XML */

static void XMLCALL refuse_doctype(void *ctx, const char *name, const char *system, const char *public, int internal) {
    (void)name, (void)system, (void)public, (void)internal;
    XML_StopParser(*(XML_Parser *)ctx, XML_FALSE); /* every ctx begins with its parser */
}

XML_Parser xlsx_parser(void *ctx) {
    XML_Parser parser = XML_ParserCreate(NULL);
    ASSERT(parser);
    *(XML_Parser *)ctx = parser;
    XML_SetUserData(parser, ctx);
    XML_SetStartDoctypeDeclHandler(parser, refuse_doctype);
    return parser;
}

const char *xlsx_local(const char *name) {
    const char *colon = strrchr(name, ':');
    return colon ? colon + 1 : name;
}

const char *xlsx_attribute(const char **attributes, const char *name) {
    for (; *attributes; attributes += 2)
        if (strcmp(xlsx_local(attributes[0]), name) == 0) return attributes[1];
    return NULL;
}

Err xlsx_fault(XML_Parser parser, const char *part) {
    return err_make(ERR_INVALID, "the XLSX file is damaged (%.60s:%lu: %s): save it anew in a spreadsheet program",
                    part, XML_GetCurrentLineNumber(parser), XML_ErrorString(XML_GetErrorCode(parser)));
}

/* ---- one part, read whole */

struct reading {
    XML_Parser parser;
    struct xlsx_parts *parts;
    struct buf text;
    bool in_text, in_phonetic, in_formats;
    size_t bytes;
    Err err;
    char first[64];         /* r:id of the first visible sheet */
    unsigned char *formats; /* [FORMATS_MAX], enum xlsx_style by number */
};

static Err read_part(struct xlsx_zip *zip, const char *name, struct reading *r, XML_StartElementHandler start,
                     XML_EndElementHandler end, XML_CharacterDataHandler text, bool *there) {
    char piece[PIECE];
    unsigned got;
    TRY(xlsx_zip_part(zip, name, there));
    if (!*there) return err_none();
    XML_Parser parser = xlsx_parser(r);
    XML_SetElementHandler(parser, start, end);
    if (text) XML_SetCharacterDataHandler(parser, text);
    Err err;
    do {
        err = xlsx_zip_read(zip, piece, sizeof piece, &got);
        if (err.code == ERR_NONE && XML_Parse(parser, piece, (int)got, got == 0) != XML_STATUS_OK)
            err = r->err.code != ERR_NONE ? r->err : xlsx_fault(parser, name);
    } while (err.code == ERR_NONE && got > 0);
    XML_ParserFree(parser);
    return err;
}

static void stop(struct reading *r, Err err) {
    r->err = err;
    XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL ignore_end(void *ctx, const char *name) { (void)ctx, (void)name; }

/* ---- workbook and its relations: the first sheet that is not hidden */

static void XMLCALL workbook_start(void *ctx, const char *name, const char **attributes) {
    struct reading *r = ctx;
    name = xlsx_local(name);
    if (strcmp(name, "workbookPr") == 0) {
        const char *since = xlsx_attribute(attributes, "date1904");
        r->parts->since_1904 = since && (strcmp(since, "1") == 0 || strcmp(since, "true") == 0);
    }
    const char *id = strcmp(name, "sheet") == 0 ? xlsx_attribute(attributes, "id") : NULL;
    const char *state = id ? xlsx_attribute(attributes, "state") : NULL;
    if (id && !r->first[0] && !(state && strstr(state, "idden"))) snprintf(r->first, sizeof r->first, "%s", id);
}

static void XMLCALL relation_start(void *ctx, const char *name, const char **attributes) {
    struct reading *r = ctx;
    const char *id = xlsx_attribute(attributes, "Id"), *target = xlsx_attribute(attributes, "Target");
    if (strcmp(xlsx_local(name), "Relationship") != 0 || !id || !target || strcmp(id, r->first) != 0) return;
    r->parts->sheet = target[0] == '/' ? arena_str(&r->parts->arena, str_c(target + 1))
                                       : arena_printf(&r->parts->arena, "xl/%.200s", target);
}

static Err find_sheet(struct reading *r, struct xlsx_zip *zip) {
    bool there;
    TRY(read_part(zip, "xl/workbook.xml", r, workbook_start, ignore_end, NULL, &there));
    if (!there) return err_make(ERR_INVALID, "the file is a zip, but no XLSX: save the table as XLSX or CSV");
    TRY(read_part(zip, "xl/_rels/workbook.xml.rels", r, relation_start, ignore_end, NULL, &there));
    if (r->parts->sheet.len > 0) return err_none();
    return err_make(ERR_INVALID, "the XLSX file has no sheet that can be seen: put the table into the first one");
}

/* ---- shared texts */

static void XMLCALL strings_start(void *ctx, const char *name, const char **attributes) {
    struct reading *r = ctx;
    (void)attributes;
    name = xlsx_local(name);
    if (strcmp(name, "si") == 0) buf_clear(&r->text);
    if (strcmp(name, "rPh") == 0) r->in_phonetic = true;
    if (strcmp(name, "t") == 0) r->in_text = !r->in_phonetic;
}

static void XMLCALL strings_text(void *ctx, const char *text, int n) {
    struct reading *r = ctx;
    if (!r->in_text) return;
    r->bytes += (size_t)n;
    if (r->bytes > SHEET_STRINGS_MAX || r->text.len + (size_t)n > SHEET_CELL_MAX)
        stop(r,
             err_make(ERR_TOO_LARGE, "the XLSX file has a cell of more than 64 KiB, or too much text: send it as CSV"));
    else
        buf_add(&r->text, text, (size_t)n);
}

static void XMLCALL strings_end(void *ctx, const char *name) {
    struct reading *r = ctx;
    struct xlsx_parts *p = r->parts;
    name = xlsx_local(name);
    if (strcmp(name, "t") == 0) r->in_text = false;
    if (strcmp(name, "rPh") == 0) r->in_phonetic = false;
    if (strcmp(name, "si") != 0) return;
    r->bytes += sizeof(Str) + 16;
    Str text = arena_str(&p->arena, buf_view(&r->text));
    VEC_PUSH(p->strings, p->n_strings, p->cap_strings, text);
}

/* ---- formats */

enum xlsx_style xlsx_style_of(const char *code) {
    bool date = false, time = false, month = false;
    for (const char *c = code; *c; c++) {
        if (*c == '"' || *c == '[') {
            const char *end = strchr(c + 1, *c == '"' ? '"' : ']');
            if (!end) break;
            if (*c == '[' && strchr("hHmMsS", c[1])) return XLSX_PLAIN; /* a span of time: a number */
            c = end;
        } else if (*c == '\\' || *c == '_' || *c == '*') {
            if (c[1]) c++;
        } else if (*c == ';') {
            break; /* the form of positive numbers decides */
        } else {
            date |= strchr("yYdD", *c) != NULL;
            time |= strchr("hHsS", *c) != NULL;
            month |= *c == 'm' || *c == 'M';
        }
    }
    if (date) return time ? XLSX_BOTH : XLSX_DATE;
    return time ? XLSX_TIME : month ? XLSX_DATE : XLSX_PLAIN;
}

/* What spreadsheets take for granted (ECMA-376, 18.8.30), with the dates of Chinese and Japanese versions. */
static enum xlsx_style builtin(unsigned id) {
    if ((id >= 14 && id <= 17) || (id >= 27 && id <= 31) || id == 36 || (id >= 50 && id <= 58)) return XLSX_DATE;
    if (id == 22) return XLSX_BOTH;
    return (id >= 18 && id <= 21) || (id >= 32 && id <= 35) || id == 45 || id == 47 ? XLSX_TIME : XLSX_PLAIN;
}

static void XMLCALL styles_start(void *ctx, const char *name, const char **attributes) {
    struct reading *r = ctx;
    struct xlsx_parts *p = r->parts;
    name = xlsx_local(name);
    const char *id = xlsx_attribute(attributes, "numFmtId");
    unsigned long n = id ? strtoul(id, NULL, 10) : 0;
    if (strcmp(name, "cellXfs") == 0) r->in_formats = true;
    if (strcmp(name, "numFmt") == 0 && n < FORMATS_MAX) {
        const char *code = xlsx_attribute(attributes, "formatCode");
        r->formats[n] = (unsigned char)(code ? 1 + xlsx_style_of(code) : 0);
    }
    if (strcmp(name, "xf") != 0 || !r->in_formats || p->n_styles >= STYLES_MAX) return;
    unsigned char own = n < FORMATS_MAX ? r->formats[n] : 0;
    unsigned char style = (unsigned char)(own ? own - 1u : (unsigned)builtin((unsigned)n));
    VEC_PUSH(p->styles, p->n_styles, p->cap_styles, style);
}

static void XMLCALL styles_end(void *ctx, const char *name) {
    if (strcmp(xlsx_local(name), "cellXfs") == 0) ((struct reading *)ctx)->in_formats = false;
}

Err xlsx_parts_read(struct xlsx_parts *parts, struct xlsx_zip *zip) {
    bool there;
    struct reading r = {.parts = parts};
    *parts = (struct xlsx_parts){0};
    arena_init(&parts->arena, 0);
    r.formats = arena_zero(&parts->arena, FORMATS_MAX, 1);
    Err err = find_sheet(&r, zip);
    if (err.code == ERR_NONE)
        err = read_part(zip, "xl/sharedStrings.xml", &r, strings_start, strings_end, strings_text, &there);
    if (err.code == ERR_NONE) err = read_part(zip, "xl/styles.xml", &r, styles_start, styles_end, NULL, &there);
    buf_fini(&r.text);
    if (err.code != ERR_NONE) xlsx_parts_fini(parts);
    return err;
}

void xlsx_parts_fini(struct xlsx_parts *parts) {
    arena_fini(&parts->arena);
    free(parts->strings);
    free(parts->styles);
    *parts = (struct xlsx_parts){0};
}
