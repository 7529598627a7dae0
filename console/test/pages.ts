// Every page in every look, over the mock: nothing overflows, nothing unfinished, no violation, no request elsewhere.
import { axe, equal, lookName, looks, open, settled, shot, signIn, test, tidy, visit } from './harness'

const pages: [name: string, path: string][] = [
  ['fleet', '/'], ['fleet-map', '/?view=map'], ['machine', '/things/press-07'], ['machine-all', '/things/press-09?range=all'], ['machine-offline', '/things/press-11'],
  ['alarms', '/alarms'], ['alarms-cleared', '/alarms?show=cleared'], ['predictions', '/predictions'], ['orders', '/orders'], ['order', '/orders/7'], ['order-late', '/orders/8'],
  ['records', '/docs'], ['parts', '/docs/part'], ['technicians', '/docs/technician'], ['maintenance', '/docs/maintenance?sort=-done_at'], ['record', '/docs/prediction/6'],
  ['operations', '/operations'], ['refused', '/operations/refused'], ['devices', '/operations/devices'], ['users', '/operations/users'], ['audit', '/operations/audit'], ['more', '/more'], ['nowhere', '/nowhere'],
]

/** Pages for documents, sharing and people: each width in each language and each language in each theme, in turn. */
const further: [name: string, path: string][] = [
  ['docs-order', '/docs/order'], ['docs-bars', '/docs/order?group=customer'], ['docs-board', '/docs/order?view=board'], ['docs-map', '/docs/order?view=map'], ['doc', '/docs/order/63'], ['found', '/docs?q=Nordlicht'],
  ['import', '/import/order'], ['given-list', '/docs/order?agreement=AG-000003'], ['sharing', '/sharing'], ['sharing-received', '/sharing/received'], ['agreement', '/sharing/1'], ['agreement-received', '/sharing/3'], ['log', '/sharing/log'], ['ledger', '/sharing/ledger'],
  ['agreement-new', '/sharing/new'], ['members', '/people'], ['workers', '/people/workers'], ['tokens', '/people/tokens'], ['company', '/people/party'], ['packs', '/packs'], ['account', '/account'],
  ['explore', '/explore?metric=volt&metric=vibration&range=7d&top=5'], ['explore-table', '/explore?things=press-0*&metric=pressure&view=table'], ['explore-empty', '/explore'], ['sql', '/sql'],
  ['notifications', '/notifications'], ['channels', '/notifications/channels'], ['rules', '/notifications/rules'],
]
const inFour = (width: number, lang: string, theme: string) => (width === 1280) === ((lang === 'zh') === (theme === 'light'))

export function pageTests(base: () => string) {
  for (const look of [...looks, { width: 820, lang: 'zh', theme: 'light' } as const]) {
    test(`pages: ${lookName(look)}`, async () => {
      const w = await open(base(), look)
      await axe(w.page, 'sign in')
      await shot(w.page, `mock-signin-${lookName(look)}`)
      await signIn(w.page, 'demo', 'demo')
      const mine = further.filter((_, i) => look.width !== 820 && inFour(look.width, look.lang, look.theme) === (i % 2 === 0))
      for (const [name, path] of [...pages, ...mine]) {
        await visit(w.page, base(), path)
        await settled(w.page)
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
