// For those who run the platform: how it runs, what was refused, who and what may connect, who did what.
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { t, type Key } from '../i18n'
import { api, query } from '../lib/api'
import { useCell } from '../lib/cell'
import { useModels, useTypes } from '../lib/docs'
import { big, duration, number, percent } from '../lib/format'
import { status } from '../lib/live'
import { useQuery } from '../lib/query'
import { useDashboard } from '../lib/things'
import type { Dashboard } from '../lib/types'
import { go, link } from '../router'
import { Badge, Button, Card, Empty, ErrorBox, Segments, Skeleton, Time } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { DocForm, plainField, type Values } from '../ui/form'
import { PageHead } from '../ui/page'
import { actor, changes, deed, type AuditPage } from './audit'

const tabs = ['status', 'refused', 'devices', 'users', 'audit'] as const
type Tab = typeof tabs[number]
const word: Record<Tab, Key> = { status: 'ops_status', refused: 'ops_refused', devices: 'ops_devices', users: 'ops_users', audit: 'ops_audit' }

export function Operations({ tab }: { tab: string | undefined }) {
  const now: Tab = tabs.includes(tab as Tab) ? tab as Tab : 'status'
  const pages: Record<Tab, () => ComponentChildren> = { status: () => <StatusTab />, refused: () => <Refused />, devices: () => <Devices />, users: () => <Users />, audit: () => <Audit /> }
  return (
    <div class="page operations">
      <PageHead title={t('nav_operations')} />
      <div class="scroll-x"><Segments<Tab> label={t('nav_operations')} value={now} onPick={(v) => go(link('operations', v))} options={tabs.map((v) => ({ value: v, label: t(word[v]) }))} /></div>
      {pages[now]()}
    </div>
  )
}

function StatusTab() {
  const s = useCell(status)
  const board = useDashboard().data
  const tile = (label: string, value: ComponentChildren, hint?: ComponentChildren) => <section class="figure"><h2>{label}</h2><div class="line"><b class="num huge">{value}</b>{hint && <span class="faint">{hint}</span>}</div></section>
  if (!s) return <Skeleton rows={4} height={40} />
  const r = s.replay
  const part = r ? (Date.parse(r.at) - Date.parse(r.from)) / (Date.parse(r.to) - Date.parse(r.from) || 1) : 0
  return (
    <>
      <div class="figures">
        {tile(t('machines'), number(s.things, 0))}
        {tile(t('rows_kept'), big(s.rows_kept))}
        {tile(t('uptime'), duration(s.uptime_s * 1000))}
        {tile(t('version'), s.version)}
      </div>
      {r && <Card title={t('replay')} action={<Badge tone={r.done ? 'good' : 'info'}>{r.done ? t('replay_done') : t('replay_running')}</Badge>}>
        <div class="replay"><span class="bar t-info big" role="progressbar" aria-label={t('replay')} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(part * 100)}><span style={{ width: `${part * 100}%` }} /></span>
          <p class="faint num">{percent(part)} · {r.from.slice(0, 10)} → {r.at.slice(0, 10)} → {r.to.slice(0, 10)} · {t('replay_speed', { n: number(r.speed, 0) })}</p></div>
      </Card>}
      {board?.backtest && <Card title={t('backtest')}><Backtest of={board.backtest} /></Card>}
      <Card title={t('for_developers')}><ul class="links">
        <li><a href="/api/v1/openapi.json">OpenAPI 3.1</a><span class="faint">{t('openapi_hint')}</span></li>
        <li><a href="/metrics">/metrics</a><span class="faint">{t('metrics_hint')}</span></li>
        <li><a href="/healthz">/healthz</a><span class="faint">{t('healthz_hint')}</span></li>
        <li><a href="/licenses.txt">licenses.txt</a><span class="faint">{t('licenses_hint')}</span></li></ul></Card>
    </>
  )
}

const figures: [keyof NonNullable<Dashboard['backtest']>, Key, 'number' | 'percent' | 'time'][] = [
  ['trained_at', 'bt_trained', 'time'], ['things', 'bt_things', 'number'], ['failures', 'bt_failures', 'number'], ['tested', 'bt_tested', 'number'], ['recall', 'bt_recall', 'percent'],
  ['recall_24h', 'bt_recall_24h', 'percent'], ['false_alarms', 'bt_false', 'number'], ['false_alarms_per_machine_month', 'bt_false_rate', 'number'],
]
function Backtest({ of }: { of: NonNullable<Dashboard['backtest']> }) {
  return <dl class="rows">{figures.filter(([name]) => of[name] !== null && of[name] !== undefined).map(([name, key, kind]) => (
    <div><dt>{t(key)}</dt><dd class="num">{kind === 'time' ? <Time at={of[name]} both /> : kind === 'percent' ? percent(of[name] as number) : number(of[name] as number, 2)}</dd></div>))}</dl>
}

