// Documents of any type, from its descriptor alone: list with filter, sort and paging; one document with change and transitions.
import { useEffect, useState } from 'preact/hooks'
import { t, title } from '../i18n'
import { api, query } from '../lib/api'
import { createDoc, changeDoc, str, useType, useTypes } from '../lib/docs'
import { number } from '../lib/format'
import { useNames } from '../lib/names'
import { useQuery } from '../lib/query'
import { hasRole } from '../lib/session'
import type { Doc, DocType, Field, Page } from '../lib/types'
import { go, link, setParams, useRoute } from '../router'
import { Button, Card, Chips, Empty, ErrorBox, Loaded, Skeleton, Time, toast, usePhone } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { DocForm, FieldInput, outgoing } from '../ui/form'
import { Icon } from '../ui/icons'
import { PageHead } from '../ui/page'
import { Transitions } from '../ui/transitions'
import { actor, AuditTrail } from './audit'
import { FieldValue } from './value'
import { DocBadge } from './history'

export function DocsPage({ type: name }: { type: string | undefined }) {
  const types = useTypes()
  if (!name) return <TypeList types={types.data} />
  const type = types.data?.find((d) => d.name === name)
  if (types.error) return <div class="page"><PageHead title={name} /><ErrorBox error={types.error} retry={types.reload} /></div>
  if (!types.data) return <div class="page"><PageHead title="…" /><Skeleton rows={6} /></div>
  if (!type) return <div class="page"><PageHead title={name} /><Empty icon="docs" title={t('no_such_type')}><a href="#/docs">{t('nav_docs')}</a></Empty></div>
  return <DocList type={type} />
}

function TypeList({ types }: { types: DocType[] | undefined }) {
  return (
    <div class="page">
      <PageHead title={t('nav_docs')} />
      {!types ? <Skeleton rows={6} height={40} /> : <ul class="type-list">{types.map((d) => (
        <li><a class="card" href={link('docs', d.name)}><Icon name="docs" size={22} /><strong>{title(d)}</strong><span class="faint">{d.states.map((s) => title(s)).join(' · ')}</span></a></li>))}</ul>}
    </div>
  )
}

export interface Filter { field: string; op: '' | '<' | '>' | '~'; value: string }
const RESERVED = new Set(['sort', 'state', 'cursor'])
function filtersOf(params: URLSearchParams, type: DocType): Filter[] {
  const out: Filter[] = []
  params.forEach((value, key) => {
    const m = /^(\w+)([<>~]?)$/.exec(key)
    if (m && !RESERVED.has(m[1]!) && type.fields.some((f) => f.name === m[1])) out.push({ field: m[1]!, op: m[2] as Filter['op'], value })
  })
  return out
}

/** Columns that fit: what is required or set at creation first, long and system fields last. */
function columnsOf(type: DocType, room: number): Field[] {
  const zh = document.documentElement.lang.startsWith('zh')
  const weight = (f: Field) => (f.required ? 0 : f.computed ? 2 : 1) + (f.kind === 'json' ? 9 : 0) + (['latitude', 'longitude', 'note', 'text'].includes(f.name) ? 4 : 0)
  const other = zh ? '_en' : '_zh'
  return type.fields.filter((f) => f.kind !== 'json' && !f.name.endsWith(other)).map((f, i) => ({ f, i })).sort((a, b) => weight(a.f) - weight(b.f) || a.i - b.i).slice(0, room).sort((a, b) => a.i - b.i).map((x) => x.f)
}

