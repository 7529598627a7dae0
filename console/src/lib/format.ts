// Numbers and times for people. "Now" is always the platform's.
import { locale, t } from '../i18n'
import { lang } from './prefs'

const MIN = 60_000
export const HOUR = 3_600_000
export const DAY = 24 * HOUR

const made = new Map<string, Intl.DateTimeFormat | Intl.NumberFormat | Intl.RelativeTimeFormat>()
function once<T extends Intl.DateTimeFormat | Intl.NumberFormat | Intl.RelativeTimeFormat>(key: string, make: () => T): T {
  const full = locale() + key
  let f = made.get(full)
  if (!f) made.set(full, f = make())
  return f as T
}

export function ms(time: unknown): number | null {
  if (typeof time === 'number') return time
  if (typeof time !== 'string' || !time) return null
  const at = Date.parse(time)
  return Number.isNaN(at) ? null : at
}

export function absolute(time: unknown): string {
  const at = ms(time)
  if (at === null) return '–'
  return once('full', () => new Intl.DateTimeFormat(locale(), { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hour12: false })).format(at)
}
export function dayTime(time: unknown): string {
  const at = ms(time)
  if (at === null) return '–'
  return once('daytime', () => new Intl.DateTimeFormat(locale(), { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false })).format(at)
}
export function day(time: unknown): string {
  const at = ms(time)
  if (at === null) return '–'
  return once('day', () => new Intl.DateTimeFormat(locale(), { year: 'numeric', month: 'short', day: 'numeric' })).format(at)
}
export function clockTime(time: unknown): string {
  const at = ms(time)
  if (at === null) return '–'
  return once('clock', () => new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hour12: false })).format(at)
}

export function relative(time: unknown, now: number): string {
  const at = ms(time)
  if (at === null) return '–'
  const gap = at - now
  const size = Math.abs(gap)
  if (size < 45_000) return t('just_now')
  const [unit, length]: [Intl.RelativeTimeFormatUnit, number] =
    size < 45 * MIN ? ['minute', MIN] : size < 36 * HOUR ? ['hour', HOUR] : size < 60 * DAY ? ['day', DAY] : size < 700 * DAY ? ['month', 30.44 * DAY] : ['year', 365.25 * DAY]
  return once('rel', () => new Intl.RelativeTimeFormat(locale(), { numeric: 'always', style: 'short' })).format(Math.round(gap / length), unit)
}

/** "3 d 4 h", "2 小时 5 分": the two largest units. */
export function duration(length: number): string {
  const zh = lang.get() === 'zh'
  const units: [number, string][] = [[DAY, zh ? '天' : 'd'], [HOUR, zh ? '小时' : 'h'], [MIN, zh ? '分' : 'min']]
  let rest = Math.abs(length)
  if (rest < MIN) return zh ? '不到 1 分' : '< 1 min'
  const parts: string[] = []
  for (const [size, name] of units) {
    const n = Math.floor(rest / size)
    if (n > 0) parts.push(`${n} ${name}`)
    else if (parts.length) break
    rest -= n * size
    if (parts.length === 2) break
  }
  return parts.join(' ')
}
/** A clock's face: "20:55" hours and minutes, days from four days on. */
export function clockFace(length: number): string {
  const minutes = Math.floor(Math.abs(length) / MIN)
  if (minutes >= 96 * 60) return t('n_days', { n: Math.floor(minutes / 1440) })
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`
}
export function hours(n: number | null | undefined): string {
  if (n === null || n === undefined) return '–'
  return Math.abs(n) >= 72 ? t('n_days', { n: number(n / 24, 0) }) : t('n_hours', { n: number(n, n < 10 ? 1 : 0) })
}

export function number(value: number | null | undefined, digits = 1): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  return once('n' + digits, () => new Intl.NumberFormat(locale(), { maximumFractionDigits: digits })).format(value)
}
export function measured(value: unknown): string {
  if (typeof value !== 'number') return value === null || value === undefined ? '–' : String(value)
  const size = Math.abs(value)
  return number(value, size >= 1000 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)
}
export function percent(p: number | null | undefined, digits = 0): string {
  if (p === null || p === undefined) return '–'
  return once('%' + digits, () => new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: digits })).format(p)
}
export function bytes(n: number): string {
  return n < 1000 ? `${n} B` : n < 1e6 ? `${number(n / 1e3, 0)} kB` : n < 1e9 ? `${number(n / 1e6, 1)} MB` : `${number(n / 1e9, 1)} GB`
}
export function big(value: number): string {
  return once('big', () => new Intl.NumberFormat(locale(), { notation: value >= 100_000 ? 'compact' : 'standard', maximumFractionDigits: 1 })).format(value)
}

/** Great-circle distance in km. */
export function distance(a: { latitude: number; longitude: number }, b: { latitude: number; longitude: number }): number {
  const rad = Math.PI / 180
  const h = Math.sin((b.latitude - a.latitude) * rad / 2) ** 2
    + Math.cos(a.latitude * rad) * Math.cos(b.latitude * rad) * Math.sin((b.longitude - a.longitude) * rad / 2) ** 2
  return 12_742 * Math.asin(Math.sqrt(h))
}
