// Packs: what is installed and what is in it; check one by dropping its files; install with the plan shown first; fields of one's own.
import { useRef, useState } from 'preact/hooks'
import { t, title, type Key } from '../i18n'
import { api, enc } from '../lib/api'
import { useModels, useTypes } from '../lib/docs'
import { askAgain } from '../lib/live'
import { forget, useQuery } from '../lib/query'
import { hasRole } from '../lib/session'
import type { DocType, Field, FieldKind, PackInfo } from '../lib/types'
import { link } from '../router'
import { Badge, Button, Card, Empty, ErrorBox, Loaded, toast } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { DocForm, plainField, type Values } from '../ui/form'
import { Icon } from '../ui/icons'
import { PageHead } from '../ui/page'

export function Packs() {
  const packs = useQuery<{ items: PackInfo[] }>('packs')
  const [gone, setGone] = useState<PackInfo | null>(null)
  const operator = hasRole('operator')
  return (
    <div class="page packs">
      <PageHead title={t('nav_packs')} />
      <p class="faint">{t('packs_hint')}</p>
      <Loaded of={packs} rows={4}>{(p) => <ul class="pack-list">{p.items.map((x) => <li key={x.name}><Pack of={x} remove={operator && !x.builtin ? () => setGone(x) : undefined} /></li>)}</ul>}</Loaded>
      {hasRole('operator', 'manager') && <CheckPack />}
      {hasRole('operator', 'manager') && <OwnFields />}
      {gone && <Dialog title={t('pack_remove')} onClose={() => setGone(null)}><DocForm fields={[]} intro={t('pack_remove_sure', { n: title(gone) })} danger submit={t('pack_remove')} cancel={() => setGone(null)}
        send={async () => { await api(`packs/${enc(gone.name)}`, { method: 'DELETE' }); forget(); toast(t('pack_removed')); setGone(null); askAgain() }} /></Dialog>}
    </div>
  )
}

function Pack({ of, remove }: { of: PackInfo; remove?: () => void }) {
  const types = useTypes().data ?? []
  const models = useModels().data ?? []
  const part = (key: Key, n: number, what: preact.ComponentChildren) => n > 0 && <div><dt>{t(key)}</dt><dd>{what}</dd></div>
  const rules = of.rules ?? [], needs = of.needs ?? []
  return (
    <article class="card pack">
      <div class="top"><Icon name="pack" size={28} /><span><strong>{title(of)}</strong><span class="faint">{of.name} {of.version}{needs.length > 0 && ` · ${t('pack_needs', { n: needs.join(', ') })}`}</span></span>{of.builtin && <Badge>{t('pack_builtin')}</Badge>}</div>
      <dl>
        {part('pack_types', of.types?.length ?? 0, (of.types ?? []).map((n, i) => <>{i > 0 && ' · '}<a href={link('docs', n)}>{title(types.find((d) => d.name === n), n)}</a></>))}
        {part('pack_models', of.models?.length ?? 0, (of.models ?? []).map((n) => title(models.find((m) => m.name === n), n)).join(' · '))}
        {part('pack_rules', rules.length, rules.map((r) => title(r)).join(' · '))}
        {part('pack_templates', of.templates?.length ?? 0, (of.templates ?? []).map((x) => typeof x === 'string' ? x : title(x as never)).join(' · '))}
      </dl>
      {remove && <footer><Button small kind="quiet" icon="trash" onClick={remove}>{t('pack_remove')}</Button></footer>}
    </article>
  )
}

interface PackFile { name: string; text: string }
interface PackFault { file: string; line: number; column: number; severity: 'error' | 'warning' | 'info'; message: string; suggestion?: string | null }
interface Plan { plan: { type: string; action: string; detail: string; refused?: boolean }[]; faults: PackFault[] }

/** Names as seen from the folder that holds pack.yaml, however deep it was chosen. */
async function filesOf(list: File[]): Promise<PackFile[]> {
  const pathOf = (f: File) => (f as File & { webkitRelativePath?: string }).webkitRelativePath || f.name
  const home = list.map(pathOf).filter((p) => p === 'pack.yaml' || p.endsWith('/pack.yaml')).sort((a, b) => a.length - b.length)[0]?.slice(0, -'pack.yaml'.length) ?? ''
  const out: PackFile[] = []
  for (const f of list) if (pathOf(f).startsWith(home) && /\.(ya?ml|lua|md|csv|json|txt)$/i.test(f.name)) out.push({ name: pathOf(f).slice(home.length), text: await f.text() })
  return out
}
/** A dropped folder, walked: browsers give it as entries. */
async function dropped(data: DataTransfer): Promise<File[]> {
  const out: File[] = []
  const walk = async (e: FileSystemEntry, at: string): Promise<void> => {
    if (e.isFile) {
      const f = await new Promise<File>((ok, no) => (e as FileSystemFileEntry).file(ok, no))
      Object.defineProperty(f, 'webkitRelativePath', { value: at + e.name })
      out.push(f)
    } else {
      const r = (e as FileSystemDirectoryEntry).createReader()
      for (;;) { const some = await new Promise<FileSystemEntry[]>((ok, no) => r.readEntries(ok, no)); if (!some.length) break; for (const x of some) await walk(x, `${at}${e.name}/`) }
    }
  }
  const entries = [...data.items].map((i) => i.webkitGetAsEntry()).filter((e): e is FileSystemEntry => Boolean(e))
  if (!entries.length) return [...data.files]
  for (const e of entries) await walk(e, '')
  return out
}

