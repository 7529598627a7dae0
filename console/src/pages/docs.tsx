// Documents of any type, from its declaration alone: list, board, map, bars; filter, search, sort and paging; export and import.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { t, title } from '../i18n'
import { api, enc, query } from '../lib/api'
import { grouped, moneyText, roughly, sumOf } from '../lib/decimal'
import { createDoc, docHref, str, useTypes } from '../lib/docs'
import { number } from '../lib/format'
import { useGiven } from '../lib/given'
import { groupings, keyText, summable, type Group, type Groups } from '../lib/groups'
import { lang } from '../lib/prefs'
import { docName } from '../lib/names'
import { useQuery } from '../lib/query'
import { hasRole, session } from '../lib/session'
import { unitSymbol } from '../lib/units'
import type { Doc, DocType, Field, PackInfo, Page, View } from '../lib/types'
import { go, link, setParams, useRoute } from '../router'
import { Button, Card, Chips, Empty, ErrorBox, Segments, Skeleton, Time, toast, usePhone, type Option } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { DocForm, FieldInput, outgoing } from '../ui/form'
import { Icon } from '../ui/icons'
import { FleetMap, type Pin } from '../ui/map'
import { Menu } from '../ui/menu'
import { PageHead } from '../ui/page'
import { middle } from '../ui/place'
import { DocBoard } from './board'
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

/** All types, by the pack they come from, and a search over all documents. */
function TypeList({ types }: { types: DocType[] | undefined }) {
  const packs = useQuery<{ items: PackInfo[] }>('packs')
  const q = useRoute().params.get('q') ?? ''
  const groups = useMemo(() => {
    const by = new Map<string, DocType[]>()
    for (const d of types ?? []) by.set(d.pack ?? '', [...by.get(d.pack ?? '') ?? [], d])
    return [...by]
  }, [types])
  const packTitle = (name: string) => name ? title(packs.data?.items.find((p) => p.name === name), name) : t('built_in')
  return (
    <div class="page">
      <PageHead title={t('nav_docs')} />
      <SearchBox value={q} label={t('search_all')} />
      {q ? <Found q={q} types={types ?? []} /> : !types ? <Skeleton rows={6} height={40} /> : groups.map(([pack, all]) => (
        <section key={pack} class="type-group" aria-label={packTitle(pack)}>{groups.length > 1 && <h2>{packTitle(pack)}</h2>}
          <ul class="type-list">{all.map((d) => (
            <li><a class="card" href={link('docs', d.name)}><Icon name="docs" size={22} /><strong>{title(d)}</strong><span class="faint">{d.states.map((s) => title(s)).join(' · ')}</span></a></li>))}</ul></section>))}
    </div>
  )
}

interface Hit { type: string; id: number; number: string; label: string; state: string; snippet: string }
function Found({ q, types }: { q: string; types: DocType[] }) {
  const found = useQuery<{ items: Hit[] }>('search' + query({ q, limit: 50 }), { keep: true })
  if (found.error) return <ErrorBox error={found.error} retry={found.reload} />
  if (!found.data) return <Skeleton rows={5} />
  if (!found.data.items.length) return <Card><Empty icon="search" title={t('nothing_found')}>{t('no_match_hint')}</Empty></Card>
  return <ul class="hits card">{found.data.items.map((h) => {
    const type = types.find((x) => x.name === h.type)
    return <li><a class="plain" href={docHref(h.type, h.id)}><strong>{h.label || h.number}</strong><span class="faint">{title(type, h.type)} · {h.number}</span><DocBadge type={type} doc={h as unknown as Doc} /><span class="snippet">{h.snippet}</span></a></li>
  })}</ul>
}

export function SearchBox({ value, label, onText }: { value: string; label: string; onText?: (s: string) => void }) {
  const [text, setText] = useState(value)
  useEffect(() => {
    if (text === value) return
    const id = setTimeout(() => onText ? onText(text) : setParams({ q: text || null }), 300)
    return () => clearTimeout(id)
  }, [text])
  useEffect(() => { if (!value) setText('') }, [value])
  return <label class="search"><span class="vh">{label}</span><Icon name="search" size={17} /><input type="search" placeholder={label} value={text} onInput={(e) => setText(e.currentTarget.value)} /></label>
}

