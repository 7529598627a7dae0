// One document of any type: where it stands, what can be done, its fields and lines, comments, files, history, paper and QR code.
import { useEffect, useRef, useState } from 'preact/hooks'
import { t, title } from '../i18n'
import { api, enc, Problem } from '../lib/api'
import { changeDoc, removeDoc, str, useType } from '../lib/docs'
import { keepDraft, dropDraft, readDraft } from '../lib/draft'
import { bytes } from '../lib/format'
import { docName, useNames } from '../lib/names'
import { lang } from '../lib/prefs'
import { useQuery } from '../lib/query'
import { hasRole } from '../lib/session'
import { upload } from '../lib/upload'
import type { Agreement, Doc, DocType, Field, Page } from '../lib/types'
import { go, link, useRoute } from '../router'
import { Badge, Bar, Button, Card, ErrorBox, Loaded, Skeleton, Time, toast } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { DocForm } from '../ui/form'
import { Icon } from '../ui/icons'
import type { Attachment } from '../ui/inputs'
import { LinesTable } from '../ui/lines'
import { FleetMap } from '../ui/map'
import { Menu } from '../ui/menu'
import { PageHead } from '../ui/page'
import { middle } from '../ui/place'
import { Transitions } from '../ui/transitions'
import { actor, AuditTrail, Entries, type AuditRow } from './audit'
import { Conflict } from './conflict'
import { DocBadge } from './history'
import { FieldValue } from './value'

export function DocPage({ type: name, id }: { type: string; id: string }) {
  const type = useType(name)
  const agreement = useRoute().params.get('agreement')
  const doc = useQuery<Doc & { agreement?: Page<Doc>['agreement'] }>(`docs/${name}/${enc(id)}${agreement ? `?agreement=${enc(agreement)}` : ''}`, { live: [`doc:${name}`], every: 2000 })
  const back = name === 'alarm' ? '#/alarms' : name === 'prediction' ? '#/predictions' : link('docs', name) + (agreement ? `?agreement=${enc(agreement)}` : '')
  const own = !agreement
  return (
    <div class="page doc">
      <PageHead title={doc.data && type ? docName(doc.data, type).replace(` · ${doc.data.number}`, '') : id} back={<a class="back" href={back} aria-label={title(type, name)}><Icon name="left" /></a>}>
        {doc.data && type && own && <Actions type={type} doc={doc.data} reload={doc.reload} />}
      </PageHead>
      {agreement && <p class="under" role="note"><Icon name="share" size={17} />{t('seen_under', { n: agreement })}</p>}
      <Loaded of={doc} rows={6}>{(d) => type ? <Body type={type} doc={d} agreement={agreement} /> : <Skeleton rows={6} />}</Loaded>
    </div>
  )
}

function Actions({ type, doc, reload }: { type: DocType; doc: Doc; reload: () => void }) {
  const [ask, setAsk] = useState<'edit' | 'qr' | 'delete' | null>(null)
  const may = !type.immutable && (type.change_roles.length === 0 || hasRole(...type.change_roles))
  const deletable = type.may_delete && doc.state === type.states[0]?.name
  return (
    <>
      <Transitions type={type} doc={doc} done={reload} />
      {may && <Button icon="edit" onClick={() => setAsk('edit')}>{t('change')}</Button>}
      <Menu icon="more" label={t('nav_more')}>
        <a role="menuitem" href={`/api/v1/docs/${type.name}/${doc.id}/print?lang=${lang.get()}`} target="_blank" rel="noreferrer"><Icon name="print" size={18} />{t('print_pdf')}</a>
        <button type="button" role="menuitem" onClick={() => setAsk('qr')}><Icon name="qr" size={18} />{t('qr_code')}</button>
        {deletable && <button type="button" role="menuitem" class="bad" onClick={() => setAsk('delete')}><Icon name="trash" size={18} />{t('delete')}</button>}
      </Menu>
      {ask === 'edit' && <Edit type={type} doc={doc} close={() => setAsk(null)} saved={() => { setAsk(null); reload() }} />}
      {ask === 'qr' && <Dialog title={`${t('qr_code')} · ${doc.number}`} onClose={() => setAsk(null)}>
        <div class="qr-sheet"><img src={`/api/v1/docs/${type.name}/${doc.id}/qr`} alt={t('qr_alt', { n: doc.number })} width="260" height="260" /><strong>{doc.number}</strong><p class="faint">{t('qr_hint')}</p></div></Dialog>}
      {ask === 'delete' && <Dialog title={`${t('delete')} · ${doc.number}`} onClose={() => setAsk(null)}>
        <DocForm fields={[]} intro={t('delete_sure', { n: doc.number })} submit={t('delete')} danger cancel={() => setAsk(null)} send={async () => { await removeDoc(type.name, doc); toast(t('deleted_n', { n: doc.number })); go(link('docs', type.name)) }} /></Dialog>}
    </>
  )
}

