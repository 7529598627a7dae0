/* Every document type of the service business: about machines first, then about work. */
#include "domain/service/service_docs.h"

#define F(field_name, en, zh, field_kind) .name = field_name, .title_en = en, .title_zh = zh, .kind = field_kind
#define COUNT(table) (sizeof(table) / sizeof *(table))
#define SYSTEM ROLE_BIT(ROLE_SYSTEM)
#define CREW (ROLE_STAFF | ROLE_BIT(ROLE_TECHNICIAN))

/* ---- alarm: the states of ISA-18.2 */
static const struct choice alarm_kinds[] = {
    {"limit", "Limit", "超限"}, {"anomaly", "Anomaly", "异常"}, {"code", "Fault code", "故障码"}, {NULL, NULL, NULL}};
static const struct choice severities[] = {{"low", "Low", "提示"},
                                           {"medium", "Medium", "一般"},
                                           {"high", "High", "重要"},
                                           {"critical", "Critical", "紧急"},
                                           {NULL, NULL, NULL}};

static const struct field alarm_fields[] = {
    {F("thing", "Machine", "设备", FIELD_THING), .required = true, .indexed = true},
    {F("kind", "Kind", "告警类型", FIELD_CHOICE), .required = true, .indexed = true, .choices = alarm_kinds},
    {F("metric", "Metric", "测点", FIELD_TEXT), .indexed = true},
    {F("component", "Component", "部件", FIELD_TEXT), .indexed = true},
    {F("code", "Fault code", "故障码", FIELD_TEXT), .indexed = true},
    {F("severity", "Severity", "级别", FIELD_CHOICE), .required = true, .indexed = true, .choices = severities},
    {F("text_en", "Text (English)", "告警内容（英文）", FIELD_TEXT)},
    {F("text_zh", "Text (Chinese)", "告警内容", FIELD_TEXT)},
    {F("value", "Value", "告警值", FIELD_NUMBER)},
    {F("raised_at", "Raised", "发生时间", FIELD_TIME), .required = true, .indexed = true},
    {F("acknowledged_at", "Acknowledged", "确认时间", FIELD_TIME), .computed = true},
    {F("acknowledged_by", "Acknowledged by", "确认人", FIELD_TEXT), .computed = true},
    {F("cleared_at", "Condition ended", "恢复时间", FIELD_TIME), .computed = true},
    {F("occurrences", "Occurrences", "发生次数", FIELD_INT), .computed = true, .fallback = "1"},
    {F("note", "Note", "备注", FIELD_TEXT)},
};

static const struct doc_state alarm_states[] = {
    {"raised", "Raised", "未确认", false, "critical"},
    {"acknowledged", "Acknowledged", "已确认", false, "warning"},
    {"returned", "Returned, not acknowledged", "已恢复未确认", false, "info"},
    {"cleared", "Cleared", "已消除", true, "good"},
};

static const struct transition alarm_transitions[] = {
    {"acknowledge", "Acknowledge", "确认告警", "raised", "acknowledged", CREW, NULL, "note", "acknowledged_at"},
    {"acknowledge", "Acknowledge", "确认告警", "returned", "cleared", CREW, NULL, "note", "acknowledged_at"},
    {"clear", "Condition ended", "告警恢复", "raised", "returned", SYSTEM, NULL, "cleared_at|value|occurrences", NULL},
    {"clear", "Condition ended", "告警恢复", "acknowledged", "cleared", SYSTEM, NULL, "cleared_at|value|occurrences",
     NULL},
    {"repeat", "Raised again", "再次发生", "returned", "raised", SYSTEM, NULL,
     "value|severity|occurrences|text_en|text_zh", NULL},
};

const struct doctype service_docs_alarm = {
    .name = "alarm",
    .title_en = "Alarm",
    .title_zh = "告警",
    .prefix = "AL",
    .fields = alarm_fields,
    .n_fields = COUNT(alarm_fields),
    .states = alarm_states,
    .n_states = COUNT(alarm_states),
    .transitions = alarm_transitions,
    .n_transitions = COUNT(alarm_transitions),
    .read_roles = ROLE_PEOPLE,
    .create_roles = SYSTEM,
    .change_roles = SYSTEM,
};