function DocList({ type }: { type: DocType }) {
  const phone = usePhone()
  const { params } = useRoute()
  const [create, setCreate] = useState(false)
  const [filtering, setFiltering] = useState(false)
  const [more, setMore] = useState<Doc[]>([])
  const [next, setNext] = useState<string | null>(null)
  const [error, setError] = useState<unknown>(null)
  const state = params.get('state') ?? '', sort = params.get('sort') ?? '-id'
  const filters = filtersOf(params, type)
  const asked: Record<string, string | number> = { state, sort, limit: 50 }
  for (const f of filters) asked[f.op === '~' ? f.field + '~' : f.op ? f.field + f.op : f.field] = f.value
  const path = `docs/${type.name}` + query(asked)
  const first = useQuery<Page<Doc>>(path, { live: [`doc:${type.name}`], every: 3000, keep: true })
  useEffect(() => { setMore([]); setNext(null) }, [path])
  const items = [...(first.data?.items ?? []), ...more.filter((d) => !first.data?.items.some((x) => x.id === d.id))]
  const cursor = more.length ? next : first.data?.next ?? null
  const loadMore = async () => {
    try {
      const page = await api<Page<Doc>>(path + '&cursor=' + encodeURIComponent(cursor!))
      setMore([...more, ...page.items])
      setNext(page.next)
      setError(null)
    } catch (e) { setError(e) }
  }
  const columns = columnsOf(type, phone ? 4 : 6)
  const may = type.create_roles.length === 0 || hasRole(...type.create_roles)
  return (
    <div class="page docs">
      <PageHead title={title(type)}>
        <Button kind="quiet" icon="filter" aria-expanded={filtering} onClick={() => setFiltering(!filtering)}>{t('filter')}</Button>
        {may && <Button kind="primary" icon="plus" onClick={() => setCreate(true)}>{t('create')}</Button>}
      </PageHead>
      {type.states.length > 1 && <Chips label={t('state')} value={state} onPick={(v) => setParams({ state: v })} options={[{ value: '', label: t('all') }, ...type.states.map((s) => ({ value: s.name, label: title(s) }))]} />}
      {(filtering || filters.length > 0) && <FilterBar type={type} filters={filters} open={filtering} />}
      {phone && <SortPick type={type} columns={columns} sort={sort} />}
      <ErrorBox error={first.error ?? error} retry={first.reload} />
      {!first.data ? !first.error && <Skeleton rows={8} height={30} /> : !items.length
        ? <Card><Empty icon="docs" title={t('no_docs', { type: title(type) })}>{state || filters.length ? t('no_match_hint') : may ? t('no_docs_hint') : ''}</Empty></Card>
        : phone ? <DocCards type={type} items={items} columns={columns} /> : <DocTable type={type} items={items} columns={columns} sort={sort} />}
      {first.data && items.length > 0 && <p class="paging faint"><span class="num">{t('n_of', { n: number(items.length, 0), total: number(first.data.total ?? items.length, 0) })}</span>{cursor && <Button small onClick={() => void loadMore()}>{t('load_more')}</Button>}</p>}
      {create && <Dialog title={`${t('create')} · ${title(type)}`} onClose={() => setCreate(false)}>
        <DocForm fields={type.fields.filter((f) => !f.computed)} submit={t('create')} cancel={() => setCreate(false)}
          send={async (v) => { const d = await createDoc(type.name, v); toast(t('created_n', { n: d.number })); setCreate(false); go(link('docs', type.name, d.id)) }} />
      </Dialog>}
    </div>
  )
}

function SortPick({ type, columns, sort }: { type: DocType; columns: Field[]; sort: string }) {
  return (
    <label class="sort-pick"><span class="faint">{t('sort')}</span>
      <select aria-label={t('sort')} value={sort} onChange={(e) => setParams({ sort: e.currentTarget.value })}>
        <option value="-id">{t('newest')}</option><option value="id">{t('oldest')}</option>
        {columns.flatMap((f) => [<option value={f.name}>{title(f)} ↑</option>, <option value={'-' + f.name}>{title(f)} ↓</option>])}
        {!columns.some((f) => sort.endsWith(f.name)) && sort !== '-id' && sort !== 'id' && <option value={sort}>{title(type.fields.find((f) => sort.endsWith(f.name)), sort)}</option>}
      </select></label>
  )
}

function DocTable({ type, items, columns, sort }: { type: DocType; items: Doc[]; columns: Field[]; sort: string }) {
  const head = (name: string, label: string, numeric = false) => {
    const on = sort.replace('-', '') === name
    const down = sort.startsWith('-')
    return (
      <th scope="col" class={numeric ? 'right' : ''} aria-sort={on ? (down ? 'descending' : 'ascending') : 'none'}>
        <button type="button" onClick={() => setParams({ sort: on && !down ? '-' + name : name })}>{label}{on && <Icon name={down ? 'down' : 'up'} size={13} />}</button></th>
    )
  }
  return (
    <div class="card table-card"><table>
      <thead><tr>{head('id', t('number'))}{columns.map((f) => head(f.name, title(f), numeric(f)))}{type.states.length > 1 && head('state', t('state'))}{head('changed', t('changed'))}</tr></thead>
      <tbody>{items.map((d) => (
        <tr key={d.id} onClick={(e) => { if (!(e.target as HTMLElement).closest('a')) go(docLink(type, d)) }}>
          <td><a href={docLink(type, d)}>{d.number}</a></td>
          {columns.map((f) => <td class={numeric(f) ? 'right num' : ''}><FieldValue field={f} value={d[f.name]} /></td>)}
          {type.states.length > 1 && <td><DocBadge type={type} doc={d} /></td>}
          <td class="faint"><Time at={d.changed} /></td>
        </tr>))}</tbody></table></div>
  )
}
const numeric = (f: Field) => ['int', 'number', 'decimal'].includes(f.kind)
function docLink(type: DocType, d: Doc) { return type.name === 'work_order' ? link('orders', d.id) : link('docs', type.name, d.id) }

function DocCards({ type, items, columns }: { type: DocType; items: Doc[]; columns: Field[] }) {
  return (
    <ul class="doc-cards">{items.map((d) => (
      <li key={d.id} class="card"><a class="plain" href={docLink(type, d)}>
        <span class="top"><strong>{str(d[columns[0]?.name ?? '']) && columns[0] ? <FieldValue field={columns[0]} value={d[columns[0].name]} plain /> : d.number} <small class="faint num">{d.number}</small></strong><DocBadge type={type} doc={d} /></span>
        <dl>{columns.slice(1).filter((f) => d[f.name] !== null && d[f.name] !== undefined && d[f.name] !== '').map((f) => <div><dt>{title(f)}</dt><dd><FieldValue field={f} value={d[f.name]} plain /></dd></div>)}</dl></a></li>))}</ul>
  )
}