/** Changing: what was typed is kept on the device; when somebody was faster, both versions are shown. */
function Edit({ type, doc, close, saved }: { type: DocType; doc: Doc; close: () => void; saved: () => void }) {
  const [base] = useState(doc)           // what the person began from, though the page behind may move on
  const [clash, setClash] = useState<{ mine: Record<string, unknown>; theirs: Doc } | null>(null)
  const fields = type.fields.filter((f) => !f.computed)
  const draft = `${type.name}.${doc.id}`
  if (clash) return <Conflict type={type} base={base} mine={clash.mine} theirs={clash.theirs} close={close} saved={() => { dropDraft(draft); saved() }} />
  const wide = fields.some((f) => f.kind === 'lines') || fields.length > 7
  return (
    <Dialog wide={wide} title={`${t('change')} · ${doc.number}`} onClose={close}>
      <DocForm fields={fields} initial={base} onlyChanges submit={t('save')} cancel={close} draft={draft} about={{ type: type.name, id: doc.id }} wide={fields.length > 7}
        send={async (v) => {
          if (Object.keys(v).length) {
            try { await changeDoc(type.name, base, v) } catch (e) {
              if (!(e instanceof Problem) || e.status !== 412) throw e
              setClash({ mine: v, theirs: await api<Doc>(`docs/${type.name}/${doc.id}`) })
              throw e
            }
            toast(t('saved'))
          }
          saved()
        }} />
    </Dialog>
  )
}

const LONG_KINDS = new Set(['lines', 'geometry'])
function Body({ type, doc, agreement }: { type: DocType; doc: Doc; agreement: string | null }) {
  const names = useNames()
  const has = (f: Field) => doc[f.name] !== null && doc[f.name] !== undefined && doc[f.name] !== ''
  const shown = type.fields.filter((f) => has(f) && !LONG_KINDS.has(f.kind))
  const lines = type.fields.filter((f) => f.kind === 'lines' && has(f))
  const place = type.fields.find((f) => f.kind === 'geometry' && middle(doc[f.name]))
  const at = place ? middle(doc[place.name]) : typeof doc.latitude === 'number' && typeof doc.longitude === 'number' ? { latitude: doc.latitude, longitude: doc.longitude } : null
  return (
    <>
      {type.states.length > 1 && doc.state && <Stepper type={type} doc={doc} />}
      <div class="doc-grid">
        <div>
          <Card title={title(type)} action={<span class="badges"><span class="faint num">{doc.number}</span>{doc.state && <DocBadge type={type} doc={doc} />}</span>}>
            <dl class="rows">{shown.map((f) => <div><dt>{title(f)}{f.share === 'secret' && <Icon name="lock" size={13} />}</dt><dd>{f.kind === 'file' && !agreement ? <FileLink type={type} doc={doc} value={doc[f.name]} /> : <FieldValue field={f} value={doc[f.name]} names={names} />}</dd></div>)}
              {doc.created && <div><dt>{t('created')}</dt><dd><Time at={doc.created} both /> <span class="faint">{doc.created_by && actor(doc.created_by)}</span></dd></div>}
              {doc.changed && <div><dt>{t('changed')}</dt><dd><Time at={doc.changed} both /> {doc.version && <span class="faint">v{doc.version}</span>}</dd></div>}</dl>
          </Card>
          {lines.map((f) => <Card key={f.name} title={title(f)} action={<span class="faint">{t('n_lines', { n: (doc[f.name] as unknown[]).length })}</span>}><LinesTable field={f} value={doc[f.name]} /></Card>)}
          {at && <Card title={place ? title(place) : t('position')}><FleetMap small label={t('place')} pins={[{ ...at, id: 'here', state: 'ok', label: doc.number }]} /></Card>}
        </div>
        {!agreement && <div>
          <Comments type={type.name} doc={doc} />
          <Files type={type.name} doc={doc} />
          <Card title={t('timeline')}><History type={type.name} doc={doc} /></Card>
          <GivenTo type={type} />
        </div>}
      </div>
    </>
  )
}