/* ---- prediction */
static const struct field prediction_fields[] = {
    {F("thing", "Machine", "设备", FIELD_THING), .required = true, .indexed = true},
    {F("component", "Component", "部件", FIELD_TEXT), .required = true, .indexed = true},
    {F("probability", "Probability", "故障概率", FIELD_NUMBER), .required = true, .indexed = true},
    {F("horizon_hours", "Horizon", "预测时域", FIELD_NUMBER), .required = true, .unit = "HUR"},
    {F("predicted_at", "Predicted", "预测时间", FIELD_TIME), .required = true, .indexed = true},
    {F("expected_by", "Expected by", "预计故障不晚于", FIELD_TIME), .indexed = true},
    {F("reasons", "Reasons", "预测依据", FIELD_JSON)},
    {F("model", "Model", "预测模型", FIELD_TEXT)},
    {F("work_order", "Work order", "工单", FIELD_REF), .computed = true, .ref = "work_order"},
    {F("fault", "Fault", "实际故障", FIELD_REF), .computed = true, .ref = "fault"},
    {F("lead_hours", "Lead time", "提前量", FIELD_NUMBER), .computed = true, .unit = "HUR"},
    {F("note", "Note", "备注", FIELD_TEXT)},
};

static const struct doc_state prediction_states[] = {
    {"open", "Open", "待验证", false, "warning"},
    {"confirmed", "Confirmed", "已证实", true, "good"},
    {"expired", "Expired", "未发生", true, "neutral"},
    {"withdrawn", "Withdrawn", "已撤回", true, "neutral"},
};

static const struct transition prediction_transitions[] = {
    {"confirm", "Confirm", "证实", "open", "confirmed", SYSTEM, NULL, "fault|lead_hours", NULL},
    {"expire", "Expire", "到期未发生", "open", "expired", SYSTEM, NULL, NULL, NULL},
    {"withdraw", "Withdraw", "撤回", "open", "withdrawn", ROLE_STAFF, NULL, "note", NULL},
};

const struct doctype service_docs_prediction = {
    .name = "prediction",
    .title_en = "Prediction",
    .title_zh = "故障预测",
    .prefix = "PR",
    .fields = prediction_fields,
    .n_fields = COUNT(prediction_fields),
    .states = prediction_states,
    .n_states = COUNT(prediction_states),
    .transitions = prediction_transitions,
    .n_transitions = COUNT(prediction_transitions),
    .read_roles = ROLE_PEOPLE,
    .create_roles = SYSTEM,
    .change_roles = SYSTEM,
};

/* ---- fault */
static const struct choice fault_sources[] = {{"person", "Person", "人工上报"},
                                              {"machine", "Machine", "设备上报"},
                                              {"recording", "Recording", "历史记录"},
                                              {NULL, NULL, NULL}};

static const struct field fault_fields[] = {
    {F("thing", "Machine", "设备", FIELD_THING), .required = true, .indexed = true},
    {F("component", "Component", "部件", FIELD_TEXT), .indexed = true},
    {F("occurred_at", "Occurred", "故障时间", FIELD_TIME), .required = true, .indexed = true},
    {F("text", "Description", "故障现象", FIELD_TEXT)},
    {F("source", "Source", "来源", FIELD_CHOICE), .choices = fault_sources, .fallback = "person"},
    {F("foreseen", "Foreseen", "已提前预测", FIELD_BOOL), .computed = true, .indexed = true},
    {F("prediction", "Prediction", "故障预测", FIELD_REF), .computed = true, .ref = "prediction"},
};

static const struct doc_state fault_states[] = {
    {"reported", "Reported", "已上报", false, "critical"},
    {"repaired", "Repaired", "已修复", true, "good"},
};

static const struct transition fault_transitions[] = {
    {"repair", "Repaired", "已修复", "reported", "repaired", CREW, NULL, "text", NULL},
};

const struct doctype service_docs_fault = {
    .name = "fault",
    .title_en = "Fault",
    .title_zh = "故障",
    .prefix = "FA",
    .fields = fault_fields,
    .n_fields = COUNT(fault_fields),
    .states = fault_states,
    .n_states = COUNT(fault_states),
    .transitions = fault_transitions,
    .n_transitions = COUNT(fault_transitions),
    .read_roles = ROLE_PEOPLE,
    .create_roles = CREW | ROLE_BIT(ROLE_WORKER),
    .change_roles = CREW,
};