function CheckPack() {
  const [files, setFiles] = useState<PackFile[]>([])
  const [faults, setFaults] = useState<PackFault[] | null>(null)
  const [plan, setPlan] = useState<Plan['plan'] | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const [over, setOver] = useState(false)
  const pick = useRef<HTMLInputElement>(null), folder = useRef<HTMLInputElement>(null)
  const operator = hasRole('operator')
  const take = async (given: File[] | FileList | null) => {
    const list = [...given ?? []]        // the input empties its list at once
    if (!list.length) return
    setBusy(true)
    setError(null)
    setPlan(null)
    try {
      const got = await filesOf(list)
      setFiles(got)
      const said = await api<{ faults: PackFault[] }>('packs/check', { method: 'POST', body: { files: got } })
      setFaults(said.faults)
      if (operator && !said.faults.some((f) => f.severity === 'error')) setPlan((await api<Plan>('packs?dry_run=true', { method: 'POST', body: { files: got } })).plan)
    } catch (e) { setError(e) }
    setBusy(false)
  }
  const install = async () => {
    setBusy(true)
    setError(null)
    try { await api('packs', { method: 'POST', body: { files } }); forget(); toast(t('pack_installed')); setFiles([]); setFaults(null); setPlan(null); askAgain() } catch (e) { setError(e) }
    setBusy(false)
  }
  const wrong = (faults?.some((f) => f.severity === 'error') ?? false) || (plan?.some((x) => x.refused) ?? false)
  return (
    <Card title={t('pack_check_title')} action={!operator && <span class="faint">{t('pack_only_operator')}</span>}>
      <div class={`drop big${over ? ' over' : ''}`} onDragOver={(e) => { e.preventDefault(); setOver(true) }} onDragLeave={() => setOver(false)}
        onDrop={(e) => { e.preventDefault(); setOver(false); if (e.dataTransfer) void dropped(e.dataTransfer).then(take) }}>
        <Icon name="upload" size={24} /><span class="grow">{files.length ? <><b>{t('pack_n_files', { n: files.length })}</b> <span class="faint">{files.map((f) => f.name).slice(0, 6).join(', ')}{files.length > 6 && ' …'}</span></> : t('pack_drop')}</span>
        <input ref={pick} type="file" multiple hidden aria-label={t('pack_pick')} accept=".yaml,.yml,.lua,.md,.csv,.json" onChange={(e) => { void take(e.currentTarget.files); e.currentTarget.value = '' }} />
        <input ref={folder} type="file" multiple hidden aria-label={t('pack_pick_folder')} {...{ webkitdirectory: true }} onChange={(e) => { void take(e.currentTarget.files); e.currentTarget.value = '' }} />
        <Button busy={busy} onClick={() => pick.current?.click()}>{t('pack_pick')}</Button><Button onClick={() => folder.current?.click()}>{t('pack_pick_folder')}</Button>
      </div>
      <div class="pad-x"><ErrorBox error={error} /></div>
      {faults && (faults.length ? <><h3 class="pad-x">{t('pack_faults', { n: faults.length })}</h3><ul class="faults">{faults.map((f) => <Fault of={f} text={files.find((x) => x.name === f.file || x.name.endsWith('/' + f.file))?.text} />)}</ul></>
        : <p class="note t-good inset" role="status"><Icon name="check" size={17} />{t('pack_fine')}</p>)}
      {plan && <><h3 class="pad-x">{t('pack_plan')}</h3>{plan.length ? <ul class="plan">{plan.map((x) => <li><Badge tone={x.refused ? 'critical' : x.action === 'remove' ? 'critical' : x.action === 'keep' || x.action === 'same' ? 'neutral' : 'info'}>{actionWord(x.action)}</Badge><strong>{x.type}</strong><span class="faint">{x.detail}</span></li>)}</ul> : <p class="faint pad">{t('pack_plan_none')}</p>}
        {!wrong && <p class="imp-foot pad"><Button kind="primary" icon="check" busy={busy} onClick={() => void install()}>{t('pack_install')}</Button></p>}</>}
    </Card>
  )
}
const actionWords: Record<string, Key> = { create: 'act_create', add: 'act_create', change: 'act_change', widen: 'act_widen', remove: 'act_remove', keep: 'act_keep', same: 'act_keep' }
const actionWord = (a: string) => { const w = actionWords[a.split(' ')[0]!]; return w ? t(w) : a }