/** The way through the states, as far as one way leads; a state beside it stands at the end. */
function Stepper({ type, doc }: { type: DocType; doc: Doc }) {
  const way = [type.states[0]!.name]
  for (;;) {
    const from = way[way.length - 1]!
    const next = type.transitions.find((x) => x.to && !way.includes(x.to) && (x.from.includes(from)) && !['cancel', 'reject', 'refuse', 'withdraw', 'expire', 'retire', 'void'].includes(x.name))
    if (!next?.to) break
    way.push(next.to)
  }
  if (!way.includes(doc.state)) way.push(doc.state)
  const now = way.indexOf(doc.state)
  const state = (n: string) => type.states.find((s) => s.name === n)
  return <ol class="steps" aria-label={t('state')}>{way.map((n, i) => (
    <li class={i < now ? 'past' : i === now ? 'now' : ''} aria-current={i === now ? 'step' : undefined}><i>{i < now ? '✓' : i + 1}</i><span>{title(state(n), n)}</span></li>))}</ol>
}

function FileLink({ type, doc, value }: { type: DocType; doc: Doc; value: unknown }) {
  const id = value !== null && typeof value === 'object' ? (value as { id: number }).id : Number(value)
  const all = useQuery<{ items: Attachment[] }>(`docs/${type.name}/${doc.id}/attachments`)
  return <a href={`/api/v1/docs/${type.name}/${doc.id}/attachments/${id}`}><Icon name="clip" size={15} class="inline-icon" /> {all.data?.items.find((a) => a.id === id)?.name ?? `#${id}`}</a>
}

interface Comment { id: number; at: string; who: string; text: string }
function Comments({ type, doc }: { type: string; doc: Doc }) {
  const path = `docs/${type}/${doc.id}/comments`
  const list = useQuery<{ items: Comment[] }>(path, { live: [`doc:${type}`], every: 3000 })
  const key = `comment.${type}.${doc.id}`
  const [text, setText] = useState(str(readDraft(key)?.values.text))
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  useEffect(() => { if (text) keepDraft(key, { text }); else dropDraft(key) }, [text])
  const send = async (e: Event) => {
    e.preventDefault()
    if (!text.trim()) return
    setBusy(true)
    setError(null)
    try { await api(path, { method: 'POST', body: { text: text.trim() } }); setText(''); list.reload() } catch (x) { setError(x) }
    setBusy(false)
  }
  if (list.error && [404, 405].includes(list.error.status)) return null
  return (
    <Card title={t('comments')}>
      {list.data && <ul class="comments">{list.data.items.map((c) => <li key={c.id}><span class="avatar" aria-hidden="true">{c.who.slice(0, 1).toUpperCase()}</span><div><strong>{c.who}</strong> <span class="faint"><Time at={c.at} past /></span><p>{c.text}</p></div></li>)}</ul>}
      <form class="say" onSubmit={send}>
        <label class="vh" for="comment">{t('write_comment')}</label>
        <textarea id="comment" rows={1} placeholder={t('write_comment')} value={text} onInput={(e) => setText(e.currentTarget.value)} onKeyDown={(e) => { if (e.key === 'Enter' && (e.ctrlKey || e.metaKey)) void send(e) }} />
        <Button type="submit" busy={busy} disabled={!text.trim()}>{t('send')}</Button>
      </form>
      <div class="pad-x"><ErrorBox error={error} /></div>
    </Card>
  )
}

