// A small test runner and what the tests share: browsers of the looks we promise, axe, screenshots.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page, type Request } from 'playwright-core'

export interface Look { width: 1280 | 820 | 390; lang: 'zh' | 'en'; theme: 'light' | 'dark' }
export const looks: Look[] = ([1280, 390] as const).flatMap((width) => (['zh', 'en'] as const).flatMap((lang) => (['light', 'dark'] as const).map((theme) => ({ width, lang, theme }))))
export const lookName = (l: Look) => `${l.width === 390 ? 'phone' : l.width === 820 ? 'tablet' : 'desktop'}-${l.lang}-${l.theme}`
export const desk: Look = { width: 1280, lang: 'en', theme: 'light' }
export const phone: Look = { width: 390, lang: 'zh', theme: 'light' }

/** How long anything may take: a machine several times slower than ours, its processors busy with something else. */
export const patience_ms = 60_000

// Makes races visible: WEFT_TEST_SLOW=ms delays every answer of the API by up to so much, WEFT_TEST_THROTTLE=n makes the page's
// processor n times slower. Tests that read a page before it has what they read fail then.
const slow_ms = Number(process.env.WEFT_TEST_SLOW ?? 0)
const throttle = Number(process.env.WEFT_TEST_THROTTLE ?? 1)

interface Test { name: string; fn: () => Promise<void> | void }
const tests: Test[] = []
export function test(name: string, fn: Test['fn']) { tests.push({ name, fn }) }

export class Skip extends Error {}

export async function runAll(words: string[]): Promise<{ passed: number; failed: number; skipped: number }> {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const { name, fn } of tests) {
    if (words.length && !words.some((w) => name.includes(w))) continue
    const began = Date.now()
    try {
      await fn()
      sum.passed++
      console.log(`ok    ${name} (${Date.now() - began} ms)`)
    } catch (e) {
      if (e instanceof Skip) { sum.skipped++; console.log(`skip  ${name}: ${e.message}`); continue }
      sum.failed++
      console.log(`FAIL  ${name}\n      ${String(e instanceof Error ? e.stack : e).split('\n').filter((l) => !l.includes('node:internal')).slice(0, 14).join('\n      ')}`)
      for (const page of shown) console.log(`      shown: ${await lastSight(page, `failed-${sum.failed}`).catch(String)}`)
    } finally {
      for (const page of shown) await page.context().close().catch(() => {})      // what a failed test left open
      shown.clear()
    }
  }
  return sum
}

export function equal<T>(got: T, want: T, what = 'value') {
  if (JSON.stringify(got) !== JSON.stringify(want)) throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)
}
export function truth(got: unknown, what: string) { if (!got) throw new Error(`not so: ${what}`) }

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

/** Asks until the answer is what is wanted. A page is never read once: what it shows may be one request behind. */
export async function becomes<T>(get: () => Promise<T> | T, want: T, what = 'value', limit_ms = patience_ms) {
  const end = Date.now() + limit_ms
  for (let wait = 10; ; wait = Math.min(200, wait * 2)) {
    const got = await get()
    if (JSON.stringify(got) === JSON.stringify(want)) return
    if (Date.now() > end) equal(got, want, `${what}, after ${limit_ms} ms`)
    await pause(wait)
  }
}
/** The same for whatever must come true. */
export async function until(so: () => unknown, what: string, limit_ms = patience_ms) {
  const end = Date.now() + limit_ms
  for (let wait = 10; !await so(); wait = Math.min(200, wait * 2)) {
    if (Date.now() > end) throw new Error(`not so after ${limit_ms} ms: ${what}`)
    await pause(wait)
  }
}

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
export const chromiumPath = places.find((p): p is string => Boolean(p) && existsSync(p!))

let browser: Browser | undefined
export async function startBrowser() {
  if (!chromiumPath) throw new Skip('chromium is not installed (apt-get install chromium)')
  browser ??= await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
  return browser
}
export async function stopBrowser() { await browser?.close() }

/** What a page did that it should not have. */
export interface Watched { page: Page; context: BrowserContext; complaints: string[]; close: () => Promise<void> }

const shown = new Set<Page>()
async function lastSight(page: Page, name: string) {
  await page.screenshot({ path: join(shotDir, `${name}.png`), timeout: 5000 })
  return `${page.url()}: ${(await page.evaluate(() => document.body.innerText)).slice(0, 300).replace(/\s+/g, ' ')}`
}

