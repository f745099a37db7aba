/** What stands behind the reader's own face: a piece of its own, which nobody needs for the first paint. */
export const menu = () => import('./Menu.svelte');
