// The pages that ask over series and in SQL, over the mock.
import { readFileSync } from 'node:fs'
import type { Mock } from '../dev/mock'
import { asSql, column, linesOf, question, readAsked, topQuestion, writeAsked } from '../src/lib/explore'
import { csv } from '../src/lib/csv'
import { axe, desk, equal, lookName, looks, open, phone, shot, signIn, test, tidy, truth, visit, type Look } from './harness'

const HOUR = 3_600_000

test('explore: the address is the question, both ways', () => {
  for (const text of ['', 'metric=volt', 'model=model3&things=press-*%2Coven-7&tag=fleet%3DSouth&tag=site%3Da%3Db&metric=a&metric=b&range=7d&window=1h&fn=max&by=%40fleet&top=20', 'metric=volt&span=1425600000000-1425686400000&by=']) {
    equal(writeAsked(readAsked(new URLSearchParams(text))), new URLSearchParams(text).toString(), 'address')
  }
  equal(writeAsked(readAsked(new URLSearchParams('range=9y&window=3x&fn=drop&top=1e9&span=5-4&tag=x'))), '', 'nonsense is the default')
})
test('explore: the question and its SQL say the same, and quote what must be', () => {
  const a = readAsked(new URLSearchParams("things=press-*&tag=fleet=O'Neil&metric=cpu.idle{cpu=0}&window=1h"))
  equal(column('readings.velocity'), 'readings.velocity')
  equal(question(a, 0, HOUR, ['press-1']), {
    from: '1970-01-01T00:00:00.000Z', to: '1970-01-01T01:00:00.000Z', things: { names: ['press-1'], tags: { fleet: ["O'Neil"] } }, time_format: 'ms',
    stages: [{ window: '1h', by: ['thing'], select: { v0: 'avg("cpu.idle{cpu=0}")', low0: 'min("cpu.idle{cpu=0}")', high0: 'max("cpu.idle{cpu=0}")' } }],
  } as never)
  equal(topQuestion(a, 0, HOUR).stages[0], { by: ['thing'], select: { top: 'avg("cpu.idle{cpu=0}")' }, order: ['-top'], limit: 10 })
  const sql = asSql(a, 0, HOUR)
  truth(sql.includes("s.thing GLOB 'press-*'") && sql.includes("value = 'O''Neil'") && sql.includes('/ 3600 * 3600'), 'SQL: ' + sql)
})
test('explore: lines come in the order of their groups, gaps and texts are nothing', () => {
  const a = readAsked(new URLSearchParams('metric=x'))
  const lines = linesOf({ columns: [{ name: 'thing' }, { name: 'time' }, { name: 'v0' }, { name: 'low0' }, { name: 'high0' }], rows: [['b', 2, 5, 4, 6], ['a', 1, 'on', null, null], ['b', 1, true, 0, 1]] }, a, 0, ['b', 'c', 'a'])
  equal(lines, [{ name: 'b', points: [{ at: 1, v: 1, low: 0, high: 1 }, { at: 2, v: 5, low: 4, high: 6 }] }])
})
test('csv: quotes, nothing, and no formulas', () => equal(csv(['a', 'b,c'], [['=1+1', null], ['"x"', -2], ['温度', true]]), 'a,"b,c"\r\n\'=1+1,\r\n"""x""",-2\r\n温度,true\r\n'))