/* ---- maintenance */
static const struct choice maintenance_kinds[] = {{"planned", "Planned", "计划维护"},
                                                  {"corrective", "Corrective", "故障维修"},
                                                  {"predictive", "Predictive", "预测性维护"},
                                                  {NULL, NULL, NULL}};

static const struct field maintenance_fields[] = {
    {F("thing", "Machine", "设备", FIELD_THING), .required = true, .indexed = true},
    {F("component", "Component", "部件", FIELD_TEXT), .indexed = true},
    {F("done_at", "Done", "完成时间", FIELD_TIME), .required = true, .indexed = true},
    {F("kind", "Kind", "维保类型", FIELD_CHOICE), .choices = maintenance_kinds, .fallback = "planned"},
    {F("part", "Part", "更换备件", FIELD_REF), .ref = "part"},
    {F("work_order", "Work order", "工单", FIELD_REF), .indexed = true, .ref = "work_order"},
    {F("text", "Description", "维保内容", FIELD_TEXT)},
};

static const struct doc_state maintenance_states[] = {{"recorded", "Recorded", "已记录", true, "good"}};

const struct doctype service_docs_maintenance = {
    .name = "maintenance",
    .title_en = "Maintenance",
    .title_zh = "维保记录",
    .prefix = "MR",
    .fields = maintenance_fields,
    .n_fields = COUNT(maintenance_fields),
    .states = maintenance_states,
    .n_states = COUNT(maintenance_states),
    .read_roles = ROLE_PEOPLE,
    .create_roles = CREW,
    .change_roles = ROLE_STAFF,
};
/* ---- work order */
static const struct choice order_kinds[] = {{"predictive", "Predictive", "预测性维护"}, {"alarm", "Alarm", "告警处理"},
                                            {"breakdown", "Breakdown", "故障抢修"},     {"request", "Request", "报修"},
                                            {"preventive", "Preventive", "计划保养"},   {NULL, NULL, NULL}};
static const struct choice priorities[] = {{"low", "Low", "低"},
                                           {"normal", "Normal", "普通"},
                                           {"high", "High", "高"},
                                           {"urgent", "Urgent", "紧急"},
                                           {NULL, NULL, NULL}};

static const struct field order_fields[] = {
    {F("thing", "Machine", "设备", FIELD_THING), .required = true, .indexed = true},
    {F("kind", "Kind", "工单类型", FIELD_CHOICE), .indexed = true, .choices = order_kinds, .fallback = "request"},
    {F("component", "Component", "部件", FIELD_TEXT), .indexed = true},
    {F("title_en", "Title (English)", "标题（英文）", FIELD_TEXT)},
    {F("title_zh", "Title (Chinese)", "标题", FIELD_TEXT)},
    {F("priority", "Priority", "优先级", FIELD_CHOICE), .indexed = true, .choices = priorities, .fallback = "normal"},
    {F("prediction", "Prediction", "故障预测", FIELD_REF), .computed = true, .indexed = true, .ref = "prediction"},
    {F("alarm", "Alarm", "告警", FIELD_REF), .computed = true, .indexed = true, .ref = "alarm"},
    {F("fault", "Fault", "故障", FIELD_REF), .computed = true, .indexed = true, .ref = "fault"},
    {F("technician", "Technician", "服务工程师", FIELD_REF), .indexed = true, .ref = "technician"},
    {F("part", "Part", "备件", FIELD_REF), .ref = "part"},
    {F("travel_km", "Travel", "路程", FIELD_NUMBER), .computed = true, .unit = "KMT"},
    {F("requested_at", "Requested", "报修时间", FIELD_TIME), .computed = true, .indexed = true},
    {F("dispatched_at", "Dispatched", "派工时间", FIELD_TIME), .computed = true},
    {F("planned_arrival", "Planned arrival", "预计到场", FIELD_TIME)},
    {F("arrive_by", "Arrive by", "承诺到场时限", FIELD_TIME), .computed = true, .indexed = true},
    {F("arrived_at", "Arrived", "到场时间", FIELD_TIME), .computed = true},
    {F("finish_by", "Finish by", "承诺完工时限", FIELD_TIME), .computed = true, .indexed = true},
    {F("finished_at", "Finished", "完工时间", FIELD_TIME), .computed = true, .indexed = true},
    {F("arrival_kept", "Arrived in time", "按时到场", FIELD_BOOL), .computed = true, .indexed = true},
    {F("completion_kept", "Finished in time", "按时完工", FIELD_BOOL), .computed = true, .indexed = true},
    {F("escalated_at", "Escalated", "升级时间", FIELD_TIME), .computed = true, .indexed = true},
    {F("finding", "Finding", "现场检查", FIELD_TEXT)},
    {F("remedy", "Remedy", "处理措施", FIELD_TEXT)},
    {F("signature", "Signed by", "客户签字", FIELD_TEXT)},
    {F("note", "Note", "备注", FIELD_TEXT)},
};

