#include "model/unit.h"

/*
 * Codes of UN/ECE Recommendation 20 (revision 17), and three that Chinese trade uses and the recommendation lacks (MU
 * 亩, JIN 斤, LIANG 两, by the market system of 1959). Factors are exact by definition of the units.
 */
#define U(code, symbol, en, zh, quantity, num, den)                                                                    \
    { code, symbol, en, zh, quantity, num, den, 0, 1 }
static const struct unit units[] = {
    U("C62", "1", "one", "个", "count", 1, 1),
    U("H87", "pc", "piece", "件", "count", 1, 1),
    U("EA", "ea", "each", "只", "count", 1, 1),
    U("PR", "pair", "pair", "双", "count", 2, 1),
    U("DZN", "doz", "dozen", "打", "count", 12, 1),
    U("CEN", "hundred", "hundred", "百", "count", 100, 1),
    U("MIL", "thousand", "thousand", "千", "count", 1000, 1),
    U("SET", "set", "set", "套", "set", 1, 1),
    U("NMP", "pk", "pack", "包", "pack", 1, 1),
    U("BX", "box", "box", "盒", "box", 1, 1),
    U("CT", "ctn", "carton", "箱", "carton", 1, 1),
    U("PF", "pallet", "pallet (lift)", "托", "pallet", 1, 1),
    U("RO", "roll", "roll", "卷", "roll", 1, 1),
    U("ST", "sheet", "sheet", "张", "sheet", 1, 1),
    U("KGM", "kg", "kilogram", "千克", "mass", 1, 1),
    U("GRM", "g", "gram", "克", "mass", 1, 1000),
    U("MGM", "mg", "milligram", "毫克", "mass", 1, 1000000),
    U("TNE", "t", "tonne", "吨", "mass", 1000, 1),
    U("DTN", "dt", "decitonne", "公担", "mass", 100, 1),
    U("LBR", "lb", "pound", "磅", "mass", 45359237, 100000000),
    U("ONZ", "oz", "ounce", "盎司", "mass", 45359237, 1600000000),
    U("JIN", "jin", "jin", "斤", "mass", 1, 2),
    U("LIANG", "liang", "liang", "两", "mass", 1, 20),
    U("MTR", "m", "metre", "米", "length", 1, 1),
    U("DMT", "dm", "decimetre", "分米", "length", 1, 10),
    U("CMT", "cm", "centimetre", "厘米", "length", 1, 100),
    U("MMT", "mm", "millimetre", "毫米", "length", 1, 1000),
    U("4H", "μm", "micrometre", "微米", "length", 1, 1000000),
    U("KMT", "km", "kilometre", "千米", "length", 1000, 1),
    U("INH", "in", "inch", "英寸", "length", 254, 10000),
    U("FOT", "ft", "foot", "英尺", "length", 3048, 10000),
    U("YRD", "yd", "yard", "码", "length", 9144, 10000),
    U("SMI", "mile", "mile (statute)", "英里", "length", 1609344, 1000),
    U("NMI", "n mile", "nautical mile", "海里", "length", 1852, 1),
    U("MTK", "m²", "square metre", "平方米", "area", 1, 1),
    U("CMK", "cm²", "square centimetre", "平方厘米", "area", 1, 10000),
    U("MMK", "mm²", "square millimetre", "平方毫米", "area", 1, 1000000),
    U("KMK", "km²", "square kilometre", "平方千米", "area", 1000000, 1),
    U("HAR", "ha", "hectare", "公顷", "area", 10000, 1),
    U("MU", "mu", "mu", "亩", "area", 2000, 3),
    U("MTQ", "m³", "cubic metre", "立方米", "volume", 1, 1),
    U("LTR", "L", "litre", "升", "volume", 1, 1000),
    U("MLT", "mL", "millilitre", "毫升", "volume", 1, 1000000),
    U("HLT", "hL", "hectolitre", "百升", "volume", 1, 10),
    U("CMQ", "cm³", "cubic centimetre", "立方厘米", "volume", 1, 1000000),
    U("GLL", "gal (US)", "gallon (US)", "美制加仑", "volume", 3785411784, 1000000000000),
    U("SEC", "s", "second", "秒", "time", 1, 1),
    U("C26", "ms", "millisecond", "毫秒", "time", 1, 1000),
    U("MIN", "min", "minute", "分钟", "time", 60, 1),
    U("HUR", "h", "hour", "小时", "time", 3600, 1),
    U("DAY", "d", "day", "天", "time", 86400, 1),
    U("WEE", "wk", "week", "周", "time", 604800, 1),
    U("MON", "mo", "month", "月", "month", 1, 1),
    U("ANN", "y", "year", "年", "month", 12, 1),
    U("MTS", "m/s", "metre per second", "米/秒", "speed", 1, 1),
    U("KMH", "km/h", "kilometre per hour", "千米/时", "speed", 10, 36),
    U("2X", "m/min", "metre per minute", "米/分", "speed", 1, 60),
    U("MSK", "m/s²", "metre per second squared", "米/平方秒", "acceleration", 1, 1),
    U("HTZ", "Hz", "hertz", "赫兹", "frequency", 1, 1),
    U("KHZ", "kHz", "kilohertz", "千赫", "frequency", 1000, 1),
    U("RPM", "r/min", "revolutions per minute", "转/分", "frequency", 1, 60),
    {"KEL", "K", "kelvin", "开尔文", "temperature", 1, 1, 0, 1},
    {"CEL", "°C", "degree Celsius", "摄氏度", "temperature", 1, 1, 27315, 100},
    {"FAH", "°F", "degree Fahrenheit", "华氏度", "temperature", 5, 9, 45967, 180},
    U("PAL", "Pa", "pascal", "帕", "pressure", 1, 1),
    U("KPA", "kPa", "kilopascal", "千帕", "pressure", 1000, 1),
    U("MPA", "MPa", "megapascal", "兆帕", "pressure", 1000000, 1),
    U("BAR", "bar", "bar", "巴", "pressure", 100000, 1),
    U("MBR", "mbar", "millibar", "毫巴", "pressure", 100, 1),
    U("NEW", "N", "newton", "牛", "force", 1, 1),
    U("B47", "kN", "kilonewton", "千牛", "force", 1000, 1),
    U("NU", "N·m", "newton metre", "牛·米", "torque", 1, 1),
    U("JOU", "J", "joule", "焦", "energy", 1, 1),
    U("KJO", "kJ", "kilojoule", "千焦", "energy", 1000, 1),
    U("3B", "MJ", "megajoule", "兆焦", "energy", 1000000, 1),
    U("GV", "GJ", "gigajoule", "吉焦", "energy", 1000000000, 1),
    U("WHR", "W·h", "watt hour", "瓦时", "energy", 3600, 1),
    U("KWH", "kW·h", "kilowatt hour", "千瓦时", "energy", 3600000, 1),
    U("MWH", "MW·h", "megawatt hour", "兆瓦时", "energy", 3600000000, 1),
    U("WTT", "W", "watt", "瓦", "power", 1, 1),
    U("KWT", "kW", "kilowatt", "千瓦", "power", 1000, 1),
    U("MAW", "MW", "megawatt", "兆瓦", "power", 1000000, 1),
    U("D46", "V·A", "volt-ampere", "伏安", "apparent power", 1, 1),
    U("KVA", "kV·A", "kilovolt-ampere", "千伏安", "apparent power", 1000, 1),
    U("VLT", "V", "volt", "伏", "voltage", 1, 1),
    U("2Z", "mV", "millivolt", "毫伏", "voltage", 1, 1000),
    U("KVT", "kV", "kilovolt", "千伏", "voltage", 1000, 1),
    U("AMP", "A", "ampere", "安", "current", 1, 1),
    U("4K", "mA", "milliampere", "毫安", "current", 1, 1000),
    U("AMH", "A·h", "ampere hour", "安时", "charge", 1, 1),
    U("OHM", "Ω", "ohm", "欧", "resistance", 1, 1),
    U("CDL", "cd", "candela", "坎德拉", "luminous intensity", 1, 1),
    U("LUX", "lx", "lux", "勒克斯", "illuminance", 1, 1),
    U("2N", "dB", "decibel", "分贝", "level", 1, 1),
    U("P1", "%", "percent", "百分比", "share", 1, 100),
    U("59", "ppm", "part per million", "百万分之一", "share", 1, 1000000),
    U("MQS", "m³/s", "cubic metre per second", "立方米/秒", "flow", 1, 1),
    U("MQH", "m³/h", "cubic metre per hour", "立方米/时", "flow", 1, 3600),
    U("L2", "L/min", "litre per minute", "升/分", "flow", 1, 60000),
    U("KGS", "kg/s", "kilogram per second", "千克/秒", "mass flow", 1, 1),
    U("E93", "kg/h", "kilogram per hour", "千克/时", "mass flow", 1, 3600),
    U("4W", "t/h", "tonne per hour", "吨/时", "mass flow", 1000, 3600),
    U("KMQ", "kg/m³", "kilogram per cubic metre", "千克/立方米", "density", 1, 1),
    U("GL", "g/L", "gram per litre", "克/升", "density", 1, 1),
    U("M1", "mg/L", "milligram per litre", "毫克/升", "density", 1, 1000),
    U("28", "kg/m²", "kilogram per square metre", "千克/平方米", "areic mass", 1, 1),
    U("GM", "g/m²", "gram per square metre", "克/平方米", "areic mass", 1, 1000),
    U("A39", "m³/kg", "cubic metre per kilogram", "立方米/千克", "specific volume", 1, 1),
    U("D10", "S/m", "siemens per metre", "西门子/米", "conductivity", 1, 1),
    U("H61", "mS/cm", "millisiemens per centimetre", "毫西门子/厘米", "conductivity", 1, 10),
    U("Q30", "pH", "pH", "pH", "acidity", 1, 1),
    U("DD", "°", "degree of arc", "度", "angle", 1, 1),
    U("AD", "B", "byte", "字节", "data", 1, 1),
    U("2P", "kB", "kilobyte", "千字节", "data", 1000, 1),
    U("4L", "MB", "megabyte", "兆字节", "data", 1000000, 1),
};
#undef U

