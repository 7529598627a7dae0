// All tests in order, and the servers they need.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { mock, type Mock } from '../dev/mock'
import { behaviourTests } from './behaviour'
import { documentTests } from './documents'
import { exploreTests } from './explore'
import { partnerTests } from './partners'
import { runAll, shotsTo, Skip, startBrowser, stopBrowser } from './harness'
import { pageTests } from './pages'
import { realTests, stopReal } from './real'
import './words'

export async function main({ root, words }: { root: string; words: string[] }): Promise<number> {
  shotsTo(join(root, 'build/screenshots'))
  const site = join(root, 'build/console')
  const made = spawnSync(process.execPath, [join(root, 'console/build.mjs')], { encoding: 'utf8' })
  if (made.status !== 0) { console.log(made.stderr); console.log('console: 0 passed, 1 failed, 0 skipped'); return 1 }
  try { await startBrowser() } catch (e) {
    if (!(e instanceof Skip)) throw e
    console.log(`skip  the browser tests: ${e.message}`)
  }
  let server: Mock | undefined
  if (existsSync(site)) server = await mock({ dir: site, port: 0 })
  behaviourTests(() => server!, () => site)
  documentTests(() => server!)
  exploreTests(() => server!)
  partnerTests(() => server!)
  pageTests(() => `http://127.0.0.1:${server!.port}`)
  realTests(root)
  const sum = await runAll(words)
  server?.close()
  await stopReal()
  await stopBrowser()
  console.log(`console: ${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
  return sum.failed ? 1 : 0
}