export interface Filter { field: string; op: '' | '<' | '>' | '~'; value: string }
const RESERVED = new Set(['sort', 'state', 'cursor', 'q', 'view', 'group', 'agreement'])
function filtersOf(params: URLSearchParams, type: DocType): Filter[] {
  const out: Filter[] = []
  params.forEach((value, key) => {
    const m = /^(\w+)([<>~]?)$/.exec(key)
    if (m && !RESERVED.has(m[1]!) && type.fields.some((f) => f.name === m[1])) out.push({ field: m[1]!, op: m[2] as Filter['op'], value })
  })
  return out
}

const HEAVY = new Set(['json', 'geometry', 'file'])
/** Columns: the pack's view says which; else what is required or set at creation first, long and system fields last. */
function columnsOf(type: DocType, room: number, view?: View): Field[] {
  const named = Array.isArray(view?.spec.columns) ? (view!.spec.columns as unknown[]).map((c) => type.fields.find((f) => f.name === (typeof c === 'string' ? c : (c as { field?: string }).field))).filter((f): f is Field => Boolean(f)) : []
  if (named.length) return named.slice(0, room + 2)
  const zh = lang.get() === 'zh'
  const weight = (f: Field) => (f.required ? 0 : f.computed ? 2 : 1) + (f.name === type.label ? -3 : 0) + (f.kind === 'lines' ? 1 : 0) + (['latitude', 'longitude', 'note', 'text', 'remark'].includes(f.name) ? 4 : 0)
  const other = zh ? '_en' : '_zh'
  return type.fields.filter((f) => !HEAVY.has(f.kind) && !f.name.endsWith(other)).map((f, i) => ({ f, i })).sort((a, b) => weight(a.f) - weight(b.f) || a.i - b.i).slice(0, room).sort((a, b) => a.i - b.i).map((x) => x.f)
}

type Show = 'list' | 'board' | 'map'
const placeField = (type: DocType) => type.fields.find((f) => f.kind === 'geometry')
const hasPlaces = (type: DocType) => Boolean(placeField(type)) || (type.fields.some((f) => f.name === 'latitude') && type.fields.some((f) => f.name === 'longitude'))

export function useViews(type: string): View[] {
  return useQuery<{ items: View[] }>('views').data?.items.filter((v) => v.type === type) ?? []
}

