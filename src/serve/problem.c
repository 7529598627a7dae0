#include "serve/problem.h"

#include "base/jw.h"

/* What to do about each kind, for the page that a problem's "type" leads to. */
static const struct advice {
    const char *en, *zh, *title_zh;
} advices[ERR_COUNT] = {
    [ERR_INVALID] = {"Something in the request is not as the API takes it. The problem's detail names it. The whole "
                     "API is described at /api/v1/openapi.json.",
                     "请求内容不符合接口要求，detail 字段说明了具体位置。接口说明见 /api/v1/openapi.json。",
                     "输入无效"},
    [ERR_UNAUTHENTICATED] = {"Sign in (POST /api/v1/session), or send Authorization: Bearer with a token. Sessions "
                             "end after 12 hours without use.",
                             "请先登录，或在 Authorization 头中携带令牌。会话闲置 12 小时后失效。", "请先登录"},
    [ERR_SECOND_FACTOR] =
        {"The password is right. Send the six digits of your authenticator app, or a recovery code, as "
         "\"code\" beside it.",
         "密码正确，请同时提交验证器中的六位动态码（code），或一个恢复码。", "需要第二因素"},
    [ERR_FORBIDDEN] = {"Your role does not allow this. A manager can give you another role. A change made with the "
                       "session cookie also needs the header X-Weft: 1.",
                       "当前角色没有此权限，请联系管理员。使用会话 Cookie 修改数据时还需要请求头 X-Weft: 1。",
                       "没有权限"},
    [ERR_NOT_FOUND] = {"There is nothing at this address, or nothing that you may see.",
                       "该地址没有内容，或您无权查看。", "不存在"},
    [ERR_METHOD] = {"The address exists but does not take this method; the Allow header lists those it takes.",
                    "该地址不支持此方法，Allow 头列出了支持的方法。", "方法不支持"},
    [ERR_CONFLICT] = {"Somebody else holds that name or number, or the same request is still being worked on.",
                      "名称或编号已被占用，或相同请求正在处理。", "冲突"},
    [ERR_STATE] =
        {"The document is in a state that does not allow this step. Its \"can\" lists the steps possible now.",
         "单据当前状态不允许此操作，can 字段列出了可执行的操作。", "状态不允许"},
    [ERR_PRECONDITION] = {"The document changed after you read it. Read it again, and repeat the change on what it is "
                          "now.",
                          "读取之后单据已被修改，请重新读取后再改。", "版本已变化"},
    [ERR_TOO_LARGE] = {"The request is larger than this address takes. Send less at once.",
                       "请求超过大小限制，请减少内容后重试。", "内容过大"},
    [ERR_MEDIA_TYPE] = {"Send JSON (Content-Type: application/json), plain or with Content-Encoding: gzip.",
                        "请使用 application/json，可用 gzip 压缩。", "内容类型不支持"},
    [ERR_LIMIT] = {"Too many attempts, or a limit of the server was reached. Wait a minute and try again.",
                   "次数过多或达到上限，请稍后重试。", "达到上限"},
    [ERR_IO] = {"The server's disk or network failed. The operator finds the reason in the server's log, under the "
                "problem's instance.",
                "服务器磁盘或网络出错，运维人员可按 instance 在日志中查找原因。", "读写失败"},
    [ERR_CORRUPT] = {"Stored data does not match its checksum. The operator should look at the server's log.",
                     "存储数据校验失败，请运维人员查看日志。", "数据损坏"},
    [ERR_BUSY] = {"The server has as much work as it takes at once. Try again after the time in Retry-After.",
                  "服务器繁忙，请按 Retry-After 的时间稍后重试。", "繁忙"},
    [ERR_CLOSED] = {"The server is shutting down. Try again when it is back.", "服务器正在关闭，请稍后重试。",
                    "正在关闭"},
    [ERR_LOCKED] = {"Another process owns the data folder.", "数据目录被其他进程占用。", "已被占用"},
    [ERR_CANCELLED] = {"The work was stopped before its end, by whoever asked for it or because the server stops.",
                       "处理在完成前被取消，可能由请求方取消，或服务器正在停止。", "已取消"},
    [ERR_TIMEOUT] = {"The work took longer than it may. Ask for less at once, or try again.",
                     "处理超时，请缩小范围后重试。", "超时"},
};

void problem_answer(const struct http_request *request, Err err, struct http_response *response) {
    struct jw w;
    response->status = err_http_status(err.code);
    response->content_type = "application/problem+json";
    jw_init(&w, &response->body);
    jw_object(&w);
    jw_kstr(&w, "type", arena_printf(request->arena, "/problems/%s", err_slug(err.code)));
    jw_kc(&w, "title", err_title(err.code));
    jw_kint(&w, "status", response->status);
    jw_kc(&w, "detail", err.text);
    jw_kstr(&w, "instance", arena_printf(request->arena, "urn:weft:request:%s", request->id));
    jw_object_end(&w);
}

bool problem_page(Str slug, struct buf *html) {
    for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
        if (!str_eq_c(slug, err_slug((enum err_code)code))) continue;
        const struct advice *advice = &advices[code];
        buf_printf(html,
                   "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">"
                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>%s</title>"
                   "<h1>%s</h1><p>HTTP status %d, type <code>/problems/%s</code></p><p>%s</p>"
                   "<hr><h1 lang=\"zh\">%s</h1><p lang=\"zh\">%s</p></html>\n",
                   err_title((enum err_code)code), err_title((enum err_code)code), err_http_status((enum err_code)code),
                   err_slug((enum err_code)code), advice->en, advice->title_zh, advice->zh);
        return true;
    }
    return false;
}
