// Whether a hand is on something: the pointer is over it, or the keyboard in it. What stands there then must not move away
// from under it.
import { on } from 'svelte/events';

/** How long after a finger was lifted its tap may still be on its way, in milliseconds. */
const TAP = 500;

/** For an element; `changed` is told whenever something about it changed, and whether a hand is on it now. */
export function hand(changed: (on: boolean) => void): (node: HTMLElement) => () => void {
  return (node) => {
    let [pointed, within] = [false, false];
    let lifted: ReturnType<typeof setTimeout> | undefined;
    const tell = (): void => changed(pointed || within);
    const off = (): void => {
      pointed = false;
      tell();
    };
    on(node, 'pointerenter', () => {
      clearTimeout(lifted);
      pointed = true;
      tell();
    });
    // A finger leaves before its tap has done anything.
    on(node, 'pointerleave', ({ pointerType }) => {
      if (pointerType === 'mouse') off();
      else lifted = setTimeout(off, TAP);
    });
    on(node, 'focusin', () => {
      within = true;
      tell();
    });
    on(node, 'focusout', ({ relatedTarget }) => {
      within = relatedTarget instanceof Node && node.contains(relatedTarget);
      tell();
    });
    return () => clearTimeout(lifted);
  };
}