export async function open(base: string, look: Look): Promise<Watched> {
  const b = await startBrowser()
  const small = look.width === 390
  const context = await b.newContext({
    viewport: { width: look.width, height: small ? 844 : 900 }, deviceScaleFactor: small ? 2 : 1, hasTouch: small, isMobile: small,
    locale: look.lang === 'zh' ? 'zh-CN' : 'en-GB', colorScheme: look.theme, timezoneId: 'Asia/Shanghai', reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(patience_ms)
  watchRequests(page)
  shown.add(page)
  page.on('close', () => shown.delete(page))
  if (slow_ms > 0) await context.route('**/api/v1/**', async (route) => { await pause(Math.random() * slow_ms); await route.continue().catch(() => {}) })
  if (throttle > 1) await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: throttle })
  const complaints: string[] = []
  page.on('pageerror', (e) => complaints.push(`script error: ${e.message}`))
  page.on('console', (m) => { if (m.type() === 'error' && !/Failed to load resource/.test(m.text())) complaints.push(`console: ${m.text()}`) })
  page.on('request', (r) => { if (!r.url().startsWith(base) && !r.url().startsWith('data:')) complaints.push(`request elsewhere: ${r.url()}`) })
  await page.goto(base)
  await page.waitForSelector('#user')
  return { page, context, complaints, close: () => context.close() }
}

export async function signIn(page: Page, user: string, password: string) {
  await page.fill('#user', user)
  await page.fill('#password', password)
  await page.click('button[type=submit]')
  await page.waitForSelector('.frame')
}

export async function visit(page: Page, base: string, path: string) {
  await page.goto(`${base}/#${path}`)
  await settled(page)
}
/** The page has its data: a heading stands, no skeleton is left and nothing is asked for any more. */
export async function settled(page: Page) {
  await quiet(page)      // the address may have changed just now, with the page before still standing
  await page.waitForSelector('main h1, .signin h1, main .empty')
  await page.waitForFunction(() => !document.querySelector('.skeleton'))
  await quiet(page)
}

const traffic = new WeakMap<Page, { open: Set<Request>; begun: number }>()
function watchRequests(page: Page) {
  const seen = { open: new Set<Request>(), begun: 0 }
  traffic.set(page, seen)
  page.on('request', (r) => { if (r.resourceType() !== 'eventsource') { seen.open.add(r); seen.begun++ } })
  page.on('requestfinished', (r) => { seen.open.delete(r) })
  page.on('requestfailed', (r) => { seen.open.delete(r) })
}
/** Every request has its answer (a test's own fetch too: read its body), the answers are drawn, and drawing them asked for nothing more. Before saying that something is not there. */
export async function quiet(page: Page) {
  const { open, begun } = { ...traffic.get(page)! }
  await until(() => open.size === 0, `${page.url()} has its answers`).catch((e: Error) => { throw new Error(`${e.message}: waits for ${[...open].map((r) => r.url()).join(' ')}`) })
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(drawn)))))
  const now = traffic.get(page)!
  if (now.open.size || now.begun !== begun) await quiet(page)
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
export async function axe(page: Page, where: string) {
  await quiet(page)
  await quiet(page)
  await page.evaluate(axeSource)
  const found = await page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: { run: (o: object) => Promise<{ violations: { id: string; help: string; nodes: { target: string[]; failureSummary?: string }[] }[] }> } }).axe.run
    return (await run({ resultTypes: ['violations'] })).violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(' ')} ${(n.failureSummary ?? '').split('\n').slice(1, 2).join('').trim()}`).join(' | ')}`)
  })
  equal(found, [], `axe at ${where}`)
}

/** Nothing sticks out, nothing unfinished shows. */
export async function tidy(page: Page, where: string) {
  await quiet(page)
  await quiet(page)
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  truth(over <= 0, `${where} is no wider than the window (sticks out by ${over} px)`)
  const text = await page.evaluate(() => document.body.innerText)
  const bad = /\bundefined\b|\bNaN\b|\[object |\bnull\b|Invalid Date/.exec(text)
  truth(!bad, `${where} shows no "${bad?.[0]}": …${bad ? text.slice(Math.max(0, bad.index - 60), bad.index + 30).replace(/\n/g, ' / ') : ''}`)
}

let shotDir = ''
export function shotsTo(dir: string) { shotDir = dir; mkdirSync(dir, { recursive: true }) }
export async function shot(page: Page, name: string) {
  await page.screenshot({ path: join(shotDir, `${name}.png`) })
}
