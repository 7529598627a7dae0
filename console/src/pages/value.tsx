// One field's value, shown by its kind.
import { said, t, title } from '../i18n'
import { docHref, ref, str, useType } from '../lib/docs'
import { grouped, moneyText } from '../lib/decimal'
import { day, number } from '../lib/format'
import { docName, pick, skillNames, useAll, useNames, type Names } from '../lib/names'
import { lang } from '../lib/prefs'
import { unitSymbol } from '../lib/units'
import type { Doc, Field, Severity } from '../lib/types'
import { link, useRoute } from '../router'
import { SeverityBadge, Time } from '../ui/bits'
import { middle } from '../ui/place'

export function unitText(unit: string | null): string { return unitSymbol(unit, lang.get() === 'zh') }

export function FieldValue({ field, value, plain }: { field: Field; value: unknown; plain?: boolean; names?: Names }) {
  const names = useNames()
  if (value === null || value === undefined || value === '') return <span class="faint">–</span>
  switch (field.kind) {
    case 'bool': return <>{t(value ? 'yes' : 'no')}</>
    case 'time': return <Time at={value} both={!plain} />
    case 'date': return <span class="nowrap">{day(`${str(value).slice(0, 10)}T00:00:00`)}</span>
    case 'choice': return field.name === 'severity' ? <SeverityBadge severity={value as Severity} /> : <>{title(field.choices.find((c) => c.name === value), str(value))}</>
    case 'thing': return plain ? <>{str(value)}</> : <a href={link('things', str(value))}>{str(value)}</a>
    case 'ref': return <RefValue field={field} value={value} plain={plain} />
    case 'number': return <>{number(Number(value), Math.abs(Number(value)) < 10 ? 3 : 2)} {unitText(field.unit)}</>
    case 'int': case 'decimal': return <span class="nowrap">{grouped(str(value))} {unitText(field.unit)}</span>
    case 'money': { const m = typeof value === 'object' ? value as { amount: string; currency: string } : { amount: str(value), currency: field.currency ?? '' }; return <span class="nowrap num">{moneyText(str(m.amount), m.currency)}</span> }
    case 'party': return <>{typeof value === 'object' ? str((value as { name: string }).name) : str(value)}</>
    case 'file': return <>{typeof value === 'object' ? str((value as { name?: string }).name) : `#${str(value)}`}</>
    case 'lines': return <>{t('n_lines', { n: Array.isArray(value) ? value.length : 0 })}</>
    case 'geometry': { const m = middle(value); return <span class="num nowrap">{m ? `${m.latitude.toFixed(4)}, ${m.longitude.toFixed(4)}` : '–'}</span> }
    case 'json': return <JsonValue value={value} />
    default: return field.format === 'url' && !plain && /^https?:/.test(str(value)) ? <a href={str(value)} rel="noreferrer" target="_blank">{str(value)}</a>
      : field.format === 'email' && !plain ? <a href={`mailto:${str(value)}`}>{str(value)}</a>
      : field.format === 'phone' && !plain ? <a href={`tel:${str(value)}`}>{str(value)}</a>
      : <>{field.name === 'component' ? names.component(value) : field.name === 'metric' ? names.metric(value) : field.name === 'skills' ? skillNames(value) : pick(value)}</>
  }
}

function RefValue({ field, value, plain }: { field: Field; value: unknown; plain?: boolean }) {
  const agreement = useRoute().params.get('agreement')
  const r = ref(value)
  if (!r) return <>{str(value)}</>
  // Of another owner's documents only what the agreement gives is known: the number that came along.
  const label = field.ref && !agreement ? <RefName type={field.ref} id={r.id} number={r.number} /> : <>{r.number ?? `#${r.id}`}</>
  if (plain) return label
  return <a href={docHref(field.ref ?? '', r.id, agreement)}>{label}</a>
}
const NAMED = new Set(['technician', 'part'])
function RefName({ type, id, number: n }: { type: string; id: number; number: string }) {
  const of = useType(type)
  const wanted = NAMED.has(type) || Boolean(of?.label)
  const d: Doc | undefined = useAll(wanted ? type : null, false).get(id)
  if (!d) return <>{n}</>
  if (NAMED.has(type)) return <>{pick(d.name) || title({ title_en: str(d.title_en), title_zh: str(d.title_zh) }) || n}</>
  return <>{docName(d, of).replace(` · ${d.number}`, '')}</>
}

function JsonValue({ value }: { value: unknown }) {
  if (Array.isArray(value) && value.every((v) => v && typeof v === 'object' && ('text_en' in v || 'text_zh' in v)))
    return <ul class="reasons">{value.map((v) => <li>{said(v as { text_en?: string })}</li>)}</ul>
  return <code class="json">{JSON.stringify(value)}</code>
}