static const struct doc_state order_states[] = {
    {"requested", "Requested", "待派工", false, "critical"},
    {"dispatched", "Dispatched", "已派工", false, "warning"},
    {"travelling", "Travelling", "在途", false, "info"},
    {"on_site", "On site", "现场处理", false, "info"},
    {"done", "Done", "待验收", false, "good"},
    {"confirmed", "Confirmed", "已验收", true, "good"},
    {"cancelled", "Cancelled", "已取消", true, "neutral"},
};

static const struct transition order_transitions[] = {
    {"dispatch", "Dispatch", "派工", "requested", "dispatched", ROLE_STAFF, "technician",
     "planned_arrival|travel_km|part|priority|note", "dispatched_at"},
    {"depart", "Depart", "出发", "dispatched", "travelling", CREW, NULL, "planned_arrival", NULL},
    {"arrive", "Arrive", "到场签到", "dispatched|travelling", "on_site", CREW, NULL, NULL, "arrived_at"},
    {"finish", "Finish", "完工", "on_site", "done", CREW, NULL, "finding|remedy|signature|part", "finished_at"},
    {"confirm", "Confirm", "验收", "done", "confirmed", ROLE_STAFF, NULL, "note", NULL},
    {"cancel", "Cancel", "取消", "*", "cancelled", ROLE_STAFF, NULL, "note", NULL},
    {"reassign", "Reassign", "改派", "dispatched|travelling", NULL, ROLE_STAFF, "technician",
     "planned_arrival|travel_km|note", "dispatched_at"},
};

const struct doctype service_docs_work_order = {
    .name = "work_order",
    .title_en = "Work order",
    .title_zh = "工单",
    .prefix = "WO",
    .fields = order_fields,
    .n_fields = COUNT(order_fields),
    .states = order_states,
    .n_states = COUNT(order_states),
    .transitions = order_transitions,
    .n_transitions = COUNT(order_transitions),
    .read_roles = ROLE_PEOPLE,
    .create_roles = CREW | ROLE_BIT(ROLE_WORKER),
    .change_roles = CREW,
};

/* ---- part. Quantities are whole pieces; `reserved` follows the reservations, `on_hand` falls when one is used. */
static const struct field part_fields[] = {
    {F("code", "Part number", "备件编码", FIELD_TEXT), .required = true, .unique = true, .indexed = true},
    {F("title_en", "Name (English)", "名称（英文）", FIELD_TEXT)},
    {F("title_zh", "Name (Chinese)", "名称", FIELD_TEXT)},
    {F("component", "Component", "适用部件", FIELD_TEXT), .indexed = true},
    {F("on_hand", "On hand", "库存数量", FIELD_DECIMAL), .unit = "H87", .fallback = "0"},
    {F("reserved", "Reserved", "已预留", FIELD_DECIMAL), .computed = true, .unit = "H87", .fallback = "0"},
    {F("location", "Location", "仓库", FIELD_TEXT)},
    {F("latitude", "Latitude", "纬度", FIELD_NUMBER), .unit = "DD"},
    {F("longitude", "Longitude", "经度", FIELD_NUMBER), .unit = "DD"},
    {F("reorder_point", "Reorder point", "补货点", FIELD_DECIMAL), .unit = "H87", .fallback = "0"},
    {F("last_issue", "Last issue", "最近出库", FIELD_REF), .computed = true, .ref = "reservation"},
};

static const struct doc_state part_states[] = {
    {"active", "Active", "在用", false, "good"},
    {"retired", "Retired", "停用", false, "neutral"},
};