interface Sending { name: string; part: number; stop: AbortController }
function Files({ type, doc }: { type: string; doc: Doc }) {
  const path = `docs/${type}/${doc.id}/attachments`
  const list = useQuery<{ items: Attachment[] }>(path, { live: [`doc:${type}`], every: 3000 })
  const [sending, setSending] = useState<Sending[]>([])
  const [sealed, setSealed] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const [over, setOver] = useState(false)
  const pick = useRef<HTMLInputElement>(null)
  const send = async (files: FileList | null | undefined) => {
    setError(null)
    for (const f of [...files ?? []]) {
      const stop = new AbortController()
      const tell = (part: number) => setSending((all) => [...all.filter((s) => s.name !== f.name), { name: f.name, part, stop }])
      tell(0)
      try {
        await upload(path + (sealed ? '?sealed=true' : ''), f, { 'Content-Type': f.type || 'application/octet-stream', 'X-Weft-Name': enc(f.name) }, tell, stop.signal)
        list.reload()
      } catch (e) { if (!(e instanceof DOMException)) setError(e) }
      setSending((all) => all.filter((s) => s.name !== f.name))
    }
  }
  if (list.error && [404, 405].includes(list.error.status)) return null
  return (
    <Card title={t('files')}>
      <ul class="files">
        {list.data?.items.map((a) => (
          <li key={a.id}><a href={`/api/v1/${path}/${a.id}`} download={a.name}>
            {/^image\/(png|jpeg|webp|gif)$/.test(a.media_type) && !a.sealed && a.bytes < 3e6 ? <img src={`/api/v1/${path}/${a.id}`} alt="" loading="lazy" /> : <span class="file-icon"><Icon name={a.sealed ? 'lock' : 'clip'} size={20} /></span>}
            <span><strong>{a.name}</strong><span class="faint">{bytes(a.bytes)} · {a.who} · <Time at={a.at} past /></span></span>{a.sealed && <Badge tone="info" icon="lock">{t('sealed')}</Badge>}</a></li>))}
        {sending.map((s) => <li key={s.name} class="sending"><span>{s.name}</span><span class="grow" role="progressbar" aria-label={s.name} aria-valuenow={Math.round(s.part * 100)} aria-valuemin={0} aria-valuemax={100}><Bar part={s.part} tone="info" /></span><Button small kind="quiet" icon="close" aria-label={t('cancel')} onClick={() => s.stop.abort()} /></li>)}
      </ul>
      <div class="pad-x"><ErrorBox error={error} /></div>
      <div class={`drop${over ? ' over' : ''}`} onDragOver={(e) => { e.preventDefault(); setOver(true) }} onDragLeave={() => setOver(false)} onDrop={(e) => { e.preventDefault(); setOver(false); void send(e.dataTransfer?.files) }}>
        <input ref={pick} type="file" multiple hidden onChange={(e) => { void send(e.currentTarget.files); e.currentTarget.value = '' }} />
        <Button icon="upload" onClick={() => pick.current?.click()}>{t('add_file')}</Button>
        <span class="faint desk-only">{t('drop_files')}</span>
        <label class="check"><input type="checkbox" checked={sealed} onChange={(e) => setSealed(e.currentTarget.checked)} />{t('seal_file')}</label>
      </div>
    </Card>
  )
}

interface HistoryRow { at: string; who: string; action: string; before: unknown; after: unknown }
function History({ type: name, doc }: { type: string; doc: Doc }) {
  const type = useType(name)
  const list = useQuery<{ items: HistoryRow[] }>(`docs/${name}/${doc.id}/history`, { live: [`doc:${name}`], every: 2500 })
  if (list.error) return <AuditTrail type={name} doc={doc} />
  if (!list.data) return <Skeleton rows={3} />
  return <Entries type={type} rows={list.data.items.map((r, i) => ({ id: i, type: name, target: doc.number, ...r }) as AuditRow)} />
}

/** Who else may see documents of this kind, for the owner's eyes. */
function GivenTo({ type }: { type: DocType }) {
  const list = useQuery<{ items: Agreement[] }>('agreements?side=given&state=active')
  const to = (list.data?.items ?? []).filter((a) => a.terms.types.some((x) => x.type === type.name))
  if (!to.length) return null
  return (
    <Card title={t('who_else_sees')}>
      <ul class="given-to">{to.map((a) => <li><Icon name="eye" size={17} /><span><a href={link('sharing', a.id)}>{a.receiver.name}</a> <span class="faint">{t('n_fields', { n: a.terms.types.find((x) => x.type === type.name)!.fields.length })} · {a.terms.purpose}</span></span></li>)}</ul>
    </Card>
  )
}
