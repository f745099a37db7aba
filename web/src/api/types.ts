// What the API answers, as far as the page reads it. See GET /api/v1/openapi.json.

export type Severity = 'sev1' | 'sev2' | 'sev3' | 'sev4';
export type Phase = 'investigating' | 'active' | 'mitigated' | 'resolved' | 'closed' | 'merged';
export type Kind = 'incident' | 'planned' | 'drill';
/** UTC, RFC 3339. */
export type Time = string;
/** `command`, `operations`, or with sub-roles `operations/database`. */
export type RolePath = string;

export interface Person {
  id: string;
  handle: string;
  name: string;
}

export interface Me {
  person: Person;
  admin: boolean;
  scope: 'read' | 'respond' | 'admin';
}

/** One line of the board. */
export interface Summary {
  number: number;
  title: string | null;
  kind: Kind;
  phase: Phase;
  severity: Severity;
  services: string[];
  commander: Person;
  commander_unseen_since: Time | null;
  opened_at: Time;
  phase_since: Time;
  next_due: Time | null;
  responders: number;
  last_entry: number;
}

export interface Offer {
  id: number;
  to: { person: Person } | { team: string };
  by: Person;
  at: Time;
  lapses_at: Time;
  note: string | null;
}

export interface Role {
  role: RolePath;
  holder: Person | null;
  since: Time | null;
  effective_holder: Person | null;
  members: Person[];
  offer: Offer | null;
  asked_by: Person[];
}

export interface Responder {
  person: Person;
  active: boolean;
  joined_at: Time;
  doing: { text: string | null; since: Time } | null;
  roles: RolePath[];
}

export interface Roadblock {
  id: number;
  role: RolePath;
  text: string | null;
  by: Person;
  at: Time;
}

export interface Entry {
  cursor: string;
  incident: number | null;
  entry: number;
  at: Time;
  actor: string;
  kind: string;
  body: Record<string, unknown>;
  /** One sentence, ready to be read. */
  told: string | null;
}

/** `code` is stable; `detail` is a sentence for a tired person. */
export interface Problem {
  status: number;
  code: string;
  detail: string;
  [more: string]: unknown;
}
