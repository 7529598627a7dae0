// What the pages do, over the mock.
import { gzipSync } from 'node:zlib'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { Mock } from '../dev/mock'
import { axe, becomes, desk, equal, open, phone, quiet, settled, shot, signIn, test, truth, until, visit, type Look } from './harness'

export function behaviourTests(of: () => Mock, site: () => string) {
  const base = () => `http://127.0.0.1:${of().port}`
  const as = async (user: string, look: Look, path = '/') => {
    const w = await open(base(), look)
    await signIn(w.page, user, user)
    await visit(w.page, base(), path)
    return w
  }
  const lines = async (page: Page, selector: string) => (await page.innerText(selector)).split('\n').filter(Boolean)
  const tap = async (page: Page, selector: string) => { await page.locator(selector).first().tap() }

  test('size: what the first page needs under 120 kB compressed, all files under 220', () => {
    const page = readFileSync(join(site(), 'index.html'), 'utf8')
    const gz = (f: string) => gzipSync(readFileSync(join(site(), f))).length
    const all = readdirSync(join(site(), 'assets'))
    // what the page names, and what those import before they run
    const first = new Set(all.filter((f) => page.includes(f)))
    for (const f of first) if (f.endsWith('.js')) for (const m of readFileSync(join(site(), 'assets', f), 'utf8').matchAll(/(?:from|import)"\.\/([\w.-]+)"/g)) first.add(m[1]!)
    const sum = (files: Iterable<string>) => [...files].reduce((n, f) => n + gz(join('assets', f)), gz('index.html'))
    truth(first.size >= 3, 'the page names its files')
    truth(sum(first) < 120_000, `${sum(first)} bytes at first`)
    truth(sum(all) < 220_000, `${sum(all)} bytes in all`)
  })

  test('sign in: refused with what the server says, then let in by the Enter key', async () => {
    const w = await open(base(), desk)
    await w.page.fill('#user', 'demo')
    await w.page.fill('#password', 'wrong')
    await w.page.keyboard.press('Enter')
    await w.page.waitForSelector('[role=alert]')
    await becomes(() => lines(w.page, '[role=alert]'), ['cannot sign in', 'user name or password is wrong'])
    await axe(w.page, 'refused sign in')
    await w.page.fill('#password', 'demo')
    await w.page.keyboard.press('Enter')
    await w.page.waitForSelector('.frame')
    await w.page.reload()
    await w.page.waitForSelector('.frame')
    await w.page.click('[aria-label="Sign out"]')
    await w.page.waitForSelector('#user')
    await w.close()
  })

  test('fleet: counted, told apart by shape, filtered, searched, sorted, and the address keeps it', async () => {
    const { page, close } = await as('demo', desk)
    await page.waitForSelector('.things li')
    await becomes(() => page.locator('.things li').count(), 20, 'machines')
    const shapes = await page.evaluate(() => new Set([...document.querySelectorAll('.figure.states .shape')].map((p) => p.getAttribute('d'))).size)
    equal(shapes, 4, 'shapes for four states')
    await page.selectOption('.filters select >> nth=0', 'offline')
    await page.waitForFunction(() => document.querySelectorAll('.things li').length === 1)
    await until(() => page.url().includes('state=offline'), 'the address has the filter')
    await page.reload()
    await page.waitForFunction(() => document.querySelectorAll('.things li').length === 1)
    await page.selectOption('.filters select >> nth=0', '')
    await page.fill('.search input', 'press-1')
    await page.waitForFunction(() => document.querySelectorAll('.things li').length === 10)
    await page.selectOption('.sort select', 'name')
    await page.waitForFunction(() => document.querySelector('.things strong')?.textContent === 'press-10')
    await page.fill('.search input', 'nothing like it')
    await page.waitForSelector('.empty')
    await close()
  })

  test('map: zooming in opens clusters, hovering tells, a click leads to the machine', async () => {
    const { page, close } = await as('demo', desk)
    await page.waitForSelector('.map .land')
    await page.waitForSelector('.crowd')
    const crowds = () => page.locator('.crowd').count()
    for (let i = 0; i < 8 && await crowds() > 0; i++) { await page.locator('.crowd').first().click(); await quiet(page) }
    await page.locator('.map').focus().catch(() => {})
    const pin = page.locator('.map a').first()
    await pin.hover()
    await page.waitForSelector('.tip .health')
    const name = (await pin.getAttribute('href'))!.split('/').pop()
    await pin.click()
    await page.waitForSelector('.machine-head')
    await becomes(() => page.innerText('h1'), name, 'page of the pin')
    await visit(page, base(), '/')
    await page.waitForSelector('.crowd')
    const before = await crowds()
    await page.locator('[aria-label="Zoom out"]').click()
    await page.locator('[aria-label="Zoom out"]').click()
    await until(async () => await page.locator('.crowd, .map a').count() <= before + 3, 'zooming out gathers')
    await page.locator('[aria-label="Show all"]').click()
    await becomes(() => crowds(), before, 'show all comes back')
    await until(async () => (await page.innerText('.map-foot')).includes('made up'), 'made-up positions are said to be made up')
    await close()
  })

  test('machine: charts, reasons, wear and history; the range asks for other points', async () => {
    const { page, close } = await as('demo', desk, '/things/press-07')
    await becomes(() => page.locator('.uplot canvas').count(), 4, 'charts')
    await until(async () => /Hydraulic pressure: now [\d.]+ bar/.test((await page.getAttribute('.chart >> nth=2 >> .plot', 'aria-label')) ?? ''), 'a chart says its figures')
    await until(async () => (await page.innerText('.machine-grid')).includes('3.4 deviations'), 'why the health is what it is')
    await until(async () => await page.locator('.timeline li').count() > 3, 'history')
    const asked = page.waitForRequest((r) => r.url().includes('series') && r.url().includes('metric=volt') && /from=2015-02-0/.test(r.url()))
    await page.click('.segments button:has-text("30 d")')
    await asked
    await until(() => page.url().includes('range=30d'), 'the address keeps the range')
    await until(async () => {      // a chart that is drawn anew has to be pointed at anew
      await page.locator('.chart .plot').first().hover({ position: { x: 90 + Math.random() * 60, y: 60 } })
      return /\d{2}:\d{2}/.test(await page.evaluate(() => document.querySelector('.readout')?.textContent ?? ''))
    }, 'the chart says the time pointed at')
    await page.click('.chips .chip:has-text("Repairs")')
    await page.waitForSelector('.timeline li.k-maintenance')
    await becomes(() => page.locator('.timeline li:not(.k-maintenance)').count(), 0, 'what is no repair')
    await close()
  })

  test('machine: new points arrive by themselves', async () => {
    const { page, close } = await as('demo', desk, '/things/press-02')
    await page.waitForSelector('.uplot canvas')
    const more = await page.waitForRequest((r) => r.url().includes('series') && /from=2015-03-08/.test(r.url()))
    truth(more.url().includes('window='), 'only the new end is asked for')
    await close()
  })

  test('report a fault: what is missing is said, then it is kept', async () => {
    const { page, close } = await as('demo', desk, '/things/press-03')
    await page.click('text=Report a fault')
    await page.waitForSelector('dialog[open]')
    await axe(page, 'fault form')
    await page.fill('dialog input[type=datetime-local]', '')
    await page.click('dialog button[type=submit]')
    await quiet(page)
    await until(async () => await page.locator('dialog[open]').count() === 1, 'the form stays while the time is missing')
    await page.fill('dialog input[type=datetime-local]', '2015-03-08T09:30')
    await page.selectOption('dialog select', 'comp4')
    await page.fill('dialog textarea', 'it rattles')
    await page.click('dialog button[type=submit]')
    await page.waitForSelector('.toast:has-text("Fault reported")')
    await page.waitForSelector('.timeline li.k-fault:has-text("it rattles")')
    await close()
  })

  test('alarm: acknowledged with a note', async () => {
    const { page, close } = await as('demo', desk, '/alarms')
    const group = (name: string) => page.locator(`section[aria-label="${name}"] li`)
    await group('Raised').first().waitFor()
    const [raised, seen] = [await group('Raised').count(), await group('Acknowledged').count()]
    await group('Raised').first().locator('button').click()
    await page.fill('dialog textarea', 'on the way')
    await page.click('dialog button[type=submit]')
    await becomes(() => group('Raised').count(), raised - 1, 'raised')
    await becomes(() => group('Acknowledged').count(), seen + 1, 'acknowledged')
    await until(async () => (await page.innerText('section[aria-label="Acknowledged"]')).includes('on the way'), 'the note shows')
    await page.click('.severity-counts button >> nth=0')
    await until(() => page.url().includes('severity=critical'), 'the severity filters')
    await close()
  })

  test('technician on a phone: lands on own work and finishes an order with three taps', async () => {
    const w = await open(base(), phone)
    await signIn(w.page, 'tech', 'tech')
    await w.page.waitForSelector('.work-card')
    await until(() => w.page.url().endsWith('#/work'), 'lands on own work')
    await settled(w.page)
    const before = await w.page.locator('.work-card').count()
    await tap(w.page, '.work-card .btn.primary:has-text("完工")')   // one
    await w.page.waitForSelector('dialog[open]')
    await until(async () => (await w.page.inputValue('dialog textarea >> nth=0')).length > 3, 'the likeliest finding is filled in')
    await tap(w.page, 'dialog .suggest .chip >> nth=1')             // two: another finding
    await tap(w.page, 'dialog button[type=submit]')                 // three
    await w.page.waitForSelector('.toast')
    await w.page.waitForFunction((n) => document.querySelectorAll('.work-card').length === n - 1, before)
    const sizes = await w.page.evaluate(() => [...document.querySelectorAll('.tabs a, .work-card .btn')].map((e) => e.getBoundingClientRect().height))
    truth(sizes.every((h) => h >= 44), `touch targets are large: ${sizes.map(Math.round).join(' ')}`)
    await w.close()
  })

  test('work order: dispatch wants a technician, and tells how far each is', async () => {
    const { page, close } = await as('demo', desk, '/orders/8')
    await page.click('.page-actions .btn.primary')
    await page.waitForSelector('dialog[open] select')
    await page.waitForFunction(() => document.querySelectorAll('dialog select')[0]!.children.length > 3)
    await until(async () => / km/.test(await page.innerText('dialog select >> nth=0')), 'distances')
    await page.click('dialog button[type=submit]')
    await quiet(page)
    await until(async () => await page.locator('dialog[open]').count() === 1, 'the form waits for a technician')
    await page.selectOption('dialog select >> nth=0', { index: 1 })
    await page.click('dialog button[type=submit]')
    await page.waitForSelector('.steps .now:has-text("Dispatched")')
    await page.waitForSelector('.timeline:has-text("Dispatch")')
    await until(async () => (await page.getAttribute('.promise-clock .ring', 'aria-label'))!.includes('On site in 2 h'), 'a promise clock says what it shows')
    await close()
  })

  test('records: made, changed, filtered, sorted and paged from the descriptor alone', async () => {
    const { page, close } = await as('demo', desk, '/docs/part')
    await page.click('.page-actions .btn.primary')
    await page.fill('dialog [name=code]', 'PN-9001')
    await page.fill('dialog [name=title_en]', 'Seal kit')
    await page.fill('dialog [name=on_hand]', '4')
    await page.click('dialog button[type=submit]')
    await page.waitForSelector('h1:has-text("Seal kit")')
    await page.click('.page-actions .btn:has-text("Change")')
    await page.fill('dialog [name=on_hand]', '7')
    const sent = page.waitForRequest((r) => r.method() === 'PATCH')
    await page.click('dialog button[type=submit]')
    const patch = await sent
    equal(patch.postDataJSON(), { on_hand: '7' }, 'only the change is sent, a decimal as text')
    equal((await patch.allHeaders())['if-match'], '"1"', 'with the version seen')
    await page.waitForSelector('dd:has-text("7 pcs")')
    await visit(page, base(), '/docs/maintenance')
    const rows = () => page.locator('tbody tr').count()
    await becomes(() => rows(), 50, 'first page')
    await page.click('text=Load more')
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length > 50)
    await page.click('th button:has-text("Machine")')
    await page.waitForFunction(() => document.querySelector('tbody td:nth-child(2)')?.textContent === 'press-01')
    await page.click('.doc-tools .btn:has-text("Filter")')
    await page.selectOption('.filter-bar select >> nth=0', 'component')
    await page.selectOption('.filter-bar select >> nth=1', '')
    await page.fill('#filter-value', 'comp2')
    await page.click('.filter-bar button[type=submit]')
    await page.waitForFunction(() => [...document.querySelectorAll('tbody td:nth-child(3)')].every((d) => d.textContent === 'Spindle bearing set'))
    await axe(page, 'filtered records')
    await page.click('.filter-bar .chip.on')
    await page.waitForFunction(() => document.querySelectorAll('.filter-bar .chip.on').length === 0)
    await close()
  })

  test('operations: a device is made, its password shown once; a refused message opens', async () => {
    const { page, close } = await as('demo', desk, '/operations/devices')
    await page.fill('[name=name]', 'press-99')
    await page.click('button[type=submit]')
    await page.waitForSelector('.secret:has-text("mock-device-secret")')
    await axe(page, 'secret')
    await page.keyboard.press('Escape')
    await page.waitForFunction(() => !document.querySelector('dialog[open]'))
    await page.click('.segments button:has-text("Users")')
    await page.click('text=Add a user')
    await page.fill('dialog [name=name]', 'wang')
    await page.selectOption('dialog select', 'worker')
    const sent = page.waitForRequest((r) => r.method() === 'POST' && r.url().endsWith('/users'))
    await page.click('dialog button[type=submit]')
    const body = (await sent).postDataJSON() as { name: string; password: string; roles: string[] }
    equal([body.name, body.roles], ['wang', ['worker']])
    truth(/^([a-z2-9]{4}-){3}[a-z2-9]{4}$/.test(body.password), 'the password is strong')
    await page.waitForSelector(`.secret:has-text("${body.password}")`)
    await page.keyboard.press('Escape')
    await page.click('.segments button:has-text("Refused data")')
    await page.click('.refused summary')
    await until(async () => (await page.innerText('.refused')).includes('"volt":"n/a"'), 'the payload')
    await close()
  })

  test('a viewer sees and changes nothing', async () => {
    const { page, close } = await as('view', desk, '/alarms')
    await page.waitForSelector('.alarm-list li')
    equal(await page.locator('.alarm-list button').count(), 0, 'buttons on alarms')
    await visit(page, base(), '/docs/part')
    await page.waitForSelector('tbody tr')
    equal(await page.locator('.page-actions .btn.primary').count(), 0, 'new')
    equal(await page.locator('.side a:has-text("Operations")').count(), 0, 'operations')
    await close()
  })

  test('language and theme: by the browser first, then as chosen, and remembered', async () => {
    const w = await open(base(), { ...desk, lang: 'zh' })
    await until(async () => (await w.page.innerText('button[type=submit]')) === '登录', 'Chinese by the browser')
    await w.page.click('.segments button:has-text("English")')
    await w.page.click('.segments button[aria-pressed]:has-text("Dark")')
    await becomes(() => w.page.innerText('button[type=submit]'), 'Sign in')
    const ground = () => w.page.evaluate(() => getComputedStyle(document.body).backgroundColor)
    await becomes(() => ground(), 'rgb(14, 20, 27)', 'dark ground')
    await w.page.reload()
    await w.page.waitForSelector('#user')
    await becomes(() => w.page.innerText('button[type=submit]'), 'Sign in')
    await becomes(() => ground(), 'rgb(14, 20, 27)', 'dark ground after a reload')
    await becomes(() => w.page.getAttribute('html', 'lang'), 'en')
    await w.close()
  })

  test('offline: a notice shows, and goes when the server is back', async () => {
    const { page, close } = await as('demo', desk)
    await page.waitForSelector('.things li')
    of().drop(Infinity)
    try {
      await page.waitForSelector('.offline')
      await axe(page, 'offline')
      await shot(page, 'mock-offline')
    } finally { of().drop(0) }
    await page.waitForFunction(() => !document.querySelector('.offline'))
    await close()
  })

  test('slow: skeletons at once, a progress bar after two seconds', async () => {
    const { page, close } = await as('demo', desk)
    // the page notes by its own clock when each came, so that a slow test does not blame a fast page
    await page.evaluate(() => {
      const came: Record<string, number> = (window as never as { came: Record<string, number> }).came = { asked: performance.now() }
      new MutationObserver(() => { for (const what of ['skeleton', 'progress']) if (document.querySelector('.' + what)) came[what] ??= performance.now() })
        .observe(document.body, { subtree: true, childList: true, attributes: true })
    })
    of().slow(1e9)
    try {
      await page.goto(`${base()}/#/docs/fault`)
      await page.waitForSelector('.progress')
    } finally { of().slow(0) }
    const came = await page.evaluate(() => (window as never as { came: Record<string, number> }).came)
    truth(came.skeleton! < came.progress!, 'the skeleton is first')
    truth(came.progress! - came.asked! >= 2000, 'no bar for two seconds')
    await settled(page)
    await page.waitForFunction(() => !document.querySelector('.progress'))
    await close()
  })

  test('a failing server: its words and a way to try again', async () => {
    const { page, close } = await as('demo', desk)
    of().fail('docs/prediction')
    try {
      await page.goto(`${base()}/#/predictions`)
      await page.waitForSelector('.problem')
      await becomes(() => lines(page, '.problem div'), ['store is busy', 'the disk is full; free some space and try again'])
      await axe(page, 'problem')
    } finally { of().fail(null) }
    await page.click('.problem .btn')
    await page.waitForSelector('.prediction')
    await close()
  })

  test('keyboard alone: skip link, navigation, dialog and back', async () => {
    const { page, close } = await as('demo', desk, '/things/press-03')
    await page.reload()
    await settled(page)
    await page.keyboard.press('Tab')
    await until(() => page.evaluate(() => document.activeElement?.className === 'skip'), 'first stop is the skip link')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Tab')
    await until(() => page.evaluate(() => document.activeElement?.className === 'back'), 'then the page')
    await page.locator('text=Request service').focus()
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog[open]')
    await until(() => page.evaluate(() => Boolean(document.activeElement?.closest('dialog'))), 'focus is in the dialog')
    await page.keyboard.press('Escape')
    await page.waitForFunction(() => !document.querySelector('dialog[open]'))
    await until(() => page.evaluate(() => document.activeElement?.textContent === 'Request service'), 'focus comes back')
    await close()
  })
}
