declare module 'land:paths' {
  export const size: number
  export const region: [west: number, north: number, east: number, south: number]
  export const world: string
  export const worldStep: number
  export const fine: string
  export const fineStep: number
}
