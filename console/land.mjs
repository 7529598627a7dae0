// The land of the map as two SVG paths, drawn at build time from Natural Earth (public domain, package world-atlas):
// the world coarsely, and one region finely, where a zoomed map would otherwise show straight lines.
// Land only: no borders. Coordinates are whole Mercator units (the world is SIZE wide), each point relative to the last.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { geoMercator, geoStream } from 'd3-geo'
import { feature } from 'topojson-client'

const require = createRequire(import.meta.url)
export const SIZE = 65536
export const REGION = { west: 104, south: 17, east: 128, north: 44 }

const mercator = geoMercator().scale(SIZE / (2 * Math.PI)).translate([SIZE / 2, SIZE / 2]).precision(0)

function land(file) {
  const topology = JSON.parse(readFileSync(require.resolve(`world-atlas/${file}`), 'utf8'))
  return feature(topology, topology.objects.land)
}

// Rings of whole-unit points; `step` drops points nearer than that to the one kept before, `area` drops islets.
function rings(shape, projection, step, area) {
  const found = []
  let ring = null
  geoStream(shape, projection.stream({
    point(x, y) {
      const p = [Math.round(x / step) * step, Math.round(y / step) * step]
      const last = ring[ring.length - 1]
      if (!last || last[0] !== p[0] || last[1] !== p[1]) ring.push(p)
    },
    lineStart() { ring = [] },
    // Four points are the clip rectangle itself, which Antarctica's polygon leaves behind: no land of this region.
    lineEnd() { if (ring.length > 4 && extent(ring) >= area) found.push(ring) },
    polygonStart() {}, polygonEnd() {}, sphere() {},
  }))
  return found
}

function extent(ring) {
  let sum = 0
  ring.forEach((p, i) => { const q = ring[(i + 1) % ring.length]; sum += p[0] * q[1] - q[0] * p[1] })
  return Math.abs(sum) / 2
}

function path(found, step) {
  let out = ''
  let at = [0, 0]
  const rel = (p) => { const d = `${(p[0] - at[0]) / step},${(p[1] - at[1]) / step}`; at = p; return d }
  for (const ring of found) {
    const start = ring[0]
    out += `m${rel(start)}l${ring.slice(1).map(rel).join(' ').replaceAll(' -', '-').replaceAll(',-', '-')}z`
    at = start
  }
  return out
}

export function landModule() {
  const corner = mercator([REGION.west, REGION.north]).concat(mercator([REGION.east, REGION.south])).map(Math.round)
  const world = rings(land('land-50m.json'), mercator.clipExtent([[0, 0], [SIZE, SIZE]]), 64, 30000)
  const region = rings(land('land-10m.json'), mercator.clipExtent([corner.slice(0, 2), corner.slice(2)]), 4, 60)
  return `export const size=${SIZE};export const region=${JSON.stringify(corner)};`
    + `export const worldStep=64;export const world=${JSON.stringify(path(world, 64))};`
    + `export const fineStep=4;export const fine=${JSON.stringify(path(region, 4))};`
}
