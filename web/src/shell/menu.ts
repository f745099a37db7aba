/** What stands behind the reader's own face: a piece of its own, which nobody needs for the first paint. */
export const menu = async () => {
  const piece = await import('./Menu.svelte');
  piece.install();
  piece.keep();
  return piece;
};