function FilterBar({ type, filters, open }: { type: DocType; filters: Filter[]; open: boolean }) {
  const fields = type.fields.filter((f) => f.kind !== 'json')
  const [field, setField] = useState(fields[0]?.name ?? '')
  const [op, setOp] = useState<Filter['op']>('')
  const [value, setValue] = useState<unknown>('')
  const f = fields.find((x) => x.name === field)
  const ops: { value: Filter['op']; label: string }[] = f && ['int', 'number', 'decimal', 'time'].includes(f.kind)
    ? [{ value: '', label: '=' }, { value: '>', label: '≥' }, { value: '<', label: '≤' }] : f?.kind === 'text' ? [{ value: '~', label: t('contains') }, { value: '', label: '=' }] : [{ value: '', label: '=' }]
  const opNow = ops.some((o) => o.value === op) ? op : ops[0]!.value
  const add = (e: Event) => {
    e.preventDefault()
    const v = f ? outgoing(f, f.kind === 'bool' ? Boolean(value) : value) : null
    if (v !== null) setParams({ [field + opNow]: String(v) })
    setValue('')
  }
  return (
    <div class="filter-bar">
      {open && f && <form onSubmit={add}>
        <select aria-label={t('field')} value={field} onChange={(e) => { setField(e.currentTarget.value); setValue('') }}>{fields.map((x) => <option value={x.name}>{title(x)}</option>)}</select>
        {ops.length > 1 && <select aria-label={t('comparison')} value={opNow} onChange={(e) => setOp(e.currentTarget.value as Filter['op'])}>{ops.map((o) => <option value={o.value}>{o.label}</option>)}</select>}
        <label class="vh" for="filter-value">{t('value')}</label>
        <FieldInput key={field} field={f.name === 'text' ? { ...f, name: 'filter' } : f} id="filter-value" required={false} value={value} onInput={setValue} />
        <Button type="submit" small icon="plus">{t('add_filter')}</Button>
      </form>}
      {filters.length > 0 && <div class="chips">{filters.map((x) => {
        const ff = type.fields.find((y) => y.name === x.field)
        return <button type="button" class="chip on" onClick={() => setParams({ [x.field + x.op]: null })} title={t('remove_filter', { f: title(ff, x.field) })}>
          {title(ff, x.field)} {x.op === '>' ? '≥' : x.op === '<' ? '≤' : x.op === '~' ? '∋' : '='} {title(ff?.choices.find((c) => c.name === x.value), x.value)}<Icon name="close" size={13} /></button>
      })}</div>}
    </div>
  )
}

export function DocPage({ type: name, id }: { type: string; id: string }) {
  const type = useType(name)
  const names = useNames()
  const doc = useQuery<Doc>(`docs/${name}/${encodeURIComponent(id)}`, { live: [`doc:${name}`], every: 2000 })
  const [edit, setEdit] = useState(false)
  const may = type && (type.change_roles.length === 0 || hasRole(...type.change_roles))
  const shown = type?.fields.filter((f) => doc.data && doc.data[f.name] !== null && doc.data[f.name] !== undefined && doc.data[f.name] !== '') ?? []
  return (
    <div class="page doc">
      <PageHead title={doc.data?.number ?? id} back={<a class="back" href={name === 'alarm' ? '#/alarms' : name === 'prediction' ? '#/predictions' : link('docs', name)} aria-label={title(type, name)}><Icon name="left" /></a>}>
        {doc.data && type && <Transitions type={type} doc={doc.data} done={doc.reload} />}
        {doc.data && may && <Button icon="edit" onClick={() => setEdit(true)}>{t('change')}</Button>}
      </PageHead>
      <Loaded of={doc} rows={6}>{(d) => (
        <div class="doc-grid">
          <Card title={title(type, name)} action={<DocBadge type={type} doc={d} />}>
            <dl class="rows">{shown.map((f) => <div><dt>{title(f)}</dt><dd><FieldValue field={f} value={d[f.name]} names={names} /></dd></div>)}
              <div><dt>{t('created')}</dt><dd><Time at={d.created} both /> <span class="faint">{actor(d.created_by)}</span></dd></div>
              <div><dt>{t('changed')}</dt><dd><Time at={d.changed} both /> <span class="faint">v{d.version}</span></dd></div></dl>
          </Card>
          <Card title={t('timeline')}><AuditTrail type={name} doc={d} /></Card>
          {edit && type && <Dialog title={`${t('change')} · ${d.number}`} onClose={() => setEdit(false)}>
            <DocForm fields={type.fields.filter((f) => !f.computed)} initial={d} onlyChanges submit={t('save')} cancel={() => setEdit(false)}
              send={async (v) => { if (Object.keys(v).length) { await changeDoc(name, d, v); toast(t('saved')) } setEdit(false); doc.reload() }} />
          </Dialog>}
        </div>)}</Loaded>
    </div>
  )
}