function DocList({ type }: { type: DocType }) {
  const phone = usePhone()
  const { params } = useRoute()
  const [create, setCreate] = useState(false)
  const [filtering, setFiltering] = useState(false)
  const [more, setMore] = useState<Doc[]>([])
  const [next, setNext] = useState<string | null>(null)
  const [error, setError] = useState<unknown>(null)
  const views = useViews(type.name)
  const agreement = params.get('agreement')
  const shows: Show[] = ['list', ...(type.states.length > 1 ? ['board' as const] : []), ...(hasPlaces(type) ? ['map' as const] : [])]
  const named = views.find((v) => v.name === params.get('view'))
  const asked1 = named ? (named.kind === 'board' || named.kind === 'map' ? named.kind : 'list') : params.get('view')
  const show: Show = shows.includes(asked1 as Show) ? asked1 as Show : 'list'
  const listView = named?.kind === 'list' ? named : views.find((v) => v.kind === 'list')
  const state = params.get('state') ?? '', q = params.get('q') ?? ''
  const sort = params.get('sort') ?? (str(listView?.spec.sort) || '-id')
  const filters = filtersOf(params, type)
  const wanted: Record<string, string | number> = { state, q, agreement: agreement ?? '' }
  for (const f of filters) wanted[f.op === '~' ? f.field + '~' : f.op ? f.field + f.op : f.field] = f.value
  const path = `docs/${type.name}` + query({ ...wanted, sort, limit: show === 'map' ? 500 : 50 })
  const first = useQuery<Page<Doc>>(show === 'board' ? null : path, { live: [`doc:${type.name}`], every: 3000, keep: true })
  useEffect(() => { setMore([]); setNext(null) }, [path])
  const items = [...(first.data?.items ?? []), ...more.filter((d) => !first.data?.items.some((x) => x.id === d.id))]
  const cursor = more.length ? next : first.data?.next ?? null
  const loadMore = async () => {
    try {
      const page = await api<Page<Doc>>(path + '&cursor=' + enc(cursor!))
      setMore([...more, ...page.items])
      setNext(page.next)
      setError(null)
    } catch (e) { setError(e) }
  }
  const columns = columnsOf(type, phone ? 4 : 6, listView)
  const may = !agreement && (type.create_roles.length === 0 || hasRole(...type.create_roles))
  const narrowed = Boolean(state || q || filters.length)
  return (
    <div class="page docs">
      <PageHead title={title(type)}>
        {shows.length > 1 && <Segments<Show> label={t('view')} value={show} onPick={(v) => setParams({ view: v === 'list' ? null : v })} options={shows.map((v) => ({ value: v, label: t(`view_${v}`) }))} />}
        <Export type={type} filters={wanted} may={may} />
        {may && <Button kind="primary" icon="plus" onClick={() => setCreate(true)}>{t('create')}</Button>}
      </PageHead>
      <div class="doc-tools">
        <SearchBox key={type.name} value={q} label={t('search_in', { type: title(type) })} />
        <Button kind={phone ? 'plain' : 'quiet'} icon="filter" class={filters.length || params.get('group') ? 'on' : ''} aria-label={t('filter')} aria-expanded={filtering} onClick={() => setFiltering(!filtering)}>{phone ? null : t('filter')}</Button>
        {(!phone || filtering) && <GroupPick type={type} />}
        {phone && filtering && show === 'list' && <SortPick type={type} columns={columns} sort={sort} />}
        <OwnerSwitch type={type} value={agreement} />
      </div>
      {type.states.length > 1 && show !== 'board' && <Chips label={t('state')} value={state} onPick={(v) => setParams({ state: v })} options={[{ value: '', label: t('all') }, ...type.states.map((s) => ({ value: s.name, label: title(s) }))]} />}
      {(filtering || filters.length > 0) && <FilterBar type={type} filters={filters} open={filtering} />}
      <Bars type={type} filters={wanted} />
      {show === 'board' ? <DocBoard type={type} filters={wanted} view={named?.kind === 'board' ? named : views.find((v) => v.kind === 'board')} agreement={agreement} /> : <>
        <ErrorBox error={first.error ?? error} retry={first.reload} />
        {!first.data ? !first.error && <Skeleton rows={8} height={30} /> : !items.length
          ? <Card><Empty icon="docs" title={t('no_docs', { type: title(type) })}>{narrowed ? t('no_match_hint') : may ? t('no_docs_hint') : ''}</Empty></Card>
          : show === 'map' ? <DocMap type={type} items={items} agreement={agreement} />
            : phone ? <DocCards type={type} items={items} columns={columns} agreement={agreement} /> : <DocTable type={type} items={items} columns={columns} sort={sort} agreement={agreement} />}
        {first.data && items.length > 0 && show === 'list' && <p class="paging faint"><span class="num">{t('n_of', { n: number(items.length, 0), total: number(first.data.total ?? items.length, 0) })}</span>{cursor && <Button small onClick={() => void loadMore()}>{t('load_more')}</Button>}</p>}
      </>}
      {create && <Dialog wide={type.fields.some((f) => f.kind === 'lines') || type.fields.filter((f) => !f.computed).length > 7} title={`${t('create')} · ${title(type)}`} onClose={() => setCreate(false)}>
        <DocForm fields={type.fields.filter((f) => !f.computed)} submit={t('create')} cancel={() => setCreate(false)} draft={`new.${session.get()?.party}.${type.name}`} wide={type.fields.filter((f) => !f.computed).length > 7}
          send={async (v) => { const d = await createDoc(type.name, v); toast(t('created_n', { n: d.number })); setCreate(false); go(link('docs', type.name, d.id)) }} />
      </Dialog>}
    </div>
  )
}

/** Whose documents: our own, or those of an owner that gave us some. Only where somebody did. */
function OwnerSwitch({ type, value }: { type: DocType; value: string | null }) {
  const given = useGiven(type.name)
  if (!given.length && !value) return null
  const now = given.find((a) => a.number === value || String(a.id) === value)
  return (
    <div class={`owner-switch${value ? ' on' : ''}`}>
      <label><Icon name="share" size={18} /><span class="vh">{t('whose')}</span>
        <select value={value ?? ''} onChange={(e) => setParams({ agreement: e.currentTarget.value || null, state: null, q: null })}>
          <option value="">{t('own_docs', { party: session.get()?.party ?? '' })}</option>
          {given.map((a) => <option value={a.number}>{a.owner.name} · {a.title || a.number}</option>)}
          {value && !now && <option value={value}>{value}</option>}
        </select></label>
      {now && <span class="faint said">{t('seen_under', { n: now.number })} · {now.terms.purpose} · <a href={link('sharing', now.id)}>{t('see_terms')}</a></span>}
    </div>
  )
}

