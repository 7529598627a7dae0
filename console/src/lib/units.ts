// UN/ECE Recommendation 20 codes as people write them. A code that is not here stands for itself.
const symbols: Record<string, string | [zh: string, en: string]> = {
  HUR: ['小时', 'h'], MIN: ['分', 'min'], SEC: ['秒', 's'], DAY: ['天', 'd'], MON: ['月', 'months'], ANN: ['年', 'years'],
  KMT: ['公里', 'km'], MTR: ['米', 'm'], CMT: ['厘米', 'cm'], MMT: ['毫米', 'mm'], H87: ['件', 'pcs'], C62: ['个', ''], EA: ['个', 'each'], SET: ['套', 'sets'], PR: ['双', 'pairs'],
  KGM: ['千克', 'kg'], GRM: ['克', 'g'], TNE: ['吨', 't'], MGM: 'mg', LTR: ['升', 'L'], MLT: ['毫升', 'mL'], MTQ: 'm³', MTK: 'm²', HAR: ['公顷', 'ha'], MMK: 'mm²',
  KWH: 'kWh', MWH: 'MWh', KWT: 'kW', WTT: 'W', VLT: 'V', AMP: 'A', BAR: 'bar', PAL: 'Pa', MPA: 'MPa', CEL: '°C', KEL: 'K', DD: '°', P1: '%', RPM: 'r/min', HTZ: 'Hz',
  DZN: ['打', 'dozen'], BX: ['箱', 'boxes'], XPK: ['包', 'packs'], XPX: ['托', 'pallets'], ROL: ['卷', 'rolls'], ST: ['张', 'sheets'],
}
export function unitSymbol(code: string | null | undefined, zh: boolean): string {
  if (!code) return ''
  const s = symbols[code]
  return s === undefined ? code : typeof s === 'string' ? s : s[zh ? 0 : 1]
}
/** Units that a person may choose in place of the field's own: the server converts. */
const families = [['MGM', 'GRM', 'KGM', 'TNE'], ['MMT', 'CMT', 'MTR', 'KMT'], ['MLT', 'LTR', 'MTQ'], ['SEC', 'MIN', 'HUR', 'DAY'], ['KWH', 'MWH'], ['WTT', 'KWT'], ['PAL', 'BAR', 'MPA'], ['CEL', 'KEL'], ['MMK', 'MTK', 'HAR']]
export const siblings = (code: string | null): string[] => (code && families.find((f) => f.includes(code))) || (code ? [code] : [])