interface Refusal { id: number; at: string; device: string; topic: string; reason: string; bytes: number; payload: string }
function Refused() {
  const [before, setBefore] = useState<string[]>([])
  const list = useQuery<{ items: Refusal[]; next: string | number | null }>('dead-letters' + query({ before: before[before.length - 1], limit: 50 }), { live: before.length ? [] : ['status'], every: 5000, keep: true })
  if (list.error) return <ErrorBox error={list.error} retry={list.reload} />
  if (!list.data) return <Skeleton rows={6} height={36} />
  if (!list.data.items.length && !before.length) return <Card><Empty title={t('no_refused')}>{t('no_refused_hint')}</Empty></Card>
  return (
    <Card title={t('ops_refused')} action={<span class="faint">{t('refused_hint')}</span>}>
      <ul class="refused">{list.data.items.map((d) => (
        <li key={d.id}><details><summary><Badge tone="warning">{d.reason || t('refused')}</Badge><span class="src">{d.device || d.topic}</span><span class="faint"><Time at={d.at} both /></span></summary>
          <p class="faint">{d.topic} · {t('n_bytes', { n: number(d.bytes, 0) })}</p><pre tabIndex={0}>{d.payload}</pre></details></li>))}</ul>
      <Paging back={before.length ? () => setBefore(before.slice(0, -1)) : undefined} next={list.data.next ? () => setBefore([...before, String(list.data!.next)]) : undefined} />
    </Card>
  )
}
function Paging({ back, next }: { back?: () => void; next?: () => void }) {
  return back || next ? <p class="paging">{back && <Button small icon="left" onClick={back}>{t('newer')}</Button>}{next && <Button small onClick={next}>{t('older')}</Button>}</p> : null
}

/** What is shown once and never again: a password, a token. */
export function Secret({ of, close }: { of: Record<string, unknown>; close: () => void }) {
  const [copied, setCopied] = useState('')
  const copy = (k: string, v: string) => { void navigator.clipboard?.writeText(v).then(() => setCopied(k)) }
  return (
    <Dialog title={t('shown_once')} onClose={close}>
      <p>{t('shown_once_hint')}</p>
      <dl class="rows secret">{Object.entries(of).filter(([, v]) => typeof v === 'string' && v).map(([k, v]) => (
        <div><dt>{k}</dt><dd><code>{String(v)}</code> <Button small kind="quiet" icon={copied === k ? 'check' : 'copy'} aria-label={t('copy')} onClick={() => copy(k, String(v))} /></dd></div>))}</dl>
      <footer class="dialog-foot"><Button kind="primary" onClick={close}>{t('noted')}</Button></footer>
    </Dialog>
  )
}

const roles = ['operator', 'manager', 'technician', 'worker', 'viewer'] as const
const roleWord: Record<typeof roles[number], Key> = { operator: 'role_operator', manager: 'role_manager', technician: 'role_technician', worker: 'role_worker', viewer: 'role_viewer' }
export const roleName = (r: string) => r in roleWord ? t(roleWord[r as 'viewer']) : r
const roleChoices = () => roles.map((r) => ({ name: r, title_en: t(roleWord[r]), title_zh: t(roleWord[r]) }))

function Devices() {
  const models = useModels().data ?? []
  const [secret, setSecret] = useState<Record<string, unknown> | null>(null)
  const fields = [
    plainField('name', '设备名称', 'Machine name', { required: true }),
    plainField('model', '型号', 'Model', { kind: 'choice', choices: models.map((m) => ({ name: m.name, title_en: m.title_en, title_zh: m.title_zh })) }),
    plainField('gateway', '网关（代其他设备上报）', 'Gateway (reports for other machines)', { kind: 'bool' }),
  ]
  const send = async (v: Values) => {
    const made = await api<{ user: string; password: string }>('devices', { method: 'POST', body: v })
    setSecret({ [t('user')]: made.user, [t('password')]: made.password })
  }
  return (
    <Card title={t('add_device')}>
      <p class="faint pad-x">{t('add_device_hint')}</p>
      <DocForm key={secret ? 'again' : 'first'} fields={fields} submit={t('add_device')} send={send} />
      {secret && <Secret of={secret} close={() => setSecret(null)} />}
    </Card>
  )
}