const struct unit *unit_at(size_t i) { return i < sizeof units / sizeof *units ? &units[i] : NULL; }

const struct unit *unit_find(Str text) {
    for (size_t i = 0; unit_at(i); i++)
        if (str_eq_c(text, units[i].code)) return &units[i];
    for (size_t i = 0; unit_at(i); i++)
        if (str_eq_c(text, units[i].symbol)) return &units[i];
    return NULL;
}

/* ---- conversion, in fractions of 128-bit integers */

__extension__ typedef __int128 Wide;
typedef struct Fraction {
    Wide num, den; /* den > 0, no common factor */
} Fraction;

static Wide common(Wide a, Wide b) {
    if (a < 0) a = -a;
    while (b != 0) {
        Wide rest = a % b;
        a = b;
        b = rest;
    }
    return a ? a : 1;
}

static bool times(Fraction *f, Wide num, Wide den) {
    Wide a = common(f->num, den), b = common(num, f->den);
    return !__builtin_mul_overflow(f->num / a, num / b, &f->num) &&
           !__builtin_mul_overflow(f->den / b, den / a, &f->den);
}

static bool plus(Fraction *f, Wide num, Wide den) {
    Wide shared = common(f->den, den), left, right, sum;
    if (__builtin_mul_overflow(f->num, den / shared, &left) || __builtin_mul_overflow(num, f->den / shared, &right) ||
        __builtin_add_overflow(left, right, &sum) || __builtin_mul_overflow(f->den, den / shared, &f->den))
        return false;
    shared = common(sum, f->den);
    f->num = sum / shared;
    f->den /= shared;
    return true;
}

