// Up and down in a list, for whoever stands on one of its lines: `{@attach arrows('[data-row]')}`.
import type { Attachment } from 'svelte/attachments';

/** Moves the keyboard among what `lines` selects, from the one that has it. */
export function arrows(lines: string): Attachment<HTMLElement> {
  return (list) => {
    const key = (event: KeyboardEvent) => {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const on = event.target instanceof HTMLElement && event.target.matches(lines);
      if (by === undefined || !on || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      step(list, lines, by);
    };
    list.addEventListener('keydown', key);
    return () => list.removeEventListener('keydown', key);
  };
}

/** One line further, or to the first or last one when the keyboard is elsewhere. */
export function step(list: HTMLElement, lines: string, by: number): void {
  const all = [...list.querySelectorAll<HTMLElement>(lines)];
  const at = all.findIndex((line) => line === document.activeElement);
  const elsewhere = by > 0 ? 0 : all.length - 1;
  all[at < 0 ? elsewhere : Math.min(Math.max(at + by, 0), all.length - 1)]?.focus();
}
