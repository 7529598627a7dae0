// Bundles the tests and runs them: against the mock (every page, every look) and against the real server if it is built.
// Filter: npm test -- WORD…
import { build } from 'esbuild'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const file = join(here, '../node_modules/.cache/weft-test/suite.mjs')
await build({
  entryPoints: [join(here, 'suite.ts')], outfile: file, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning',
  packages: 'external', sourcemap: 'inline', jsx: 'automatic', jsxImportSource: 'preact',
})
process.setSourceMapsEnabled?.(true)
const { main } = await import(pathToFileURL(file).href)
process.exit(await main({ root: join(here, '../..'), words: process.argv.slice(2) }))