export function exploreTests(server: () => Mock) {
  const base = () => `http://127.0.0.1:${server().port}`
  const as = async (user: string, look: Look, path: string) => {
    const w = await open(base(), look)
    await signIn(w.page, user, user)
    await visit(w.page, base(), path)
    return w
  }

  test('explore: chosen by hand, drawn, narrowed, shared by its address, saved as CSV', async () => {
    const { page, complaints, close } = await as('view', desk, '/explore')
    await page.waitForSelector('.explore .empty')
    await page.waitForFunction(() => document.querySelectorAll('#x-metric option').length > 3)
    await page.selectOption('#x-metric', 'volt')
    await page.waitForFunction(() => document.querySelectorAll('.plot-legend li').length === 10)
    await page.selectOption('#x-top', '5')
    await page.waitForFunction(() => document.querySelectorAll('.plot-legend li').length === 5)
    await page.fill('#x-names', 'press-07, press-1*')
    await page.press('#x-names', 'Enter')
    await page.selectOption('#x-top', '50')
    await page.waitForFunction(() => document.querySelectorAll('.plot-legend li').length === 10)
    await page.fill('#x-tag', 'fleet')
    await page.press('#x-tag', 'Enter')
    await page.waitForSelector('#x-tag-wrong')
    await page.fill('#x-tag', 'fleet=South')
    await page.press('#x-tag', 'Enter')
    await page.waitForFunction(() => [...document.querySelectorAll('.plot-legend li span')].every((x) => Number(x.textContent!.slice(-2)) % 3 === 1) && document.querySelectorAll('.plot-legend li').length === 5)
    await page.reload()
    await page.waitForFunction(() => document.querySelectorAll('.plot-legend li').length === 5)
    truth(page.url().includes('tag=fleet%3DSouth') && page.url().includes('metric=volt'), `the address keeps it: ${page.url()}`)
    await page.locator('.plot-legend button').first().click()
    await page.waitForSelector('.plot-legend button[aria-pressed=false]')
    await page.selectOption('#x-by', '@fleet')
    await page.waitForFunction(() => document.querySelector('.plot-legend li span')?.textContent === 'South')
    await page.click('.answer .segments button >> text=Table')
    await page.waitForSelector('.answer .grid')
    const [file] = await Promise.all([page.waitForEvent('download'), page.click('text=Download CSV')])
    const lines = readFileSync((await file.path())!, 'utf8').replace('\ufeff', '').trim().split('\r\n')
    equal(lines[0], 'Time,fleet,Voltage Average,Voltage Minimum,Voltage Maximum')
    truth(lines.length > 5 && /^2015-03-\d\dT\d\d:\d\d:00\.000Z,South,\d/.test(lines[1]!), `rows: ${lines[1]}`)
    await page.click('text=As a JSON question')
    await page.waitForFunction(() => JSON.parse(document.querySelector('.copyable pre')!.textContent!).stages[0].by[0] === '@fleet')
    equal(complaints, [], 'complaints')
    await close()
  })

  test('explore: a stretch drawn over the chart becomes the range', async () => {
    const { page, close } = await as('demo', desk, '/explore?metric=volt&range=7d&by=')
    await page.waitForSelector('.plot-many .u-over')
    const box = (await page.locator('.plot-many .u-over').boundingBox())!
    await page.mouse.move(box.x + box.width * 0.3, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 6 })
    await page.mouse.up()
    await page.waitForFunction(() => location.hash.includes('span='))
    const [from, to] = /span=(\d+)-(\d+)/.exec(page.url())!.slice(1).map(Number) as [number, number]
    truth(Math.abs((to - from) / (7 * 24 * HOUR) - 0.3) < 0.05, `a third of a week: ${(to - from) / HOUR} h`)
    await close()
  })

  test('explore: a slow question says how long it takes and can be stopped; a failing one is told', async () => {
    const { page, close } = await as('demo', desk, '/explore')
    await page.waitForFunction(() => document.querySelectorAll('#x-metric option').length > 3)
    server().slow(6000)
    try {
      await page.selectOption('#x-metric', 'volt')
      await page.waitForFunction(() => /for [2-9] s/.test(document.querySelector('.running')?.textContent ?? ''))
      await page.click('.running button')
      await page.waitForFunction(() => !document.querySelector('.running') && document.querySelector('.explore .empty strong')?.textContent === 'Stopped')
    } finally { server().slow(0) }
    server().fail('series/query')
    try {
      await page.click('text=Refresh')
      await page.waitForSelector('.problem[role=alert]')
    } finally { server().fail(null) }
    await page.click('.problem button')
    await page.waitForSelector('.plot-many')
    await page.waitForFunction(() => !document.querySelector('.problem'))
    await page.fill('#x-names', 'nobody-*')
    await page.press('#x-names', 'Enter')
    await page.waitForFunction(() => document.querySelector('.explore .empty strong')?.textContent === 'Nothing in this time')
    await close()
  })

  test('sql: written, run by keyboard, drawn, saved; a fault is marked; many rows stay few on the page', async () => {
    const { page, complaints, close } = await as('view', desk, '/sql')
    await page.waitForSelector('.table-list li')
    await page.selectOption('#sql-example', '0')
    await page.press('#sql-text', 'Control+Enter')
    await page.waitForSelector('.answer .grid tbody tr')
    truth(page.url().includes('/sql?q=SELECT'), 'the address keeps the statement')
    await page.fill('#sql-text', 'SELECT *\nFORM things')
    await page.click('.sql-editor .primary')
    await page.waitForSelector('.sql-place mark')
    equal(await page.textContent('.sql-place mark'), 'FORM')
    equal(await page.evaluate(() => { const e = document.querySelector<HTMLTextAreaElement>('#sql-text')!; return e.value.slice(e.selectionStart, e.selectionEnd) }), 'FORM', 'what is marked in the statement')
    await axe(page, 'sql, refused')
    await page.fill('#sql-text', 'SELECT * FROM many')
    await page.click('.sql-editor .primary')
    await page.waitForSelector('.cut-note')
    truth(await page.locator('.grid tbody tr').count() < 80, 'few rows stand in the page')
    await page.locator('.grid-box').evaluate((el) => { el.scrollTop = el.scrollHeight })
    await page.waitForFunction(() => document.querySelector('.grid')!.textContent!.includes('row 19999'))
    await page.selectOption('#sql-example', '2')
    await page.press('#sql-text', 'Control+Enter')
    await page.waitForSelector('.answer .segments')
    await page.click('.answer .segments button >> text=Chart')
    await page.waitForFunction(() => document.querySelectorAll('.plot-legend li').length === 3)
    await axe(page, 'sql, chart')
    await page.fill('#sql-text', 'SELECT name FROM nothing')
    await page.press('#sql-text', 'Control+Enter')
    await page.waitForFunction(() => document.querySelector('.sql-main .empty strong')?.textContent === 'No rows')
    await page.fill('#sql-text', '')
    await page.locator('.table-list summary').first().click()
    await page.click('.table-list [aria-label="Insert health"]')
    await page.waitForFunction(() => document.querySelector<HTMLTextAreaElement>('#sql-text')!.value === 'health')
    equal(complaints, [], 'complaints')
    await close()
  })

  for (const look of looks) {
    test(`explore and sql: answers, ${lookName(look)}`, async () => {
      const { page, complaints, close } = await as('demo', look, '/explore?metric=volt&metric=vibration&range=7d&top=5')
      await page.waitForFunction(() => document.querySelectorAll('.plot-many .u-over').length === 2)
      await page.waitForFunction(() => !document.querySelector('.running'))
      await tidy(page, 'explore')
      await axe(page, 'explore')
      await shot(page, `mock-explore-answer-${lookName(look)}`)
      await visit(page, base(), '/sql')
      await page.waitForSelector('.table-list li')
      await page.selectOption('#sql-example', '0')
      await page.click('.sql-editor .primary')
      await page.waitForSelector('.answer .grid tbody tr')
      await tidy(page, 'sql')
      await axe(page, 'sql')
      await shot(page, `mock-sql-answer-${lookName(look)}`)
      equal(complaints, [], 'complaints')
      await close()
    })
  }

  test('explore: a technician finds both pages under More on a phone', async () => {
    const { page, close } = await as('tech', phone, '/more')
    await page.locator('.menu a[href="#/explore"]').tap()
    await page.waitForSelector('.explore')
    await page.waitForFunction(() => document.querySelectorAll('#x-metric option').length > 3)
    await close()
  })
}
