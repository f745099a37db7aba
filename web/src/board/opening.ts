// What can be said when something is opened, in words, and as the API takes it.
import type { Kind, Severity } from '../api/types';

export const SEVERITIES: { id: Severity; name: string; means: string }[] = [
  { id: 'sev1', name: 'SEV 1', means: 'a disaster: most users, or their data' },
  { id: 'sev2', name: 'SEV 2', means: 'bad: many users notice' },
  { id: 'sev3', name: 'SEV 3', means: 'some users, or there is a way around' },
  { id: 'sev4', name: 'SEV 4', means: 'no user notices yet' },
];

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
