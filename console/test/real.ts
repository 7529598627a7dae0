// The main job on the real server: the recorded fleet is played to its end, then people do their work in the console.
import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { axe, becomes, chromiumPath, desk, equal, lookName, looks, open, phone, quiet, settled, shot, signIn, Skip, test, tidy, truth, until, visit, type Look } from './harness'

interface Running { child: ChildProcess; base: string; logins: Record<string, string> }
let running: Running | undefined
let data = ''

/** Plays the whole recording, then starts the server on what it left: nothing moves any more while the tests look. */
async function start(root: string): Promise<Running> {
  if (running) return running
  const weft = join(root, 'build/weft')
  if (!existsSync(weft)) throw new Skip('build/weft is not built (make)')
  if (!chromiumPath) throw new Skip('chromium is not installed (apt-get install chromium)')
  data = mkdtempSync(join(tmpdir(), 'weft-console-'))
  await run(weft, ['demo', '--data', data, '--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0', '--until-idle'], 600_000)
  const child = spawn(weft, ['demo', '--data', data, '--http', '127.0.0.1:0', '--mqtt', '127.0.0.1:0'], { stdio: ['ignore', 'pipe', 'pipe'] })
  const text = await said(child, (t) => /http:\/\/[\d.]+:\d+/.test(t) && logins(t).admin !== undefined, 180_000)
  return running = { child, base: /http:\/\/[\d.]+:\d+/.exec(text)![0], logins: logins(text) }
}

/** "admin  k3v7q-…" in whatever the demo prints around it. */
function logins(text: string): Record<string, string> {
  const out: Record<string, string> = {}
  for (const [, user, password] of text.matchAll(/\b(admin|technician|viewer)\b[^\n]*?\b([a-z2-9]{5}-[a-z2-9]{5}-[a-z2-9]{5})\b/g)) out[user!] = password!
  return out
}

function said(child: ChildProcess, enough: (text: string) => boolean, limit_ms: number): Promise<string> {
  return new Promise((done, fail) => {
    let text = ''
    const timer = setTimeout(() => fail(new Error(`weft demo did not become ready in ${limit_ms} ms; it said:\n${text.slice(-2000)}`)), limit_ms)
    const hear = (chunk: Buffer) => { text += chunk; if (enough(text)) { clearTimeout(timer); done(text) } }
    child.stdout!.on('data', hear)
    child.stderr!.on('data', hear)
    child.on('exit', (code) => { clearTimeout(timer); fail(new Error(`weft demo ended with ${code}; it said:\n${text.slice(-2000)}`)) })
  })
}

