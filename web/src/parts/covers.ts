// What sticks to an edge of the window covers what is under it: nothing that the keyboard or a link goes to is to hide there.

/** For an element at the window's upper (`--stuck`) or lower edge (`--dock`): base.css keeps so much free. */
export function covers(edge: '--stuck' | '--dock'): (node: HTMLElement) => () => void {
  return (node) => {
    const { style } = document.documentElement;
    const watch = new ResizeObserver(() => style.setProperty(edge, `${node.offsetHeight}px`));
    watch.observe(node);
    return () => {
      watch.disconnect();
      style.removeProperty(edge);
    };
  };
}
