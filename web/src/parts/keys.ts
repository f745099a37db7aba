// Which keys somebody pressed, written the way the list of keys shows them: `d`, `g b`, `?`, `Ctrl K`, `Escape`.

/** How long the second key of two may take, in milliseconds. */
export const SECOND_KEY = 1_200;

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

/** The name of what was pressed, or null when it belongs to the browser. */
export function pressed(event: Pressed): string | null {
  const { key } = event;
  if (event.altKey || key === 'Shift' || key === 'Control' || key === 'Meta' || key === 'Dead') return null;
  // Apple keyboards say Meta where others say Ctrl.
  if (event.ctrlKey || event.metaKey)
    return key.length === 1 && !event.shiftKey ? `Ctrl ${key.toUpperCase()}` : null;
  if (event.shiftKey && key.length > 1) return null;
  return key;
}

/** Whether somebody is writing there: then letters are letters. */
export function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (
    target.isContentEditable ||
    target instanceof HTMLTextAreaElement ||
    target instanceof HTMLSelectElement
  )
    return true;
  const pressable = ['button', 'checkbox', 'radio', 'submit', 'reset', 'file', 'range', 'color'];
  return target instanceof HTMLInputElement && !pressable.includes(target.type);
}

/** A single letter or sign, which a slip of the finger or a voice can press by mistake. */
export function isPlain(keys: string): boolean {
  return keys.split(' ').every((key) => [...key].length === 1);
}