function Export({ type, filters, may }: { type: DocType; filters: Record<string, string | number>; may: boolean }) {
  const href = (format: string) => `/api/v1/docs/${type.name}/export` + query({ ...filters, format, lang: lang.get() })
  return (
    <Menu icon="download" label={t('export')}>
      <a role="menuitem" href={href('xlsx')} download={`${type.name}.xlsx`}>{t('export_xlsx')}</a>
      <a role="menuitem" href={href('csv')} download={`${type.name}.csv`}>{t('export_csv')}</a>
      {may && <><hr /><a role="menuitem" href={link('import', type.name)}>{t('import_file')}</a>
        <a role="menuitem" href={`/api/v1/docs/${type.name}/template?format=xlsx&lang=${lang.get()}`} download={`${type.name}-template.xlsx`}>{t('template_file')}</a></>}
    </Menu>
  )
}

function GroupPick({ type }: { type: DocType }) {
  const now = useRoute().params.get('group') ?? ''
  return (
    <label class="group-pick"><span class="vh">{t('group_by')}</span>
      <select value={now} onChange={(e) => setParams({ group: e.currentTarget.value })}>
        <option value="">{t('group_none')}</option>
        {groupings(type).map((g) => <option value={g.name}>{t('group_by_x', { x: groupTitle(type, g.name) })}</option>)}
      </select></label>
  )
}
function groupTitle(type: DocType, name: string): string {
  const bare = name.replace(/:.*/, '')
  const text = bare === 'state' ? t('state') : bare === 'created' ? t('created_month') : title(type.fields.find((f) => f.name === bare), bare)
  return name.includes(':month') && bare !== 'created' ? t('x_month', { x: text }) : text
}

/** Bars by a field, with sums; a bar pressed narrows the list to it. */
function Bars({ type, filters }: { type: DocType; filters: Record<string, string | number> }) {
  const { params } = useRoute()
  const by = params.get('group')
  const sums = summable(type).slice(0, 3)
  const [measure, setMeasure] = useState('count')
  const path = by ? `docs/${type.name}` + query({ ...filters, group: by, measure: ['count', ...sums.map((f) => `sum:${f.name}`)].join(',') }) : null
  const got = useQuery<Groups>(path, { live: [`doc:${type.name}`], every: 4000, keep: true })
  if (!by) return null
  if (got.error) return <ErrorBox error={got.error} retry={got.reload} />
  if (!got.data) return <Card><Skeleton rows={4} /></Card>
  const at = sums.findIndex((f) => f.name === measure)
  const amount = (g: Group) => at < 0 ? g.count : roughly(measureAt(g, at, sums.length))
  const time = by.includes(':')
  const all = [...got.data.groups].sort((a, b) => time ? keyText(a.keys[0]).localeCompare(keyText(b.keys[0])) : amount(b) - amount(a)).slice(0, 24)
  const most = Math.max(1e-9, ...all.map((g) => Math.abs(amount(g))))
  const field = by.includes(':') ? undefined : type.fields.find((f) => f.name === by)
  const name = (g: Group) => {
    const k = keyText(g.keys[0])
    if (g.keys[0] === null || k === '') return t('not_set')
    if (by === 'state') return title(type.states.find((s) => s.name === k), k)
    if (time) return k.slice(0, 7)
    return field?.kind === 'bool' ? t(k === 'true' || k === '1' ? 'yes' : 'no') : field?.kind === 'choice' ? title(field.choices.find((c) => c.name === k), k) : field?.kind === 'ref' ? <FieldValue field={field} value={g.keys[0]} plain /> : k
  }
  const narrow = (g: Group) => {
    const k = g.keys[0] !== null && typeof g.keys[0] === 'object' ? str((g.keys[0] as { id?: number }).id ?? keyText(g.keys[0])) : keyText(g.keys[0])
    if (!time && k) setParams({ [by]: params.get(by) === k ? null : k })
  }
  const options: Option<string>[] = [{ value: 'count', label: t('how_many') }, ...sums.map((f) => ({ value: f.name, label: t('sum_of', { x: title(f) }) }))]
  return (
    <Card class="group-bars" title={t('group_by_x', { x: groupTitle(type, by) })} action={options.length > 1 && <Segments label={t('measure')} value={at < 0 ? 'count' : measure} onPick={setMeasure} options={options} />}>
      {!all.length ? <p class="faint pad">{t('nothing_found')}</p> : <ul>{all.map((g) => (
        <li><button type="button" disabled={time} aria-pressed={params.get(by) !== null && params.get(by) === keyText(g.keys[0])} onClick={() => narrow(g)}>
          <span class="name">{name(g)}</span><span class="bar t-info"><span style={{ width: `${Math.abs(amount(g)) / most * 100}%` }} /></span>
          <b class="num">{at < 0 ? number(g.count, 0) : sumText(sums[at]!, str(measureAt(g, at, sums.length)))}</b></button></li>))}</ul>}
      <p class="foot faint">{t('n_in_all', { n: number(got.data.groups.reduce((n, g) => n + g.count, 0), 0) })}
        {sums.map((f, i) => <> · {t('sum_of', { x: title(f) })} <b class="num">{sumText(f, sumOf(got.data!.groups.map((g) => str(measureAt(g, i, sums.length)))))}</b></>)}
        {got.data.withheld > 0 && <> · {t('n_withheld', { n: got.data.withheld })}</>}</p>
    </Card>
  )
}
/** Measures come in the order asked; "count" may or may not be among them. */
const measureAt = (g: Group, i: number, n: number) => g.measures[g.measures.length > n ? i + 1 : i]
const sumText = (f: Field, amount: string) => f.kind === 'money' ? moneyText(amount, f.currency) : `${grouped(amount)} ${unitSymbol(f.unit, lang.get() === 'zh')}`

