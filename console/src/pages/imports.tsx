// Rows from a file: choose it, say which column is which field, have every row checked, then bring them in, or take them out again.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { t, title, type Key } from '../i18n'
import { api, enc, query } from '../lib/api'
import { useTypes } from '../lib/docs'
import { number, percent } from '../lib/format'
import { lang } from '../lib/prefs'
import { useQuery } from '../lib/query'
import { upload } from '../lib/upload'
import type { DocType, Field, Tone } from '../lib/types'
import { link, setParams, useRoute } from '../router'
import { Badge, Button, Card, Empty, ErrorBox, Skeleton, Time, toast } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { DocForm } from '../ui/form'
import { Icon } from '../ui/icons'
import { PageHead } from '../ui/page'

interface Column { name: string; samples: string[]; field: string | null }
type State = 'uploaded' | 'checking' | 'checked' | 'applying' | 'done' | 'failed' | 'dropped'
interface Import { id: number; type: string; name: string; state: State; rows: number; checked: number; good: number; bad: number; applied: number; started: string | null; finished: string | null; batch: number | null; error?: string; columns?: Column[] }
interface Fault { row: number; column: string; field: string; value: string; message: string }
const stateTone: Record<State, Tone> = { uploaded: 'neutral', checking: 'info', checked: 'info', applying: 'info', done: 'good', failed: 'critical', dropped: 'neutral' }
const stateWord = (s: State) => t(`imp_state_${s}` as Key)

export function ImportPage({ type: name }: { type: string }) {
  const types = useTypes()
  const type = types.data?.find((d) => d.name === name)
  const id = useRoute().params.get('id')
  if (types.error) return <div class="page"><ErrorBox error={types.error} retry={types.reload} /></div>
  if (!types.data) return <div class="page"><Skeleton rows={5} /></div>
  if (!type) return <div class="page"><PageHead title={name} /><Empty icon="docs" title={t('no_such_type')}><a href="#/docs">{t('nav_docs')}</a></Empty></div>
  return (
    <div class="page wizard">
      <PageHead title={t('import_title', { type: title(type) })} back={<a class="back" href={link('docs', name)} aria-label={title(type)}><Icon name="left" /></a>} />
      {id ? <Running key={id} type={type} id={id} /> : <Choose type={type} />}
    </div>
  )
}

function Steps({ at }: { at: 0 | 1 | 2 | 3 }) {
  const names: Key[] = ['imp_step_file', 'imp_step_map', 'imp_step_check', 'imp_step_done']
  return <ol class="steps">{names.map((n, i) => <li class={i < at ? 'past' : i === at ? 'now' : ''} aria-current={i === at ? 'step' : undefined}><i>{i < at ? '✓' : i + 1}</i><span>{t(n)}</span></li>)}</ol>
}

/** Columns as the server proposed them, for the step that follows the upload on this device. */
const proposals = new Map<string, Column[]>()

