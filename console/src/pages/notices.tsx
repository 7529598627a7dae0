// Notifications: what wants me, where else it goes, and the rules that make it.
import { useState } from 'preact/hooks'
import { said, t, title, type Key } from '../i18n'
import { api, enc } from '../lib/api'
import { useCell } from '../lib/cell'
import { docHref } from '../lib/docs'
import { number } from '../lib/format'
import { useQuery } from '../lib/query'
import { hasRole, session } from '../lib/session'
import { go, link } from '../router'
import { Badge, Button, Card, Empty, ErrorBox, Loaded, Segments, Time, toast } from '../ui/bits'
import { Dialog } from '../ui/dialog'
import { DocForm, plainField } from '../ui/form'
import { Icon } from '../ui/icons'
import { PageHead } from '../ui/page'

export interface Notification { id: number; at: string; read: boolean; text_en: string; text_zh: string; type: string | null; doc: { id: number; number: string } | number | null; rule: string | null }
export interface Notifications { items: Notification[]; unread: number }
export function useNotifications() {
  const who = useCell(session)
  return useQuery<Notifications>(who ? 'notifications' : null, { live: ['status', 'doc:agreement'], every: 8000 })
}

const tabs = ['list', 'channels', 'rules'] as const
type Tab = typeof tabs[number]
export function Notices({ tab }: { tab: string | undefined }) {
  const now: Tab = tabs.includes(tab as Tab) ? tab as Tab : 'list'
  const manage = hasRole('operator', 'manager')
  return (
    <div class="page notices">
      <PageHead title={t('notifications')} />
      {manage && <div class="scroll-x"><Segments<Tab> label={t('notifications')} value={now} onPick={(v) => go(link('notifications', v))} options={tabs.map((v) => ({ value: v, label: t(`tab_${v}`) }))} /></div>}
      {now === 'channels' && manage ? <Channels /> : now === 'rules' && manage ? <Rules /> : <List />}
    </div>
  )
}

function hrefOf(n: Notification): string | null {
  const id = n.doc !== null && typeof n.doc === 'object' ? n.doc.id : n.doc
  if (!n.type || !id) return null
  return n.type === 'agreement' ? link('sharing', id) : docHref(n.type, id)
}

function List() {
  const list = useNotifications()
  const top = list.data?.items[0]?.id
  const read = async (through: number) => { await api('notifications/read', { method: 'POST', body: { through } }).catch(() => {}); list.reload() }
  return (
    <Loaded of={list} rows={5}>{(d) => !d.items.length ? <Card><Empty icon="bell" title={t('no_notifications')}>{t('no_notifications_hint')}</Empty></Card> : (
      <Card title={d.unread ? t('n_unread', { n: d.unread }) : t('notifications')} action={d.unread > 0 && top !== undefined && <Button small icon="check" onClick={() => void read(top)}>{t('mark_read')}</Button>}>
        <ul class="notes">{d.items.map((n) => {
          const href = hrefOf(n)
          const inside = <><span class={`unread-dot${n.read ? '' : ' on'}`}>{!n.read && <span class="vh">{t('n_unread', { n: 1 })}</span>}</span><span><strong>{said(n)}</strong><span class="faint"><Time at={n.at} past /></span></span>{href && <Icon name="right" size={18} />}</>
          return <li key={n.id} class={n.read ? '' : 'fresh'}>{href ? <a class="plain" href={href}>{inside}</a> : <div>{inside}</div>}</li>
        })}</ul></Card>)}</Loaded>
  )
}

