// Everything that can be done from where the reader is: the palette lists it, the keys run it. Each page offers its
// own while it is shown.
import { untrack } from 'svelte';
import { SECOND_KEY, isPlain, isTyping, pressed } from './keys';

export interface Command {
  id: string;
  /** What it does, as a sentence without a full stop: "Declare an incident". */
  title: string;
  /** `d`, two in a row as `g b`, `Ctrl K`, or a key's name such as `Escape`. */
  keys?: string;
  /** Of use by its keys alone, so the palette leaves it out. */
  quiet?: boolean;
  run: () => void;
}

const SWITCH = 'wardroom.single-keys';

class Commands {
  /** Those offered last come first. */
  all: Command[] = $state.raw([]);
  /** Single letters can be switched off, for those whose voice or hand presses them by mistake. */
  singleKeys: boolean = $state(remembered());

  #before = '';
  #beforeAt = 0;

  constructor() {
    document.addEventListener('keydown', (event) => this.#key(event));
  }

  setSingleKeys(on: boolean): void {
    this.singleKeys = on;
    try {
      localStorage.setItem(SWITCH, on ? 'on' : 'off');
    } catch {
      // It holds until the page is closed.
    }
  }

  #key(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    const key = pressed(event);
    const chord = key?.startsWith('Ctrl ') ?? false;
    if (key === null || (!chord && isTyping(event.target)) || busyElsewhere(event.target)) return;
    const two = event.timeStamp - this.#beforeAt < SECOND_KEY ? `${this.#before} ${key}` : null;
    const command = this.#of(two) ?? this.#of(key);
    this.#before = command ? '' : key;
    this.#beforeAt = event.timeStamp;
    if (!command) return;
    event.preventDefault();
    command.run();
  }

  #of(keys: string | null): Command | undefined {
    if (keys === null || (isPlain(keys) && !this.singleKeys)) return undefined;
    return this.all.find((command) => command.keys === keys);
  }
}

/** Over a modal dialog only its own keys count. */
function busyElsewhere(target: EventTarget | null): boolean {
  const modal = document.querySelector('dialog:modal');
  return modal !== null && target instanceof Node && modal.contains(target);
}

function remembered(): boolean {
  try {
    return localStorage.getItem(SWITCH) !== 'off';
  } catch {
    return true;
  }
}

export const commands = new Commands();

/** What is offered. An effect that ends sees state as it was before, and would take others' offers back with its own. */
let there: Command[] = [];

/** Offers these until the returned function is called: `$effect(() => offer([…]))`. */
export function offer(offered: Command[]): () => void {
  const set = (next: Command[]) => untrack(() => void (commands.all = there = next));
  set([...offered, ...there]);
  return () => set(there.filter((command) => !offered.includes(command)));
}
