// Every page in every look, over the mock: nothing overflows, nothing unfinished, no violation, no request elsewhere.
import { axe, equal, lookName, looks, open, settled, shot, signIn, test, tidy, visit } from './harness'

const pages: [name: string, path: string][] = [
  ['fleet', '/'], ['fleet-map', '/?view=map'], ['machine', '/things/press-07'], ['machine-all', '/things/press-09?range=all'], ['machine-offline', '/things/press-11'],
  ['alarms', '/alarms'], ['alarms-cleared', '/alarms?show=cleared'], ['predictions', '/predictions'], ['orders', '/orders'], ['order', '/orders/7'], ['order-late', '/orders/8'],
  ['records', '/docs'], ['parts', '/docs/part'], ['technicians', '/docs/technician'], ['maintenance', '/docs/maintenance?sort=-done_at'], ['record', '/docs/prediction/6'],
  ['operations', '/operations'], ['refused', '/operations/refused'], ['devices', '/operations/devices'], ['users', '/operations/users'], ['audit', '/operations/audit'], ['more', '/more'], ['nowhere', '/nowhere'],
]

export function pageTests(base: () => string) {
  for (const look of [...looks, { width: 820, lang: 'zh', theme: 'light' } as const]) {
    test(`pages: ${lookName(look)}`, async () => {
      const w = await open(base(), look)
      await axe(w.page, 'sign in')
      await shot(w.page, `mock-signin-${lookName(look)}`)
      await signIn(w.page, 'demo', 'demo')
      for (const [name, path] of pages) {
        await visit(w.page, base(), path)
        await w.page.waitForTimeout(150)
        await tidy(w.page, name)
        await axe(w.page, name)
        await shot(w.page, `mock-${name}-${lookName(look)}`)
      }
      equal(w.complaints, [], 'complaints')
      await w.close()
    })
  }
  for (const look of looks.filter((l) => l.width === 390)) {
    test(`pages: a technician's, ${lookName(look)}`, async () => {
      const w = await open(base(), look)
      await signIn(w.page, 'tech', 'tech')
      await w.page.waitForSelector('.work-card')
      await settled(w.page)
      await tidy(w.page, 'my work')
      await axe(w.page, 'my work')
      await shot(w.page, `mock-work-${lookName(look)}`)
      await w.page.locator('.work-card .btn.primary').first().tap()
      await w.page.waitForSelector('dialog[open]')
      await axe(w.page, 'finish')
      await shot(w.page, `mock-finish-${lookName(look)}`)
      equal(w.complaints, [], 'complaints')
      await w.close()
    })
  }
}
