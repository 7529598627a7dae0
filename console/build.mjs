// Builds the console into ../build/console (or --out DIR): index.html, assets/NAME-HASH.{js,css}, icons.
// --mock also builds dev/mock.ts and runs it; --watch rebuilds on change.
import { build, context } from 'esbuild'
import { mkdirSync, readFileSync, rmSync, writeFileSync, copyFileSync, readdirSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { landModule } from './land.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const flag = (name) => process.argv.includes(name)
const after = (name) => flag(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined
const out = resolve(here, after('--out') ?? '../build/console')

const landPlugin = {
  name: 'land',
  setup(b) {
    let contents
    b.onResolve({ filter: /^land:paths$/ }, () => ({ path: 'paths', namespace: 'land' }))
    b.onLoad({ filter: /.*/, namespace: 'land' }, () => ({ contents: contents ??= landModule(), loader: 'js' }))
  },
}

// What the bundle contains of others, with their terms.
function licenses() {
  const said = ['preact', 'uplot', 'world-atlas'].map((name) => {
    const dir = join(here, 'node_modules', name)
    const file = readdirSync(dir).find((f) => /^licen[cs]e/i.test(f))
    return `${name} ${JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')).version}\n\n${readFileSync(join(dir, file), 'utf8').trim()}\n`
  })
  return `The console of Weft contains:\n\n${said.join('\n' + '-'.repeat(72) + '\n\n')}\nThe land outline is drawn from Natural Earth, which is in the public domain.\n`
}

// The page itself: names the hashed files, so that they may be cached for ever.
const pagePlugin = {
  name: 'page',
  setup(b) {
    b.onStart(() => rmSync(join(out, 'assets'), { recursive: true, force: true }))
    b.onEnd((result) => {
      if (result.errors.length) return
      const made = readdirSync(join(out, 'assets'))
      const one = (start, end) => '/assets/' + made.find((f) => f.startsWith(start + '-') && f.endsWith(end))
      const page = readFileSync(join(here, 'public/index.html'), 'utf8')
        .replace('EARLY.js', one('early', '.js')).replace('MAIN.js', one('main', '.js')).replace('MAIN.css', one('main', '.css'))
      writeFileSync(join(out, 'index.html'), page)
      writeFileSync(join(out, 'licenses.txt'), licenses())
      for (const f of readdirSync(join(here, 'public'))) if (f !== 'index.html') copyFileSync(join(here, 'public', f), join(out, f))
    })
  },
}

const options = {
  absWorkingDir: here,
  entryPoints: { main: 'src/main.tsx', early: 'src/early.ts' },
  outdir: out,
  entryNames: 'assets/[name]-[hash]',
  chunkNames: 'assets/[name]-[hash]',
  bundle: true,
  format: 'esm',
  splitting: true,
  minify: !flag('--mock') && !flag('--watch'),
  sourcemap: flag('--mock') || flag('--watch') ? 'inline' : false,
  target: 'es2020',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  logLevel: 'warning',
  plugins: [landPlugin, pagePlugin],
}

mkdirSync(out, { recursive: true })
const began = Date.now()
if (flag('--watch')) {
  await (await context(options)).watch()
} else {
  await build(options)
  const files = ['index.html', ...readdirSync(join(out, 'assets')).map((f) => join('assets', f))]
  const sizes = files.map((f) => [f, gzipSync(readFileSync(join(out, f))).length])
  for (const [f, n] of sizes) console.log(`${String(n).padStart(7)} gz  ${f}`)
  console.log(`${String(sizes.reduce((a, [, n]) => a + n, 0)).padStart(7)} gz  in all, built in ${Date.now() - began} ms`)
}

if (flag('--mock')) {
  const file = join(here, '../build/console-mock/mock.mjs')
  await build({ entryPoints: [join(here, 'dev/mock.ts')], outfile: file, bundle: true, platform: 'node', format: 'esm', logLevel: 'warning' })
  const { mock } = await import(pathToFileURL(file).href)
  const { port } = await mock({ dir: out, port: Number(after('--port') ?? 8080) })
  console.log(`mock at 127.0.0.1:${port} (user demo, password demo), ${basename(out)}`)
}
