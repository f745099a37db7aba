// How bad it is, in the words that help to choose, wherever one chooses.
import type { Severity } from '../api/types';

export const SEVERITIES: { id: Severity; name: string; means: string }[] = [
  { id: 'sev1', name: 'SEV 1', means: 'a disaster: most users, or their data' },
  { id: 'sev2', name: 'SEV 2', means: 'bad: many users notice' },
  { id: 'sev3', name: 'SEV 3', means: 'some users, or there is a way around' },
  { id: 'sev4', name: 'SEV 4', means: 'no user notices yet' },
];
