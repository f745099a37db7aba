// Where the keyboard goes on when what it was on is gone: where the hand was, and not at the top of the page.

/** From an element to the nearest things that may still be there later: it, its row, the row below that, and above, the
 * heading of its list, and the page. */
export function around(at: Element): HTMLElement[] {
  const row = at.closest('li');
  const near = [at, row, row?.nextElementSibling, row?.previousElementSibling];
  return [...near, at.closest('.listing')?.querySelector('h3'), document.querySelector('main')].filter(
    (one) => one instanceof HTMLElement,
  );
}

/** The keyboard goes to the first of them that takes it. */
export function stay(places: HTMLElement[]): void {
  for (const place of places) {
    if (!place.isConnected) continue;
    // What is nothing to press takes the keyboard now, and not whenever somebody clicks it.
    const lent = place.tabIndex < 0 && !place.hasAttribute('tabindex');
    const back = (): void => place.removeAttribute('tabindex');
    if (lent) place.tabIndex = -1;
    place.focus({ preventScroll: true });
    const there = document.activeElement === place;
    if (lent && there) place.addEventListener('blur', back, { once: true });
    else if (lent) back();
    if (there) return;
  }
}