/** A password that can be read out over the phone: 16 letters and digits, none easily mistaken. */
function password(): string {
  const letters = 'abcdefghjkmnpqrstuvwxyz23456789'
  const dice = crypto.getRandomValues(new Uint32Array(16))
  return Array.from(dice, (n, i) => (i > 0 && i % 4 === 0 ? '-' : '') + letters[n % letters.length]).join('')
}

interface User { id: number; name: string; roles: string[] }
function Users() {
  const list = useQuery<{ items: User[] }>('users')
  const [ask, setAsk] = useState<'user' | 'token' | null>(null)
  const [secret, setSecret] = useState<Record<string, unknown> | null>(null)
  const fields = [plainField(ask === 'token' ? 'user' : 'name', '用户名', 'User name', { required: true }), plainField('role', '角色', 'Role', { kind: 'choice', required: true, choices: roleChoices() })]
  const make = async (v: Values) => {
    if (ask === 'user') {
      const made = { name: v.name, password: password() }
      await api('users', { method: 'POST', body: { ...made, roles: [v.role] } })
      setSecret({ [t('user')]: made.name, [t('password')]: made.password })
    } else {
      const made = await api<{ token: string }>('tokens', { method: 'POST', body: v })
      setSecret({ [t('token')]: made.token })
    }
    setAsk(null)
    list.reload()
  }
  return (
    <Card title={t('ops_users')} action={<span class="badges"><Button small icon="plus" onClick={() => setAsk('token')}>{t('make_token')}</Button><Button small kind="primary" icon="plus" onClick={() => setAsk('user')}>{t('add_user')}</Button></span>}>
      <ErrorBox error={list.error} retry={list.reload} />
      {!list.data ? !list.error && <Skeleton rows={4} /> : <ul class="users">{list.data.items.map((u) => (
        <li key={u.id}><span class="avatar" aria-hidden="true">{u.name.slice(0, 1).toUpperCase()}</span><strong>{u.name}</strong>
          <span class="badges">{u.roles.map((r) => <Badge>{roleName(r)}</Badge>)}</span></li>))}</ul>}
      {ask && <Dialog title={t(ask === 'user' ? 'add_user' : 'make_token')} onClose={() => setAsk(null)}>
        <DocForm fields={fields} intro={t(ask === 'user' ? 'add_user_hint' : 'make_token_hint')} submit={t(ask === 'user' ? 'add_user' : 'make_token')} cancel={() => setAsk(null)} send={make} /></Dialog>}
      {secret && <Secret of={secret} close={() => setSecret(null)} />}
    </Card>
  )
}

function Audit() {
  const types = useTypes().data ?? []
  const [before, setBefore] = useState<string[]>([])
  const log = useQuery<AuditPage>('audit' + query({ before: before[before.length - 1], limit: 60 }), { live: before.length ? [] : ['status'], every: 6000, keep: true })
  if (log.error) return <ErrorBox error={log.error} retry={log.reload} />
  if (!log.data) return <Skeleton rows={8} />
  return (
    <Card title={t('ops_audit')} action={<span class="faint">{t('audit_hint')}</span>}>
      <ul class="audit">{log.data.items.map((r) => {
        const type = types.find((x) => x.name === r.type)
        const what = changes(r, type).map(([k, v]) => `${k} ${v}`).join(', ')
        return <li key={r.id}><span class="faint num"><Time at={r.at} both /></span><strong title={r.who}>{actor(r.who)}</strong><span>{deed(r.action, type)}</span><span>{type && /^[A-Z]+-\d+$/.test(r.target) ? <a href={r.type === 'work_order' ? link('orders', r.target) : link('docs', r.type, r.target)}>{r.target}</a> : r.target}</span><span class="faint detail" title={what}>{what}</span></li>
      })}</ul>
      <Paging back={before.length ? () => setBefore(before.slice(0, -1)) : undefined} next={log.data.next ? () => setBefore([...before, String(log.data!.next)]) : undefined} />
    </Card>
  )
}