function DocMap({ type, items, agreement }: { type: DocType; items: Doc[]; agreement: string | null }) {
  const f = placeField(type)
  const pins: Pin[] = items.flatMap((d) => {
    const at = f ? middle(d[f.name]) : typeof d.latitude === 'number' && typeof d.longitude === 'number' ? { latitude: d.latitude, longitude: d.longitude } : null
    return at ? [{ ...at, id: String(d.id), state: 'ok' as const, label: docName(d, type), href: docHref(type.name, d.id, agreement) }] : []
  })
  const tip = (id: string) => { const d = items.find((x) => String(x.id) === id); return d && <><div class="tip-head"><strong>{docName(d, type)}</strong><DocBadge type={type} doc={d} /></div></> }
  return <div class="card map-card"><FleetMap pins={pins} tip={tip} label={title(type)} note={pins.length < items.length ? t('n_without_place', { n: items.length - pins.length }) : undefined} /></div>
}

function SortPick({ type, columns, sort }: { type: DocType; columns: Field[]; sort: string }) {
  return (
    <label class="sort-pick"><span class="faint">{t('sort')}</span>
      <select aria-label={t('sort')} value={sort} onChange={(e) => setParams({ sort: e.currentTarget.value })}>
        <option value="-id">{t('newest')}</option><option value="id">{t('oldest')}</option>
        {columns.filter(sortable).flatMap((f) => [<option value={f.name}>{title(f)} ↑</option>, <option value={'-' + f.name}>{title(f)} ↓</option>])}
        {!columns.some((f) => sort.endsWith(f.name)) && sort !== '-id' && sort !== 'id' && <option value={sort}>{title(type.fields.find((f) => sort.endsWith(f.name)), sort)}</option>}
      </select></label>
  )
}
const sortable = (f: Field) => f.kind !== 'lines' && f.kind !== 'geometry' && f.kind !== 'json' && f.share !== 'secret'

function DocTable({ type, items, columns, sort, agreement }: { type: DocType; items: Doc[]; columns: Field[]; sort: string; agreement: string | null }) {
  const seen = agreement ? columns.filter((f) => items.some((d) => f.name in d)) : columns
  const head = (name: string, label: string, numeric = false, can = true) => {
    const on = sort.replace('-', '') === name
    const down = sort.startsWith('-')
    return (
      <th scope="col" class={numeric ? 'right' : ''} aria-sort={on ? (down ? 'descending' : 'ascending') : 'none'}>
        {can ? <button type="button" onClick={() => setParams({ sort: on && !down ? '-' + name : name })}>{label}{on && <Icon name={down ? 'down' : 'up'} size={13} />}</button> : <span class="plain-head">{label}</span>}</th>
    )
  }
  return (
    <div class="card table-card"><table>
      <thead><tr>{head('id', t('number'))}{seen.map((f) => head(f.name, title(f), numeric(f), sortable(f)))}{type.states.length > 1 && head('state', t('state'))}{head('changed', t('changed'))}</tr></thead>
      <tbody>{items.map((d) => (
        <tr key={d.id} onClick={(e) => { if (!(e.target as HTMLElement).closest('a')) go(docHref(type.name, d.id, agreement)) }}>
          <td class="nowrap"><a href={docHref(type.name, d.id, agreement)}>{d.number ?? `#${d.id}`}</a></td>
          {seen.map((f) => <td class={numeric(f) ? 'right num' : ''}><FieldValue field={f} value={d[f.name]} plain={f.kind === 'time'} /></td>)}
          {type.states.length > 1 && <td>{d.state && <DocBadge type={type} doc={d} />}</td>}
          <td class="faint">{d.changed && <Time at={d.changed} />}</td>
        </tr>))}</tbody></table></div>
  )
}
const numeric = (f: Field) => ['int', 'number', 'decimal', 'money'].includes(f.kind)