static Wide power10(unsigned n) {
    Wide p = 1;
    while (n-- > 0) p *= 10;
    return p;
}

/* The digits behind the point that a fraction in lowest terms needs; -1: it never ends. */
static int digits_of(Wide den) {
    int twos = 0, fives = 0;
    for (; den % 2 == 0; den /= 2) twos++;
    for (; den % 5 == 0; den /= 5) fives++;
    return den != 1 ? -1 : twos > fives ? twos : fives;
}

Err unit_convert(int64_t value, unsigned char scale, const struct unit *from, const struct unit *to, int64_t *out) {
    if (str_cmp(str_c(from->quantity), str_c(to->quantity)) != 0)
        return err_make(ERR_INVALID, "%s (%s) is a %s and %s (%s) a %s: give a unit of the same quantity", from->code,
                        from->symbol, from->quantity, to->code, to->symbol, to->quantity);
    Fraction f = {value, 1};
    bool fits = times(&f, 1, power10(scale)) && times(&f, from->num, from->den) &&
                plus(&f, from->offset_num, from->offset_den) && plus(&f, -(Wide)to->offset_num, to->offset_den) &&
                times(&f, to->den, to->num);
    int digits = fits ? digits_of(f.den) : 0;
    fits = fits && times(&f, power10(scale), 1);
    if (fits && f.den != 1 && digits < 0)
        return err_make(ERR_INVALID, "this value in %s is never exact in %s: give it in %s", from->symbol, to->symbol,
                        to->symbol);
    if (fits && f.den != 1)
        return err_make(ERR_INVALID,
                        "in %s this value needs %d digits behind the point, and %u are kept: give it in %s, rounded",
                        to->symbol, digits, scale, to->symbol);
    if (!fits || f.num > INT64_MAX || f.num < INT64_MIN)
        return err_make(ERR_LIMIT, "the value is too large in %s", to->symbol);
    *out = (int64_t)f.num;
    return err_none();
}