static const struct transition part_transitions[] = {
    {"retire", "Retire", "停用", "active", "retired", ROLE_STAFF, NULL, NULL, NULL},
    {"restore", "Restore", "启用", "retired", "active", ROLE_STAFF, NULL, NULL, NULL},
};

const struct doctype service_docs_part = {
    .name = "part",
    .title_en = "Part",
    .title_zh = "备件",
    .prefix = "PA",
    .fields = part_fields,
    .n_fields = COUNT(part_fields),
    .states = part_states,
    .n_states = COUNT(part_states),
    .transitions = part_transitions,
    .n_transitions = COUNT(part_transitions),
    .read_roles = ROLE_PEOPLE,
    .create_roles = ROLE_STAFF,
    .change_roles = ROLE_STAFF,
};

/* ---- reservation */
static const struct field reservation_fields[] = {
    {F("part", "Part", "备件", FIELD_REF), .required = true, .indexed = true, .ref = "part"},
    {F("work_order", "Work order", "工单", FIELD_REF), .indexed = true, .ref = "work_order"},
    {F("quantity", "Quantity", "数量", FIELD_DECIMAL), .unit = "H87", .fallback = "1"},
    {F("issued", "Taken from stock", "已出库", FIELD_BOOL), .computed = true, .indexed = true},
    {F("note", "Note", "备注", FIELD_TEXT)},
};

static const struct doc_state reservation_states[] = {
    {"reserved", "Reserved", "已预留", false, "info"},
    {"used", "Used", "已领用", true, "good"},
    {"released", "Released", "已释放", true, "neutral"},
};

static const struct transition reservation_transitions[] = {
    {"use", "Use", "领用", "reserved", "used", CREW, NULL, "note", NULL},
    {"release", "Release", "释放", "reserved", "released", ROLE_STAFF, NULL, "note", NULL},
};

const struct doctype service_docs_reservation = {
    .name = "reservation",
    .title_en = "Reservation",
    .title_zh = "备件预留",
    .prefix = "RS",
    .fields = reservation_fields,
    .n_fields = COUNT(reservation_fields),
    .states = reservation_states,
    .n_states = COUNT(reservation_states),
    .transitions = reservation_transitions,
    .n_transitions = COUNT(reservation_transitions),
    .read_roles = ROLE_PEOPLE,
    .create_roles = ROLE_STAFF,
    .change_roles = SYSTEM,
};

/* ---- technician */
static const struct field technician_fields[] = {
    {F("name", "Name", "姓名", FIELD_TEXT), .required = true, .indexed = true},
    {F("skills", "Skills", "技能", FIELD_TEXT)},
    {F("latitude", "Latitude", "纬度", FIELD_NUMBER), .unit = "DD"},
    {F("longitude", "Longitude", "经度", FIELD_NUMBER), .unit = "DD"},
    {F("user", "Login", "登录账号", FIELD_TEXT), .indexed = true},
    {F("phone", "Phone", "电话", FIELD_TEXT)},
};

static const struct doc_state technician_states[] = {
    {"available", "Available", "空闲", false, "good"},
    {"busy", "Busy", "作业中", false, "warning"},
    {"off_shift", "Off shift", "休班", false, "neutral"},
};

static const struct transition technician_transitions[] = {
    {"assign", "Assigned", "派工", "available", "busy", SYSTEM, NULL, NULL, NULL},
    {"release", "Released", "空闲", "busy", "available", SYSTEM, NULL, NULL, NULL},
    {"start_shift", "Start shift", "上班", "off_shift", "available", CREW, NULL, NULL, NULL},
    {"end_shift", "End shift", "下班", "available|busy", "off_shift", CREW, NULL, NULL, NULL},
};

const struct doctype service_docs_technician = {
    .name = "technician",
    .title_en = "Technician",
    .title_zh = "服务工程师",
    .prefix = "TE",
    .fields = technician_fields,
    .n_fields = COUNT(technician_fields),
    .states = technician_states,
    .n_states = COUNT(technician_states),
    .transitions = technician_transitions,
    .n_transitions = COUNT(technician_transitions),
    .read_roles = ROLE_PEOPLE,
    .create_roles = ROLE_STAFF,
    .change_roles = CREW,
};
