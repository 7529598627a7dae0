export function realTests(_root: string) {}
export async function stopReal() {}
