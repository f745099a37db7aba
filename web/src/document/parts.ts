// The written parts of the state document: each is one `Y.Text` of the document, under this name.
import type { Person, Time } from '../api/types';

export const PARTS = ['summary', 'status', 'notes'] as const;
export type PartName = (typeof PARTS)[number];

export const TITLES: Record<PartName, string> = {
  summary: 'Summary',
  status: 'Detailed status',
  notes: 'Working notes',
};

/** When a part last changed, and by whom. */
export interface Changed {
  at: Time;
  by: Person | null;
}

/** Who writes under a client id of the document. */
export interface Author {
  id: string;
  handle: string;
  name: string;
}
