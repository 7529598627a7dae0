// The phone's fifth tab: everything that has no tab of its own.
import { t, type Key } from '../i18n'
import { useCell } from '../lib/cell'
import { isStaff, isTechnician, session, signOut } from '../lib/session'
import { PlatformClock } from '../app'
import { Button } from '../ui/bits'
import { roleName } from './operations'
import { Choices } from '../ui/choices'
import { Icon, type IconName } from '../ui/icons'
import { PageHead } from '../ui/page'

export function More() {
  const who = useCell(session)
  const links: [Key, IconName, string][] = [['nav_parts', 'part', '#/docs/part'], ['nav_technicians', 'person', '#/docs/technician'], ['nav_docs', 'docs', '#/docs']]
  if (isTechnician()) links.unshift(['nav_orders', 'order', '#/orders'])
  if (isStaff()) links.push(['nav_operations', 'ops', '#/operations'])
  return (
    <div class="page more">
      <PageHead title={t('nav_more')} />
      <section class="card person"><span class="avatar" aria-hidden="true">{who?.user.slice(0, 1).toUpperCase()}</span><span><strong>{who?.user}</strong><span class="faint">{who?.party} · {who?.roles.map(roleName).join(', ')}</span></span></section>
      <nav class="card menu" aria-label={t('nav_more')}>{links.map(([key, icon, href]) => <a href={href}><Icon name={icon} size={22} /><span>{t(key)}</span><Icon name="right" size={18} /></a>)}</nav>
      <section class="card pad"><PlatformClock /></section>
      <Choices />
      <Button icon="out" class="wide" onClick={() => void signOut()}>{t('sign_out')}</Button>
    </div>
  )
}