interface Channel { id: number; name: string; kind: string; target: string; events?: string[] | null }
const kinds = ['email', 'webhook', 'wecom', 'dingtalk', 'feishu'] as const
const kindWord = (k: string) => (kinds as readonly string[]).includes(k) ? t(`ch_${k}` as Key) : k
function Channels() {
  const list = useQuery<{ items: Channel[] }>('channels')
  const [adding, setAdding] = useState(false)
  const [tested, setTested] = useState<Record<number, { ok: boolean; detail: string } | 'busy'>>({})
  const test = async (c: Channel) => {
    setTested((all) => ({ ...all, [c.id]: 'busy' }))
    const got = await api<{ ok: boolean; detail: string }>(`channels/${c.id}/test`, { method: 'POST' }).catch((e: Error) => ({ ok: false, detail: e.message }))
    setTested((all) => ({ ...all, [c.id]: got }))
  }
  const fields = [
    plainField('kind', '方式', 'Kind', { kind: 'choice', required: true, choices: kinds.map((k) => ({ name: k, title_en: kindWord(k), title_zh: kindWord(k) })) }), plainField('name', '名称', 'Name', { required: true }),
    plainField('target', '地址（邮箱，或机器人的网址）', 'Address (e-mail, or the robot’s URL)', { required: true }), plainField('secret', '签名密钥（可不填）', 'Signing secret (optional)'),
  ]
  return (
    <Card title={t('tab_channels')} action={<Button small kind="primary" icon="plus" onClick={() => setAdding(true)}>{t('add_channel')}</Button>}>
      <p class="faint pad-x">{t('channels_hint')}</p>
      <Loaded of={list} rows={3}>{(d) => !d.items.length ? <Empty icon="bell" title={t('no_channels')} /> : <ul class="users channels">{d.items.map((c) => {
        const r = tested[c.id]
        return (
          <li key={c.id}><span class="avatar" aria-hidden="true"><Icon name="bell" size={17} /></span><span class="who-name"><strong>{c.name}</strong><span class="faint url">{kindWord(c.kind)} · {c.target}</span>
            {r && r !== 'busy' && <span role="status" class={r.ok ? 'good-text' : 'bad-text'}>{t(r.ok ? 'test_ok' : 'test_failed')}{r.detail && `: ${r.detail}`}</span>}</span>
            <span class="badges"><Button small busy={r === 'busy'} onClick={() => void test(c)}>{t('test')}</Button><Button small kind="quiet" icon="trash" aria-label={`${t('remove')}: ${c.name}`} onClick={() => { api(`channels/${c.id}`, { method: 'DELETE' }).then(() => { toast(t('channel_removed')); list.reload() }).catch((e: Error) => toast(e.message, 'critical')) }} /></span></li>)
      })}</ul>}</Loaded>
      {adding && <Dialog title={t('add_channel')} onClose={() => setAdding(false)}><DocForm fields={fields} submit={t('add_channel')} cancel={() => setAdding(false)} send={async (v) => { await api('channels', { method: 'POST', body: v }); setAdding(false); list.reload() }} /></Dialog>}
    </Card>
  )
}

interface Rule { name: string; title_en: string; title_zh: string; pack?: string; when?: string; enabled?: boolean; state?: string; last_run?: string | null; runs?: number; failures?: number; last_error?: string | null }
function Rules() {
  const list = useQuery<{ items: Rule[] }>('rules')
  const [busy, setBusy] = useState<string | null>(null)
  const [error, setError] = useState<unknown>(null)
  const isOn = (r: Rule) => r.enabled ?? r.state !== 'off'
  const flip = async (r: Rule) => {
    setBusy(r.name)
    setError(null)
    try { await api(`rules/${enc(r.name)}`, { method: 'POST', body: { enabled: !isOn(r) } }); await list.reload() } catch (e) { setError(e) }
    setBusy(null)
  }
  const when = (w: string | undefined) => w && ['change', 'alarm', 'schedule', 'event'].includes(w) ? t(`rule_when_${w}` as Key) : w ?? ''
  return (
    <Card title={t('tab_rules')}>
      <p class="faint pad-x">{t('rules_hint')}</p>
      <div class="pad-x"><ErrorBox error={error} /></div>
      <Loaded of={list} rows={3}>{(d) => !d.items.length ? <Empty icon="ops" title={t('no_rules')} /> : <ul class="users rules">{d.items.map((r) => (
        <li key={r.name}><span class="who-name"><strong>{title(r)}</strong><span class="faint">{[when(r.when), r.pack].filter(Boolean).join(' · ')} · {r.last_run ? <>{t('rule_last')} <Time at={r.last_run} past /></> : t('rule_never')}{r.runs !== undefined && ` · ${t('n_runs', { n: number(r.runs, 0) })}`}</span>
          {r.last_error && <span class="bad-text">{r.last_error}</span>}</span>
          <span class="badges">{Boolean(r.failures) && <Badge tone="warning">{t('n_failures', { n: r.failures! })}</Badge>}<button type="button" role="switch" class="switch" aria-checked={isOn(r)} aria-label={title(r)} disabled={busy === r.name} onClick={() => void flip(r)}><span /></button></span></li>))}</ul>}</Loaded>
    </Card>
  )
}
