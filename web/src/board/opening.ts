// What can be said when something is opened, in words, and as the API takes it.
import type { Kind, Severity } from '../api/types';

export type KindId = Kind | 'investigation';

interface KindOfOpening {
  id: KindId;
  name: string;
  means: string;
  does: string;
  kind: Kind;
  investigate: boolean;
}

export const KINDS: [KindOfOpening, ...KindOfOpening[]] = [
  {
    id: 'incident',
    name: 'An incident',
    means: 'you command until you hand over',
    does: 'Declare',
    kind: 'incident',
    investigate: false,
  },
  {
    id: 'investigation',
    name: 'Not declared yet: an investigation',
    means: 'you look into it, the clock runs',
    does: 'Open the investigation',
    kind: 'incident',
    investigate: true,
  },
  {
    id: 'planned',
    name: 'Planned',
    means: 'an operation, run the same way',
    does: 'Open the operation',
    kind: 'planned',
    investigate: false,
  },
  {
    id: 'drill',
    name: 'A drill',
    means: 'nobody outside hears of it',
    does: 'Start the drill',
    kind: 'drill',
    investigate: false,
  },
];

/** The names in a line of them, each once. */
export function namesOf(line: string): string[] {
  return [
    ...new Set(
      line
        .toLowerCase()
        .split(/[\s,;]+/u)
        .filter(Boolean),
    ),
  ];
}

/** The body of POST /incidents, without its request id. */
export function openingOf(title: string, severity: Severity, services: string, what: KindOfOpening) {
  return {
    title: title.trim(),
    severity,
    services: namesOf(services),
    kind: what.kind,
    investigate: what.investigate,
  };
}
