// One field's value, shown by its kind.
import { said, t, title } from '../i18n'
import type { Key } from '../i18n'
import { ref, str } from '../lib/docs'
import { number } from '../lib/format'
import { pick, skillNames, useAll, useNames, type Names } from '../lib/names'
import type { Doc, Field } from '../lib/types'
import { link } from '../router'
import { SeverityBadge, Time } from '../ui/bits'
import type { Severity } from '../lib/types'

const units: Record<string, Key> = { HUR: 'unit_hour', KMT: 'unit_km', H87: 'unit_piece', DD: 'unit_degree' }
export function unitText(unit: string | null): string { return unit ? (units[unit] ? t(units[unit]!) : unit) : '' }

export function FieldValue({ field, value, plain }: { field: Field; value: unknown; plain?: boolean; names?: Names }) {
  const names = useNames()
  if (value === null || value === undefined || value === '') return <span class="faint">–</span>
  switch (field.kind) {
    case 'bool': return <>{t(value ? 'yes' : 'no')}</>
    case 'time': return <Time at={value} both={!plain} />
    case 'choice': return field.name === 'severity' ? <SeverityBadge severity={value as Severity} /> : <>{title(field.choices.find((c) => c.name === value), str(value))}</>
    case 'thing': return plain ? <>{str(value)}</> : <a href={link('things', str(value))}>{str(value)}</a>
    case 'ref': return <RefValue field={field} value={value} plain={plain} />
    case 'number': return <>{number(Number(value), Math.abs(Number(value)) < 10 ? 3 : 2)} {unitText(field.unit)}</>
    case 'int': case 'decimal': return <>{str(value)} {unitText(field.unit)}</>
    case 'json': return <JsonValue value={value} />
    default: return <>{field.name === 'component' ? names.component(value) : field.name === 'metric' ? names.metric(value) : field.name === 'skills' ? skillNames(value) : pick(value)}</>
  }
}

const NAMED = new Set(['technician', 'part'])
function RefValue({ field, value, plain }: { field: Field; value: unknown; plain?: boolean }) {
  const r = ref(value)
  if (!r) return <>{str(value)}</>
  const label = field.ref && NAMED.has(field.ref) ? <RefName type={field.ref} id={r.id} number={r.number} /> : <>{r.number}</>
  if (plain) return label
  return <a href={field.ref === 'work_order' ? link('orders', r.id) : link('docs', field.ref ?? '', r.id)}>{label}</a>
}
function RefName({ type, id, number: n }: { type: string; id: number; number: string }) {
  const d: Doc | undefined = useAll(type, false).get(id)
  return <>{d ? pick(d.name) || title({ title_en: str(d.title_en), title_zh: str(d.title_zh) }) || n : n}</>
}

function JsonValue({ value }: { value: unknown }) {
  if (Array.isArray(value) && value.every((v) => v && typeof v === 'object' && ('text_en' in v || 'text_zh' in v)))
    return <ul class="reasons">{value.map((v) => <li>{said(v as { text_en?: string })}</li>)}</ul>
  return <code class="json">{JSON.stringify(value)}</code>
}