/** A fault with its line, the place marked. */
function Fault({ of, text }: { of: PackFault; text: string | undefined }) {
  const line = text?.split('\n')[of.line - 1]
  const at = Math.max(0, of.column - 1)
  const word = line ? /^[\w.-]+|^\S|^\s/.exec(line.slice(at))?.[0] ?? '' : ''
  return (
    <li class={of.severity === 'error' ? 't-critical' : of.severity === 'warning' ? 't-warning' : 't-info'}><Icon name="warn" size={18} /><strong>{of.message}</strong>
      <span class="where">{t('pack_where', { file: of.file, line: of.line, column: of.column })}</span>
      {line !== undefined && <pre tabIndex={0}>{line.slice(0, at)}<mark>{word || ' '}</mark>{line.slice(at + word.length)}</pre>}
      {of.suggestion && <p>{of.suggestion}</p>}</li>
  )
}

const kinds: FieldKind[] = ['text', 'int', 'decimal', 'money', 'date', 'time', 'bool', 'choice']
function OwnFields() {
  const types = useTypes()
  const [making, setMaking] = useState(false)
  const [kind, setKind] = useState<FieldKind>('text')
  const own = (types.data ?? []).flatMap((d) => d.fields.filter((f) => f.custom || f.name.startsWith('x_')).map((f): [DocType, Field] => [d, f]))
  const fields = [
    plainField('type', '加到', 'To', { kind: 'choice', required: true, choices: (types.data ?? []).map((d) => ({ name: d.name, title_en: title(d), title_zh: title(d) })) }),
    plainField('name', '内部名称（小写字母）', 'Internal name (lower-case letters)', { required: true }), plainField('title_zh', '中文名称', 'Title in Chinese', { required: true }), plainField('title_en', '英文名称', 'Title in English'),
    ...(kind === 'choice' ? [plainField('choices', '选项（逗号分隔）', 'Choices (separated by commas)', { required: true })] : []),
    ...(kind === 'decimal' ? [plainField('unit', '单位代码（如 KGM）', 'Unit code (such as KGM)'), plainField('scale', '小数位数', 'Digits after the point', { kind: 'int' })] : []),
  ]
  const send = async (v: Values) => {
    const { type, choices, ...rest } = v
    const body = { ...rest, kind, title_en: v.title_en || v.title_zh, ...(choices ? { choices: Object.fromEntries(String(choices).split(/[,，、]/).map((c) => c.trim()).filter(Boolean).map((c, i) => [/^[a-z_][a-z0-9_]*$/.test(c) ? c : `c${i + 1}`, { zh: c, en: c }])) } : {}) }
    await api(`docs/${enc(String(type))}/fields`, { method: 'POST', body })
    toast(t('field_added'))
    setMaking(false)
    askAgain()
  }
  return (
    <Card title={t('own_fields')} action={<Button small kind="primary" icon="plus" onClick={() => setMaking(true)}>{t('add_field')}</Button>}>
      <p class="faint pad-x">{t('own_fields_hint')}</p>
      {!own.length ? <Empty icon="edit" title={t('no_own_fields')} /> : <ul class="imports">{own.map(([d, f]) => <li><strong>{title(f)}</strong><span class="faint">{title(d)} · {t(`kind_${f.kind}` as Key)}</span><span class="badges"><Button small kind="quiet" icon="trash" aria-label={`${t('remove')}: ${title(f)}`} onClick={() => { api(`docs/${d.name}/fields/${f.name}`, { method: 'DELETE' }).then(() => { toast(t('field_removed')); askAgain() }).catch((e: Error) => toast(e.message, 'critical')) }} /></span></li>)}</ul>}
      {making && <Dialog title={t('add_field')} onClose={() => setMaking(false)}>
        <div class="pad-x"><div class="field"><label for="own-kind">{t('kind')}</label><select id="own-kind" value={kind} onChange={(e) => setKind(e.currentTarget.value as FieldKind)}>{kinds.map((k) => <option value={k}>{t(`kind_${k}` as Key)}</option>)}</select></div></div>
        <DocForm fields={fields} submit={t('add_field')} cancel={() => setMaking(false)} send={send} /></Dialog>}
    </Card>
  )
}
