// What the palette finds for what somebody typed.
import type { Summary } from '../api/types';
import type { Command } from '../parts/commands.svelte';

export type Found =
  { is: 'command'; command: Command } | { is: 'incident'; number: number; incident: Summary | null };

const FEW = 12;

function matches(words: string[], text: string): boolean {
  const lower = text.toLowerCase();
  return words.every((word) => lower.includes(word));
}

/** Commands by the words of their title; incidents by number (`465`, `#465`) or by words of theirs. */
export function find(typed: string, commands: Command[], incidents: Summary[]): Found[] {
  const words = typed.toLowerCase().split(/\s+/u).filter(Boolean);
  const number = /^#?([1-9]\d{0,8})$/.exec(typed.trim())?.[1];
  const does: Found[] = commands
    .filter((command) => matches(words, command.title))
    .map((command) => ({ is: 'command', command }));
  const open: Found[] = incidents
    .filter((one) =>
      number === undefined
        ? matches(words, `#${one.number} ${one.title ?? ''} ${one.services.join(' ')}`)
        : String(one.number).startsWith(number),
    )
    .sort((one, other) =>
      number === undefined
        ? 0
        : Number(String(other.number) === number) - Number(String(one.number) === number),
    )
    .map((incident) => ({ is: 'incident', number: incident.number, incident }));
  if (number === undefined) return [...does, ...open.slice(0, FEW)];
  // An ended incident is in no list, and has its page all the same.
  const exact = incidents.some((one) => String(one.number) === number);
  const go: Found[] = exact ? [] : [{ is: 'incident', number: Number(number), incident: null }];
  return [...go, ...open.slice(0, FEW), ...does];
}
