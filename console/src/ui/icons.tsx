// The console's own icons: strokes on a 24 grid, coloured by the text around them.
import type { JSX } from 'preact'

const paths = {
  fleet: 'M4 17V9l5 3V9l5 3V5h3l1 12M3 20h18',
  alarm: 'M12 4a6 6 0 0 1 6 6v4l2 3H4l2-3v-4a6 6 0 0 1 6-6zM10 20h4',
  predict: 'M3 17l5-6 4 3 4-7M16 7h5v5M3 21h18',
  order: 'M8 4h8v3H8zM8 5H5v16h14V5h-3M8.500 13l2.500 2.500 4.500-5',
  part: 'M12 3l8 4.500v9L12 21l-8-4.500v-9zM4 7.500l8 4.500 8-4.500M12 12v9',
  person: 'M12 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM5 20c.5-4 3.200-6 7-6s6.500 2 7 6',
  docs: 'M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6',
  ops: 'M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4M4 12h4M12 12h8M10 10v4',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16.500 16.500L21 21',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.400 1.400M17.600 17.600L19 19M19 5l-1.400 1.400M6.400 17.600L5 19',
  moon: 'M20 14.500A8.500 8.500 0 0 1 9.500 4a8.500 8.500 0 1 0 10.500 10.500z',
  system: 'M4 5h16v11H4zM9 20h6M12 16v4',
  out: 'M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  close: 'M6 6l12 12M18 6L6 18',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  up: 'M5 15l7-7 7 7',
  check: 'M5 12.500l5 5L19 7',
  pin: 'M12 21s7-6.200 7-11.500A7 7 0 0 0 5 9.500C5 14.800 12 21 12 21zM12 12a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5z',
  wrench: 'M14.500 6.500a4 4 0 0 1 5-2.800l-2.600 2.600 1.800 1.800 2.600-2.600a4 4 0 0 1-5.300 4.800L7.500 19a2 2 0 1 1-2.800-2.800l8.700-8.400z',
  bolt: 'M13 3L5 14h6l-1 7 8-11h-6z',
  clock: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.500 2',
  filter: 'M4 5h16l-6 8v6l-4-2v-4z',
  edit: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  truck: 'M3 6h11v10H3zM14 10h4l3 3v3h-7zM7 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM17.500 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  globe: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c3 3 3.800 6 3.800 9s-.8 6-3.800 9c-3-3-3.800-6-3.800-9S9 6 12 3z',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  link: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
  download: 'M12 4v12M7 11l5 5 5-5M4 20h16',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6',
  print: 'M7 9V3h10v6M7 17H4V9h16v8h-3M7 14h10v7H7z',
  qr: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2M20 14v2M14 20h2M20 18v2M17 17h.01',
  share: 'M8 12a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM22 6a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM22 18a3 3 0 1 1-6 0 3 3 0 0 1 6 0zM7.600 10.600l8.800-3.300M7.600 13.400l8.800 3.300',
  lock: 'M5 11h14v10H5zM8 11V7a4 4 0 0 1 8 0v4M12 15v2',
  eye: 'M2 12s3.600-7 10-7 10 7 10 7-3.600 7-10 7S2 12 2 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z',
  bell: 'M12 4a6 6 0 0 1 6 6v4l2 3H4l2-3v-4a6 6 0 0 1 6-6zM10 20h4M12 2v2',
  pack: 'M3 7l9-4 9 4v10l-9 4-9-4zM3 7l9 4 9-4M12 11v10M7.500 5l9 4',
  people: 'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2 20c.5-4 3-6 7-6s6.500 2 7 6M16 4.500a3.500 3.500 0 0 1 0 6.500M18 14.500c2.400.7 3.700 2.500 4 5.500',
  clip: 'M20 11l-8.500 8.500a5 5 0 0 1-7-7L13 4a3.400 3.400 0 0 1 4.800 4.800l-8.400 8.400a1.700 1.700 0 0 1-2.400-2.400L14.500 7',
  speech: 'M4 5h16v11H9l-5 4z',
  board: 'M4 4h4v16H4zM10 4h4v11h-4zM16 4h4v14h-4z',
  shield: 'M12 3l8 3v6c0 5-3.500 8-8 9-4.500-1-8-4-8-9V6zM8.500 12l2.500 2.500 4.500-5',
  key: 'M8 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM11.500 10.500L20 4M17 6l2.500 2.500M14.500 8l2 2',
  warn: 'M12 4L2.500 20h19zM12 10v4.500M12 17.300v.01',
  swap: 'M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4',
  chart: 'M4 4v16h16M7 15l4-5 3 3 5-7',
  sql: 'M12 9c4.400 0 8-1.300 8-3s-3.600-3-8-3-8 1.300-8 3 3.600 3 8 3zM4 6v12c0 1.700 3.600 3 8 3s8-1.300 8-3V6M4 12c0 1.700 3.600 3 8 3s8-1.300 8-3',
  menu: 'M4 6h16M4 12h16M4 18h16',
} as const

export type IconName = keyof typeof paths

export function Icon({ name, size = 20, ...rest }: { name: IconName; size?: number } & JSX.SVGAttributes<SVGSVGElement>) {
  return (
    <svg viewBox="0 0 24 24" width={size} height={size} fill="none" stroke="currentColor" stroke-width={name === 'more' ? 3 : 1.8}
      stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" {...rest}>
      <path d={paths[name]} />
    </svg>
  )
}

/** A state's shape, told apart without colour: disc with a tick, triangle, octagon, hollow ring. Drawn on a 16 grid around 0,0. */
export const stateShape = {
  ok: 'M0-7A7 7 0 1 1 0 7A7 7 0 1 1 0-7z',
  warning: 'M0-7.500L8 6.500H-8z',
  alarm: 'M-3-7.200H3L7.200-3V3L3 7.200H-3L-7.200 3V-3z',
  offline: 'M0-6A6 6 0 1 1 0 6A6 6 0 1 1 0-6z',
} as const
export const stateMark = {
  ok: 'M-3.200 .3l2.200 2.400L3.400-2.400',
  warning: 'M0-2.800V1.400M0 4.100v.01',
  alarm: 'M0-3.800V.6M0 3.800v.01',
  offline: 'M-3.500 3.500l7-7',
} as const

export function StateIcon({ state, size = 16 }: { state: keyof typeof stateShape; size?: number }) {
  return (
    <svg class={`state-icon s-${state}`} viewBox="-8.500 -8.500 17 17" width={size} height={size} aria-hidden="true">
      <path class="shape" d={stateShape[state]} />
      <path class="mark" d={stateMark[state]} />
    </svg>
  )
}

export function Logo({ size = 28 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true">
      <rect width="32" height="32" rx="7" fill="var(--accent-solid)" />
      <g fill="none" stroke-linecap="round" stroke-width="3" stroke="#fff">
        <path d="M10 6v20M16 6v20M22 6v20" opacity=".5" />
        <path d="M6 10h6.500M19.500 10H26M13 16h6M6 16h.5M25.500 16h.5M6 22h6.500M19.500 22H26" />
      </g>
    </svg>
  )
}