function Choose({ type }: { type: DocType }) {
  const [part, setPart] = useState<number | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [over, setOver] = useState(false)
  const pick = useRef<HTMLInputElement>(null)
  const stop = useRef<AbortController>()
  const send = async (file: File | undefined) => {
    if (!file) return
    setError(null)
    setPart(0)
    stop.current = new AbortController()
    const csv = /\.csv$|\.txt$/i.test(file.name)
    try {
      const made = await upload<Import>('imports' + query({ type: type.name, name: file.name }), file, { 'Content-Type': csv ? 'text/csv' : 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' }, setPart, stop.current.signal)
      proposals.set(String(made.id), made.columns ?? [])
      setParams({ id: String(made.id) })
    } catch (e) { if (!(e instanceof DOMException)) setError(e); setPart(null) }
  }
  return (
    <>
      <Steps at={0} />
      <ErrorBox error={error} />
      {part === null ? (
        <button type="button" class={`dropzone${over ? ' over' : ''}`} onClick={() => pick.current?.click()} onDragOver={(e) => { e.preventDefault(); setOver(true) }} onDragLeave={() => setOver(false)}
          onDrop={(e) => { e.preventDefault(); setOver(false); void send(e.dataTransfer?.files[0]) }}>
          <Icon name="upload" size={38} /><strong>{t('imp_choose')}</strong><span class="faint">{t('imp_drop')}</span><span class="faint">{t('imp_limit')}</span>
        </button>
      ) : (
        <Card class="pad"><p>{part < 1 ? t('imp_uploading', { part: percent(part) }) : t('loading')}</p><span class="bar t-info big" role="progressbar" aria-label={t('upload')} aria-valuenow={Math.round(part * 100)} aria-valuemin={0} aria-valuemax={100}><span style={{ width: `${part * 100}%` }} /></span>
          <p class="paging"><Button small onClick={() => stop.current?.abort()}>{t('cancel')}</Button></p></Card>)}
      <input ref={pick} type="file" aria-label={t('imp_choose')} accept=".csv,.xlsx,.txt,text/csv,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" hidden onChange={(e) => { void send(e.currentTarget.files?.[0]); e.currentTarget.value = '' }} />
      <p class="faint">{t('imp_no_template')} <a href={`/api/v1/docs/${type.name}/template?format=xlsx&lang=${lang.get()}`} download={`${type.name}-template.xlsx`}>{t('template_file')} (Excel)</a> · <a href={`/api/v1/docs/${type.name}/template?format=csv&lang=${lang.get()}`} download={`${type.name}-template.csv`}>CSV</a></p>
      <Recent type={type} />
    </>
  )
}

function Recent({ type }: { type: DocType }) {
  const list = useQuery<{ items: Import[] }>('imports' + query({ type: type.name }))
  const items = (list.data?.items ?? []).filter((i) => i.type === type.name).slice(0, 8)
  if (!items.length) return null
  return <Card title={t('imp_recent')}><ul class="imports">{items.map((i) => (
    <li><a href={`${link('import', type.name)}?id=${i.id}`}>{i.name}</a><span class="faint">{t('n_rows', { n: number(i.applied || i.rows, 0) })} · <Time at={i.started} past /></span><span class="badges"><Badge tone={stateTone[i.state]}>{stateWord(i.state)}</Badge></span></li>))}</ul></Card>
}

function Running({ type, id }: { type: DocType; id: string }) {
  const [again, setAgain] = useState(0)
  const [back, setBack] = useState(false)
  const job = useQuery<Import>(`imports/${enc(id)}`)
  const state = job.data?.state
  // While the server works the page asks again, a little less often the longer it takes.
  useEffect(() => {
    if (state !== 'checking' && state !== 'applying') return
    const timer = setTimeout(() => { void job.reload(); setAgain(again + 1) }, Math.min(2000, 300 + again * 60))
    return () => clearTimeout(timer)
  }, [state, again, job.data])
  if (job.error) return <><Steps at={0} /><ErrorBox error={job.error} retry={job.reload} /><p><a href={link('import', type.name)}>{t('imp_again')}</a></p></>
  if (!job.data) return <Skeleton rows={5} />
  const j = job.data
  const started = () => { setBack(false); setAgain(0); void job.reload() }
  if (j.state === 'uploaded' || back) return <Mapping type={type} job={j} started={started} />
  if (j.state === 'checking' || j.state === 'applying') return <Working job={j} />
  if (j.state === 'checked') return <Checked type={type} job={j} back={() => setBack(true)} started={started} />
  return <Done type={type} job={j} />
}

function Working({ job }: { job: Import }) {
  const applying = job.state === 'applying'
  const whole = applying ? job.good : job.rows, done = applying ? job.applied : job.checked
  const part = whole ? done / whole : 0
  const words = applying ? t('imp_applying', { n: number(done, 0), total: number(whole, 0) }) : job.rows ? t('imp_checking_of', { n: number(done, 0), total: number(whole, 0) }) : t('imp_checking', { n: number(done, 0) })
  return (
    <><Steps at={applying ? 3 : 2} />
      <Card class="pad"><p role="status">{words}</p><span class="bar t-info big" role="progressbar" aria-label={words} aria-valuenow={Math.round(part * 100)} aria-valuemin={0} aria-valuemax={100}><span style={{ width: `${part * 100}%` }} /></span></Card></>
  )
}

function Mapping({ type, job, started }: { type: DocType; job: Import; started: () => void }) {
  const columns = useMemo(() => proposals.get(String(job.id)) ?? job.columns ?? [], [job.id, job.columns])
  const fields = targets(type)
  const [map, setMap] = useState<Record<string, string>>(() => Object.fromEntries(columns.map((c) => [c.name, c.field ?? ''])))
  const [mode, setMode] = useState<'all' | 'skip'>('all')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [drag, setDrag] = useState<string | null>(null)
  useEffect(() => { if (columns.length && !Object.keys(map).length) setMap(Object.fromEntries(columns.map((c) => [c.name, c.field ?? '']))) }, [columns])
  const used = Object.values(map).filter(Boolean)
  const missing = fields.filter((f) => f.field.required && !used.includes(f.name) && !f.name.includes('.'))
  const twice = used.find((n, i) => used.indexOf(n) !== i)
  const go = async () => {
    setBusy(true)
    setError(null)
    try {
      await api(`imports/${job.id}`, { method: 'POST', body: { mapping: Object.fromEntries(Object.entries(map).filter(([, f]) => f)), mode, start: true } })
      started()
    } catch (e) { setError(e) }
    setBusy(false)
  }
  if (!columns.length) return <><Steps at={1} /><Card><Empty icon="upload" title={t('imp_again')}><a href={link('import', type.name)}>{t('imp_choose')}</a></Empty></Card></>
  const label = (n: string) => fields.find((f) => f.name === n)?.label ?? n
  /** Dropping one column's field on another swaps them. */
  const drop = (on: string) => { if (drag && drag !== on) setMap({ ...map, [on]: map[drag] ?? '', [drag]: map[on] ?? '' }); setDrag(null) }
  return (
    <>
      <Steps at={1} />
      <p class="faint">{t('imp_map_hint')}</p>
      <Card title={job.name} action={<span class="faint">{job.rows ? t('n_rows', { n: number(job.rows, 0) }) : ''}</span>}>
        <ul class="mapping">
          <li class="head" aria-hidden="true"><span>{t('imp_column')}</span><span>{t('imp_samples')}</span><span /><span>{t('imp_goes_to')}</span></li>
          {columns.map((c) => (
            <li key={c.name} class={map[c.name] ? '' : 'off'} onDragOver={(e) => { if (drag) e.preventDefault() }} onDrop={(e) => { e.preventDefault(); drop(c.name) }}>
              <strong draggable onDragStart={(e) => { e.dataTransfer?.setData('text/plain', c.name); setDrag(c.name) }} onDragEnd={() => setDrag(null)}>{c.name}</strong>
              <span class="samples">{c.samples.filter(Boolean).slice(0, 3).join(' · ') || '–'}</span><Icon name="right" size={18} />
              <select aria-label={`${c.name}: ${t('imp_goes_to')}`} value={map[c.name] ?? ''} onChange={(e) => setMap({ ...map, [c.name]: e.currentTarget.value })}>
                <option value="">{t('imp_skip')}</option>{fields.map((f) => <option value={f.name}>{f.label}{f.field.required ? ' *' : ''}</option>)}
              </select></li>))}
        </ul>
      </Card>
      <fieldset class="radio-row"><legend>{t('imp_mode')}</legend>
        {(['all', 'skip'] as const).map((m) => <label><input type="radio" name="mode" checked={mode === m} onChange={() => setMode(m)} />{t(m === 'all' ? 'imp_mode_all' : 'imp_mode_skip')}</label>)}
      </fieldset>
      {missing.length > 0 && <p class="note t-warning" role="status"><Icon name="warn" size={17} />{t('imp_missing', { f: missing.map((f) => f.label).join(', ') })}</p>}
      {twice && <p class="note t-warning" role="status"><Icon name="warn" size={17} />{t('imp_twice', { f: label(twice) })}</p>}
      <ErrorBox error={error} />
      <div class="imp-foot"><a class="btn quiet" href={link('import', type.name)}>{t('imp_again')}</a><Button kind="primary" busy={busy} disabled={missing.length > 0 || Boolean(twice)} onClick={() => void go()}>{t('imp_check')}</Button></div>
    </>
  )
}

/** Where a column can go: fields, and the fields of lines as "lines.quantity". */
function targets(type: DocType): { name: string; label: string; field: Field }[] {
  return type.fields.filter((f) => !f.computed && f.kind !== 'file').flatMap((f) => f.kind === 'lines'
    ? (f.fields ?? []).filter((x) => !x.computed).map((x) => ({ name: `${f.name}.${x.name}`, label: `${title(f)} › ${title(x)}`, field: { ...x, required: false } }))
    : [{ name: f.name, label: title(f), field: f }])
}

function Checked({ type, job, back, started }: { type: DocType; job: Import; back: () => void; started: () => void }) {
  const [cursor, setCursor] = useState<string[]>([])
  const faults = useQuery<{ items: Fault[]; next: string | null }>(job.bad ? `imports/${job.id}/errors` + query({ limit: 50, cursor: cursor[cursor.length - 1] }) : null, { keep: true })
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const fields = targets(type)
  const apply = async () => {
    setBusy(true)
    setError(null)
    try { await api(`imports/${job.id}/apply`, { method: 'POST' }); started() } catch (e) { setError(e) }
    setBusy(false)
  }
  return (
    <>
      <Steps at={2} />
      <div class="imp-count"><div class="t-good"><b class="num">{number(job.good, 0)}</b>{t('imp_good')}</div><div class={job.bad ? 't-critical' : 't-neutral'}><b class="num">{number(job.bad, 0)}</b>{t('imp_bad')}</div></div>
      {job.bad === 0 && <p class="note t-good"><Icon name="check" size={17} />{t('imp_all_good', { n: number(job.good, 0) })}</p>}
      {job.bad > 0 && <Card class="imp-errors" title={t('imp_errors')} action={<a href={`/api/v1/imports/${job.id}/errors?format=csv`} download="errors.csv">{t('imp_errors_file')}</a>}>
        <p class="faint pad-x">{t('imp_fix_hint')}</p>
        <ErrorBox error={faults.error} retry={faults.reload} />
        {!faults.data ? <Skeleton rows={4} /> : <div class="table-card"><table><thead><tr><th scope="col">{t('imp_row')}</th><th scope="col">{t('imp_column')}</th><th scope="col">{t('imp_in_file')}</th><th scope="col">{t('imp_problem')}</th></tr></thead>
          <tbody>{faults.data.items.map((e) => <tr><td class="num faint">{t('imp_row')} {e.row}</td><td>{e.column}{e.field && <span class="faint"> → {fields.find((f) => f.name === e.field)?.label ?? e.field}</span>}</td><td>{e.value ? <span class="cell">{e.value}</span> : <span class="faint">–</span>}</td><td>{e.message}</td></tr>)}</tbody></table></div>}
        {(cursor.length > 0 || faults.data?.next) && <p class="paging">{cursor.length > 0 && <Button small icon="left" onClick={() => setCursor(cursor.slice(0, -1))}>{t('newer')}</Button>}{faults.data?.next && <Button small onClick={() => setCursor([...cursor, faults.data!.next!])}>{t('older')}</Button>}</p>}
      </Card>}
      <ErrorBox error={error} />
      <div class="imp-foot"><a class="btn quiet" href={link('import', type.name)}>{t('imp_again')}</a><Button onClick={back}>{t('imp_back')}</Button>
        <Button kind="primary" busy={busy} disabled={!job.good} onClick={() => void apply()}>{t('imp_apply', { n: number(job.good, 0) })}</Button></div>
    </>
  )
}

function Done({ type, job }: { type: DocType; job: Import }) {
  const [sure, setSure] = useState(false)
  const [undone, setUndone] = useState(job.state === 'dropped')      // the server may keep nothing of it
  const ok = job.state === 'done' && !undone
  return (
    <>
      <Steps at={3} />
      <Card><Empty icon={ok ? 'check' : undone ? 'trash' : 'alarm'} title={ok ? t('imp_done', { n: number(job.applied, 0) }) : undone ? t('imp_undone') : t('imp_failed')}>{job.error ?? job.name}</Empty></Card>
      <div class="imp-foot">
        {ok && <Button kind="quiet" icon="trash" onClick={() => setSure(true)}>{t('imp_undo')}</Button>}
        <a class="btn" href={link('import', type.name)}>{t('imp_again')}</a>
        <a class="btn primary" href={link('docs', type.name)}>{t('imp_see', { type: title(type) })}</a>
      </div>
      {sure && <Dialog title={t('imp_undo')} onClose={() => setSure(false)}><DocForm fields={[]} intro={t('imp_undo_sure', { n: number(job.applied, 0) })} submit={t('imp_undo')} danger cancel={() => setSure(false)}
        send={async () => { await api(`imports/${job.id}`, { method: 'DELETE' }); toast(t('imp_undone')); setSure(false); setUndone(true) }} /></Dialog>}
    </>
  )
}