function DocCards({ type, items, columns, agreement }: { type: DocType; items: Doc[]; columns: Field[]; agreement: string | null }) {
  return (
    <ul class="doc-cards">{items.map((d) => (
      <li key={d.id} class="card"><a class="plain" href={docHref(type.name, d.id, agreement)}>
        <span class="top"><strong>{str(d[columns[0]?.name ?? '']) && columns[0] ? <FieldValue field={columns[0]} value={d[columns[0].name]} plain /> : d.number} <small class="faint num">{d.number}</small></strong>{d.state && <DocBadge type={type} doc={d} />}</span>
        <dl>{columns.slice(1).filter((f) => d[f.name] !== null && d[f.name] !== undefined && d[f.name] !== '').map((f) => <div><dt>{title(f)}</dt><dd><FieldValue field={f} value={d[f.name]} plain /></dd></div>)}</dl></a></li>))}</ul>
  )
}

function FilterBar({ type, filters, open }: { type: DocType; filters: Filter[]; open: boolean }) {
  const fields = type.fields.filter((f) => !['json', 'lines', 'geometry', 'file'].includes(f.kind) && f.share !== 'secret')
  const [field, setField] = useState(fields[0]?.name ?? '')
  const [op, setOp] = useState<Filter['op']>('')
  const [value, setValue] = useState<unknown>('')
  const f = fields.find((x) => x.name === field)
  const ops: { value: Filter['op']; label: string }[] = f && ['int', 'number', 'decimal', 'time', 'date', 'money'].includes(f.kind)
    ? [{ value: '', label: '=' }, { value: '>', label: '≥' }, { value: '<', label: '≤' }] : f?.kind === 'text' ? [{ value: '~', label: t('contains') }, { value: '', label: '=' }] : [{ value: '', label: '=' }]
  const opNow = ops.some((o) => o.value === op) ? op : ops[0]!.value
  const add = (e: Event) => {
    e.preventDefault()
    const v = f ? outgoing(f, f.kind === 'bool' ? Boolean(value) : value) : null
    const text = v !== null && typeof v === 'object' ? str((v as { amount?: string; value?: string }).amount ?? (v as { value?: string }).value) : v === null ? null : String(v)
    if (text !== null) setParams({ [field + opNow]: text })
    setValue('')
  }
  return (
    <div class="filter-bar">
      {open && f && <form onSubmit={add}>
        <select aria-label={t('field')} value={field} onChange={(e) => { setField(e.currentTarget.value); setValue('') }}>{fields.map((x) => <option value={x.name}>{title(x)}</option>)}</select>
        {ops.length > 1 && <select aria-label={t('comparison')} value={opNow} onChange={(e) => setOp(e.currentTarget.value as Filter['op'])}>{ops.map((o) => <option value={o.value}>{o.label}</option>)}</select>}
        <label class="vh" for="filter-value">{t('value')}</label>
        <FieldInput key={field} compact field={f} id="filter-value" required={false} value={value} onInput={setValue} />
        <Button type="submit" small icon="plus">{t('add_filter')}</Button>
      </form>}
      {filters.length > 0 && <div class="chips">{filters.map((x) => {
        const ff = type.fields.find((y) => y.name === x.field)
        const shown = ff?.kind === 'ref' ? <FieldValue field={ff} value={{ id: Number(x.value), number: `#${x.value}` }} plain /> : ff?.kind === 'bool' ? t(x.value === 'true' ? 'yes' : 'no') : title(ff?.choices.find((c) => c.name === x.value), x.value)
        return <button type="button" class="chip on" onClick={() => setParams({ [x.field + x.op]: null })} title={t('remove_filter', { f: title(ff, x.field) })}>
          {title(ff, x.field)} {x.op === '>' ? '≥' : x.op === '<' ? '≤' : x.op === '~' ? '∋' : '='} {shown}<Icon name="close" size={13} /></button>
      })}</div>}
    </div>
  )
}
