#include <string.h>

#include "tests/lib/serve_rig.h"

void api_exports_test(void);

static Str ask(struct serve_rig *rig, const char *token, const char *target, int status) {
    struct http_answer a = serve_rig_ask(rig, token, "GET", target, NULL);
    if (!CHECK_INT(a.status, status)) CHECK_STR(a.body, str_c(target));
    return a.body;
}

static void tables(struct serve_rig *rig) {
    unit_case("a list as CSV: headings in the language asked for, decimals exact, formulas disarmed");
    serve_rig_json(rig, rig->manager, "POST", "/api/v1/docs/part",
                   "{'code':'=cmd','title_en':'Pump, big','title_zh':'泵','on_hand':'12','latitude':31.5}", 201);
    serve_rig_json(rig, rig->manager, "POST", "/api/v1/docs/part", "{'code':'B-2','on_hand':'0'}", 201);
    CHECK_STR(ask(rig, rig->manager,
                  "/api/v1/docs/part/export?lang=en&fields=number,state,code,title_en,on_hand,latitude", 200),
              STR("\xEF\xBB\xBFNumber,State,Part number,Name (English),On hand,Latitude\r\n"
                  "PA-000001,Active,\"'=cmd\",\"Pump, big\",12,31.5\r\n"
                  "PA-000002,Active,B-2,,0,\r\n"));
    CHECK_STR(ask(rig, rig->manager, "/api/v1/docs/part/export?lang=zh&fields=state,code&code=B-2", 200),
              STR("\xEF\xBB\xBF状态,备件编码\r\n在用,B-2\r\n"));
    CHECK_STR(ask(rig, rig->manager, "/api/v1/docs/part/export?lang=zh&fields=code&sort=-id&limit=1", 200),
              STR("\xEF\xBB\xBF备件编码\r\nB-2\r\n"));

    unit_case("all columns; XLSX; nothing of it stays on the disk");
    Str all = ask(rig, rig->viewer, "/api/v1/docs/part/export?lang=en", 200);
    CHECK(str_find(all, STR("Number,State,Part number,")) == 3 && str_find(all, STR("Created by")) > 0);
    Str book = ask(rig, rig->manager, "/api/v1/docs/part/export?format=xlsx", 200);
    CHECK(str_starts(book, STR("PK\3\4")) && book.len > 1000);

    unit_case("another party's documents are in no table");
    CHECK_STR(ask(rig, rig->stranger, "/api/v1/docs/part/export?lang=en&fields=code", 200),
              STR("\xEF\xBB\xBFPart number\r\n"));

    unit_case("what cannot be asked for");
    ask(rig, NULL, "/api/v1/docs/part/export", 401);
    ask(rig, rig->manager, "/api/v1/docs/nonsense/export", 404);
    ask(rig, rig->manager, "/api/v1/docs/part/export?format=pdf", 400);
    ask(rig, rig->manager, "/api/v1/docs/part/export?lang=de", 400);
    ask(rig, rig->manager, "/api/v1/docs/part/export?fields=nonsense", 400);
    ask(rig, rig->manager, "/api/v1/docs/part/export?nonsense=1", 400);
    ask(rig, rig->manager, "/api/v1/docs/part/export?sort=nonsense", 400);
}

static void templates(struct serve_rig *rig) {
    unit_case("a template: what may be filled in, and how");
    Str t = ask(rig, rig->manager, "/api/v1/docs/part/template?lang=zh", 200);
    CHECK(str_find(t, STR("备件编码,")) == 3);
    CHECK(str_find(t, STR("# 必填；文本")) > 0);
    CHECK(str_find(t, STR("已预留")) < 0); /* computed */
    CHECK(str_starts(ask(rig, rig->manager, "/api/v1/docs/part/template?format=xlsx", 200), STR("PK\3\4")));
}

static void codes(struct serve_rig *rig) {
    unit_case("a QR code as SVG, of a document one may read");
    Str svg = ask(rig, rig->manager, "/api/v1/docs/part/PA-000001/qr", 200);
    CHECK(str_find(svg, STR("<svg")) >= 0);
    ask(rig, rig->stranger, "/api/v1/docs/part/1/qr", 404);
    ask(rig, rig->manager, "/api/v1/docs/part/99/qr", 404);
}

void api_exports_test(void) {
    static struct serve_rig rig;
    unit_case("a server");
    if (CHECK(serve_rig_open(&rig, 0))) {
        tables(&rig);
        templates(&rig);
        codes(&rig);
    }
    serve_rig_close(&rig);
}