function run(command: string, args: string[], limit_ms: number): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = '', wrong = ''
    const timer = setTimeout(() => child.kill('SIGKILL'), limit_ms)
    child.stdout.on('data', (c: Buffer) => { text += c })
    child.stderr.on('data', (c: Buffer) => { wrong += c })
    child.on('exit', (code) => { clearTimeout(timer); code === 0 ? done(text) : fail(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${wrong.slice(-2000)}`)) })
  })
}

export async function stopReal() {
  if (running) {
    const gone = new Promise((done) => running!.child.once('exit', done))
    running.child.kill('SIGTERM')
    await Promise.race([gone, new Promise((done) => setTimeout(done, 30_000))])
    running.child.kill('SIGKILL')
  }
  if (data) rmSync(data, { recursive: true, force: true })
}

/** A transition that asks, pressed and confirmed. */
async function press(page: Page, label: string) {
  await page.click(`.page-actions .btn:has-text("${label}")`)
  await page.click('dialog[open] button[type=submit]')
  await page.waitForSelector(`.toast:has-text("${label}")`)
}

/** Each width in each language, each language in each theme; the mock's pages are held in all eight. */
const four = looks.filter((l) => (l.width === 1280) === ((l.lang === 'zh') === (l.theme === 'light')))

export function realTests(root: string) {
  const as = async (user: string, look: Look) => {
    const server = await start(root)
    const w = await open(server.base, look)
    await signIn(w.page, user, server.logins[user]!)
    await settled(w.page)
    return { ...w, base: server.base }
  }

  test('real: sign in, fleet, machine, alarms, predictions and work orders, large and small, light and dark, in both languages', async () => {
    await start(root)
    for (const look of four) {
      const w = await as('admin', look)
      const name = lookName(look)
      await w.page.waitForSelector('.things li')
      await becomes(() => w.page.locator('.things li').count(), 20, 'machines')
      const see = async (what: string, path: string, wait: string) => {
        await visit(w.page, w.base, path)
        await w.page.waitForSelector(wait)
        await settled(w.page)
        await tidy(w.page, `${what} ${name}`)
        await axe(w.page, `${what} ${name}`)
        await shot(w.page, `${what}-${name}`)
      }
      await see('fleet', '/', '.things li')
      await see('fleet-map', '/?view=map', '.map .land')
      const machine = (await w.page.locator('.map a, .things a').first().getAttribute('href').catch(() => null))?.split('/').pop() ?? 'm-01'
      await see('machine', `/things/${machine}?range=30d`, '.uplot canvas')
      await becomes(() => w.page.locator('.uplot').count(), 4, 'charts')
      await until(async () => await w.page.locator('.timeline li').count() > 0, 'history')
      await see('alarms', '/alarms?show=cleared', '.alarm-list li')
      await see('predictions', '/predictions', '.prediction')
      await see('orders', '/orders?state=confirmed', '.order-card, .closed-list li')
      await see('order', '/orders/1', '.promise-clock')
      await see('parts', '/docs/part', 'tbody tr, .doc-cards li')
      await see('technicians', '/docs/technician', 'tbody tr, .doc-cards li')
      await see('operations', '/operations', '.replay')
      await see('users', '/operations/users', '.users li')
      await see('audit', '/operations/audit', '.audit li')
      equal(w.complaints, [], 'complaints')
      await w.close()
    }
  })

  test('real: a refused sign in says why', async () => {
    const server = await start(root)
    const { page, close } = await open(server.base, desk)
    await page.fill('#user', 'admin')
    await page.fill('#password', 'not this one')
    await page.click('button[type=submit]')
    await until(async () => (await page.innerText('[role=alert]')).length > 10, 'a reason')
    await close()
  })

  test('real: service is asked for, dispatched, and finished by the technician on a phone', async () => {
    const boss = await as('admin', desk)
    await visit(boss.page, boss.base, '/things/m-01')
    await boss.page.click('text=Request service')
    await boss.page.fill('dialog [name=title]', 'Oil under the press')
    await boss.page.selectOption('dialog [name=component]', { index: 3 })
    await boss.page.click('dialog button[type=submit]')
    await boss.page.waitForSelector('.steps')
    await boss.page.waitForSelector('.steps .now:has-text("Dispatched")')      // by the platform itself
    await boss.page.click('.page-actions .btn:has-text("Reassign")')
    await boss.page.waitForFunction(() => /01/.test(document.querySelector('dialog select')?.textContent ?? ''))
    const mine = await boss.page.locator('dialog select >> nth=0 >> option:has-text("01")').first().getAttribute('value')
    await boss.page.selectOption('dialog select >> nth=0', mine)
    await boss.page.click('dialog button[type=submit]')
    await boss.page.waitForSelector('.toast')
    await boss.page.waitForSelector('.steps .now:has-text("Dispatched")')
    await shot(boss.page, 'order-dispatched-desktop-en-light')

    const tech = await as('technician', phone)
    await until(() => tech.page.url().endsWith('#/work'), 'lands on own work')
    const card = tech.page.locator('.work-card', { hasText: 'Oil under the press' })
    await card.waitFor()
    await tidy(tech.page, 'my work')
    await axe(tech.page, 'my work')
    await shot(tech.page, 'work-phone-zh-light')
    await card.locator('.btn:has-text("到场")').tap()
    await card.locator('.btn:has-text("完工")').waitFor()
    await card.locator('.btn:has-text("完工")').tap()                 // one
    await tech.page.waitForSelector('dialog[open]')
    await axe(tech.page, 'finish')
    await shot(tech.page, 'finish-phone-zh-light')
    await tech.page.locator('dialog .suggest .chip').nth(1).tap()      // two
    await tech.page.locator('dialog button[type=submit]').tap()        // three
    await card.waitFor({ state: 'detached' })
    await boss.page.waitForSelector('.steps .now:has-text("Done")')    // told by the live stream, without a reload
    await until(async () => /in time/.test(await boss.page.innerText('.clock-row')), 'the promises are kept')
    await press(boss.page, 'Confirm')
    await boss.page.waitForSelector('.steps .now:has-text("Confirmed")')
    await shot(boss.page, 'order-confirmed-desktop-en-light')
    equal([...boss.complaints, ...tech.complaints], [], 'complaints')
    await boss.close()
    await tech.close()
  })

  test('real: an alarm is acknowledged', async () => {
    const { page, base, complaints, close } = await as('admin', desk)
    await visit(page, base, '/alarms')
    const buttons = page.locator('.alarm-list .btn:has-text("Acknowledge")')
    const before = await buttons.count()
    if (!before) throw new Skip('the recording leaves no alarm that waits for a person')
    await shot(page, 'alarms-open-desktop-en-light')
    await buttons.first().click()
    await page.fill('dialog textarea', 'looked at it')
    await page.click('dialog button[type=submit]')
    await page.waitForSelector('.toast')
    await page.waitForFunction((n) => [...document.querySelectorAll('.alarm-list .btn')].filter((b) => b.textContent?.includes('Acknowledge')).length === n - 1, before)
    equal(complaints, [], 'complaints')
    await close()
  })

  test('real: a viewer reads and cannot change', async () => {
    const { page, base, close } = await as('viewer', desk)
    await visit(page, base, '/alarms')
    await becomes(() => page.locator('.alarm-list .btn').count(), 0, 'buttons on alarms')
    await visit(page, base, '/docs/part')
    await becomes(() => page.locator('.page-actions .btn.primary').count(), 0, 'new')
    await close()
  })

  /** What the server of today answers: a page whose calls it does not know yet is not judged here. */
  const serves = async (page: Page, path: string) => page.evaluate(async (p) => { const r = await fetch('/api/v1/' + p); await r.text(); return ![404, 405].includes(r.status) }, path)

  test('real: a pack is installed from its folder, and its types have pages at once', async () => {
    const boss = await as('admin', desk)
    const { page } = boss
    await visit(page, boss.base, '/packs')
    await page.setInputFiles('.drop input[webkitdirectory]', join(root, 'packs/ceramics'))
    await page.waitForSelector('.plan li')
    await becomes(() => page.locator('.faults li.t-critical').count(), 0, 'faults')
    await axe(page, 'pack plan')
    await shot(page, 'real-pack-plan')
    await page.click('.imp-foot .btn:has-text("Install")')
    await page.waitForSelector('.pack:has-text("Ceramics")')
    await page.waitForSelector('.pack-menu a:has-text("Ceramics order")')
    await tidy(page, 'packs')
    await shot(page, 'real-packs')
    equal(boss.complaints, [], 'complaints')
    await boss.close()
  })

  test('real: an order of the pack is made with lines, computed, moved, commented, and its list grouped', async () => {
    const boss = await as('admin', desk)
    const { page, base } = boss
    if (!await serves(page, 'docs/ceramic_order')) throw new Skip('the ceramics pack is not installed')
    await visit(page, base, '/docs/ware')
    await page.click('.page-actions .btn.primary')
    await page.fill('dialog [name=name]', '青花碗')
    await page.fill('dialog [name=weight]', '0.350')
    await page.click('dialog button[type=submit]')
    await page.waitForSelector('h1:has-text("青花碗")')
    await visit(page, base, '/docs/ceramic_order')
    await page.click('.page-actions .btn.primary')
    await page.waitForSelector('dialog .line-grid tbody select')
    await page.fill('dialog [name=customer]', '江州百货')
    await page.fill('dialog [name=due]', '2026-12-24')
    await page.waitForFunction(() => (document.querySelector('dialog .line-grid select')?.children.length ?? 0) > 1)
    await page.selectOption('dialog .line-grid select', { index: 1 })
    await page.locator('dialog .line-grid [name=quantity]').first().fill('12')
    await page.locator('dialog .line-grid [name=price]').first().fill('8.50')
    await page.click('dialog button[type=submit]')
    await page.waitForSelector('.still tbody tr')
    await until(async () => (await page.innerText('main')).includes('¥102.00'), 'the sum is computed, exact')
    await tidy(page, 'order of the pack')
    await axe(page, 'order of the pack')
    await shot(page, 'real-ceramic-order')
    await page.click('.page-actions .btn:has-text("Confirm")')
    await page.waitForSelector('.steps .now:has-text("Confirmed")')
    if (await serves(page, 'docs/ceramic_order/1/comments')) {
      await page.fill('#comment', 'kiln 3')
      await page.click('.say .btn')
      await page.waitForSelector('.comments li:has-text("kiln 3")')
    }
    for (const [name, path] of [['list', '/docs/ceramic_order'], ['board', '/docs/ceramic_order?view=board'], ['ware', '/docs/ware'], ['firing', '/docs/firing'], ['place', '/docs/place'], ['event', '/docs/event']] as const) {
      await visit(page, base, path)
      await becomes(() => page.locator('.problem').count(), 0, `problems on ${name}`)
      await tidy(page, name)
      await axe(page, name)
      await shot(page, `real-docs-${name}`)
    }
    if (await page.evaluate(async () => { const r = await fetch('/api/v1/docs/ceramic_order?group=state'); await r.text(); return r.ok })) {
      await visit(page, base, '/docs/ceramic_order?group=state')
      await page.waitForSelector('.group-bars li')
      await until(async () => (await page.innerText('.group-bars')).includes('¥102.00'), 'the sum of the group')
    }
    equal(boss.complaints, [], 'complaints')
    await boss.close()
  })

  test('real: rows are imported from a file, checked, applied and undone', async () => {
    const boss = await as('admin', desk)
    const { page, base } = boss
    if (!await serves(page, 'imports')) throw new Skip('the server imports nothing yet')
    if (!await serves(page, 'docs/ware')) throw new Skip('the ceramics pack is not installed')
    await visit(page, base, '/import/ware')
    const text = '名称,单件重量\n' + Array.from({ length: 40 }, (_, i) => `碗 ${i},${i === 5 ? 'heavy' : '0.2'}`).join('\n')
    await page.setInputFiles('.wizard input[type=file]', { name: 'ware.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
    await page.waitForSelector('.mapping select')
    await becomes(() => page.locator('.mapping select').evaluateAll((all) => all.map((s) => (s as HTMLSelectElement).value)), ['name', 'weight'], 'columns recognised by their Chinese titles')
    await page.click('.radio-row label:has-text("Skip")')
    await page.click('.imp-foot .btn.primary')
    await page.waitForSelector('.imp-count')
    await becomes(async () => (await page.innerText('.imp-count')).replace(/\s+/g, ' '), '39 Ready 1 Wrong')
    await until(async () => (await page.innerText('.imp-errors tbody')).includes('heavy'), 'the value')
    await shot(page, 'real-import-faults')
    await page.click('.imp-foot .btn.primary')
    await page.waitForSelector('.empty:has-text("39 rows imported")')
    await page.click('text=Undo this import')
    await page.click('dialog button[type=submit]')
    await page.waitForSelector('.empty:has-text("Undone")')
    equal(boss.complaints, [], 'complaints')
    await boss.close()
  })

  test('real: a partner is invited, asks for data, the owner sees exactly what it gives and gives it; the look is on record; ended at once', async () => {
    const boss = await as('admin', desk)
    const { page, base } = boss
    if (!await serves(page, 'parties')) throw new Skip('the server knows one party only')
    if (!await serves(page, 'docs/ceramic_order')) throw new Skip('the ceramics pack is not installed')
    await visit(page, base, '/people/party')
    await page.waitForSelector('form .field')
    await axe(page, 'company')
    await page.click('.btn:has-text("Add a company")')
    await page.fill('dialog [name=name]', '江州百货')
    await page.fill('dialog [name=manager]', 'chen')
    await page.click('dialog button[type=submit]')
    await page.waitForSelector('.qr-sheet svg.qr path')
    const link = await page.innerText('.qr-sheet .url')
    await shot(page, 'real-invitation')

    const other = await open(base, phone)
    await other.page.goto(base + link.slice(link.indexOf('/#')))
    await other.page.waitForSelector('.join-title')
    await axe(other.page, 'join')
    await shot(other.page, 'real-join')
    if (!await other.page.inputValue('#user')) await other.page.fill('#user', 'chen')
    await other.page.fill('#password', 'kiln-and-wheel-2026')
    await other.page.tap('button[type=submit]')
    await other.page.waitForSelector('.frame')
    await visit(other.page, base, '/sharing/new')
    await other.page.locator('.type-list button').last().tap()
    await other.page.locator('.radio-row label >> nth=1').tap()                       // we ask
    await other.page.fill('#partner', 'Weft demo')
    await other.page.selectOption('.adds select', 'ceramic_order')
    for (const label of ['客户', '交货日期']) await other.page.locator(`.tick-list label:has(span:text-is("${label}"))`).tap()
    await other.page.fill('#purpose', '跟踪订单')
    await tidy(other.page, 'new agreement')
    await axe(other.page, 'new agreement')
    await other.page.locator('.decide .btn.primary').tap()
    await other.page.waitForSelector('.parties')

    await visit(page, base, '/sharing')
    await page.click('.ag-list .loud a')
    await page.waitForSelector('.consent .preview')
    await until(async () => { const seen = await page.innerText('.consent'); return ['Customer', 'Due', '江州百货'].every((w) => seen.includes(w)) }, 'the fields and a row')
    await quiet(page)
    truth(!(await page.innerText('.consent')).includes('¥102.00'), 'and nothing of the price')
    await until(async () => await page.locator('.warnings li').count() > 0, 'a warning that customers are told')
    await tidy(page, 'consent')
    await axe(page, 'consent')
    await shot(page, 'real-consent')
    await page.click('.decide .btn:has-text("Accept and give")')
    await page.waitForSelector('.page-head .badge:has-text("In force")')

    await visit(other.page, base, '/docs/ceramic_order')
    await other.page.selectOption('.owner-switch select', { index: 1 })
    await other.page.waitForSelector('.doc-cards li')
    await until(async () => (await other.page.innerText('.doc-cards')).includes('江州百货'), 'what the partner sees')
    truth(!(await other.page.innerText('.doc-cards')).includes('102'), 'and nothing of the price')
    await tidy(other.page, 'given')
    await axe(other.page, 'given')
    await shot(other.page, 'real-given')

    await visit(page, base, '/sharing/log')
    await page.waitForSelector('.looks li:has-text("江州百货")')
    await axe(page, 'log')
    await shot(page, 'real-log')
    await visit(page, base, '/sharing')
    await page.click('.ag-list li:has-text("江州百货") a')
    await page.click('.decide .btn:has-text("End it now")')
    await page.click('dialog button[type=submit]')
    await page.waitForSelector('.page-head .badge:has-text("Ended")')
    await other.page.reload()
    await other.page.waitForSelector('.problem')
    equal(boss.complaints, [], 'complaints')
    await other.close()
    await boss.close()
  })

  test('real: a worker scans the workplace’s code and reports a firing', async () => {
    const boss = await as('admin', desk)
    const { page, base } = boss
    if (!await serves(page, 'docs/firing')) throw new Skip('the ceramics pack is not installed')
    await visit(page, base, '/people/party')
    await page.waitForSelector('#party-links')
    if (!await page.isChecked('#party-links')) { await page.click('#party-links'); await page.click('form .btn.primary'); await page.waitForSelector('.toast') }
    await visit(page, base, '/people/workers')
    await page.fill('#wk-label', '3 号窑')
    await page.click('.radio-row label:has-text("Firing")')
    await page.click('.btn:has-text("Make the code")')
    await page.waitForSelector('.qr-sheet svg.qr')
    const link = await page.innerText('.qr-sheet .url')
    const worker = await open(base, phone)
    await worker.page.goto(base + link.slice(link.indexOf('/#')))
    await worker.page.waitForSelector('.workplace form')
    await worker.page.waitForFunction(() => !document.querySelector('.skeleton'))
    await tidy(worker.page, 'workplace')
    await axe(worker.page, 'workplace')
    await shot(worker.page, 'real-workplace')
    await worker.page.fill('[name=kiln]', 'm-01')
    await worker.page.fill('[name=loaded]', '240')
    await worker.page.tap('button[type=submit]')
    await worker.page.waitForSelector('.sent')
    await worker.close()
    await boss.close()
  })
}
