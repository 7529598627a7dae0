// The phone's fifth tab: everything that has no tab of its own.
import { t, title, type Key } from '../i18n'
import { useCell } from '../lib/cell'
import { isStaff, isTechnician, session, signOut } from '../lib/session'
import { PlatformClock, usePackTypes } from '../app'
import { useNotifications } from './notices'
import { Button } from '../ui/bits'
import { roleName } from './operations'
import { Choices } from '../ui/choices'
import { Icon, type IconName } from '../ui/icons'
import { PageHead } from '../ui/page'

export function More() {
  const who = useCell(session)
  const links: [Key, IconName, string][] = [['nav_parts', 'part', '#/docs/part'], ['nav_technicians', 'person', '#/docs/technician'], ['nav_docs', 'docs', '#/docs'], ['nav_explore', 'chart', '#/explore'], ['nav_sql', 'sql', '#/sql'], ['nav_sharing', 'share', '#/sharing']]
  if (isTechnician()) links.unshift(['nav_orders', 'order', '#/orders'])
  if (isStaff()) links.push(['nav_people', 'people', '#/people'], ['nav_packs', 'pack', '#/packs'], ['nav_operations', 'ops', '#/operations'])
  const unread = useNotifications().data?.unread ?? 0
  const groups = usePackTypes()
  return (
    <div class="page more">
      <PageHead title={t('nav_more')} />
      <section class="card person"><span class="avatar" aria-hidden="true">{who?.name.slice(0, 1).toUpperCase()}</span><span><strong>{who?.name}</strong><span class="faint">{who?.party} · {who?.roles.map(roleName).join(', ')}</span></span></section>
      <nav class="card menu" aria-label={t('my_account')}>
        <a href="#/account"><Icon name="person" size={22} /><span>{t('my_account')}</span><Icon name="right" size={18} /></a>
        <a href="#/notifications"><Icon name="bell" size={22} /><span>{t('notifications')}</span>{unread > 0 && <span class="count hot">{unread}</span>}<Icon name="right" size={18} /></a></nav>
      {groups.map((g) => <nav class="card menu" aria-label={g.label}><h2>{g.label}</h2>{g.types.map((d) => <a href={`#/docs/${d.name}`}><Icon name="docs" size={22} /><span>{title(d)}</span><Icon name="right" size={18} /></a>)}</nav>)}
      <nav class="card menu" aria-label={t('nav_more')}>{links.map(([key, icon, href]) => <a href={href}><Icon name={icon} size={22} /><span>{t(key)}</span><Icon name="right" size={18} /></a>)}</nav>
      <section class="card pad"><PlatformClock /></section>
      <Choices />
      <Button icon="out" class="wide" onClick={() => void signOut()}>{t('sign_out')}</Button>
    </div>
  )
}
