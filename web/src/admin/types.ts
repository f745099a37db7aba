// What admins are answered. See GET /api/v1/openapi.json.
import type { Person, Severity, Time } from '../api/types';

export interface Account {
  id: string;
  /** Null once the person was forgotten. */
  handle: string | null;
  name: string | null;
  email: string | null;
  admin: boolean;
  active: boolean;
  guest_of: number | null;
  last_seen_at: Time | null;
  has_password: boolean;
  sessions: number;
  tokens: number;
}

export interface Directory {
  people: {
    id: string;
    handle: string | null;
    name: string | null;
    active: boolean;
    guest_of: number | null;
  }[];
  teams: Record<string, { members: string[] }>;
  /** `enforced` is left out where a service's gate only observes. */
  services: Record<string, { owner: string | null; depends_on: string[]; enforced?: Severity[] }>;
}

/** GET /gate: what gates did lately. */
export interface GateReport {
  days: number;
  services: Gated[];
}

export interface Gated {
  service: string;
  owner: string | null;
  enforced: Severity[];
  held_by: number[];
  stopped: number;
  observed: number;
  /** After so many of these whoever asked told of an uncoordinated change there, or was seen to make one. */
  uncoordinated: number;
  /** The newest first. */
  last: {
    at: Time;
    /** Null for somebody whom nobody here knows; their name, once they are forgotten. */
    person: { name: string | null } | null;
    /** What they would have done; null once it was taken out. */
    what: string | null;
    /** How often that was asked within ten minutes. */
    times: number;
    incident: number;
    enforced: boolean;
    /** Null while that incident cannot be read. */
    uncoordinated: boolean | null;
  }[];
}

export type Scope = 'read' | 'respond' | 'gate' | 'admin';

export interface Token {
  id: string;
  person: Person;
  scope: Scope;
  label: string | null;
  issued_at: Time;
  expires_at: Time | null;
  current: boolean;
  /** When it last told of too many changes and was refused, within the last hour. */
  refused_at: Time | null;
}

/** Who else told of too much, for admins. */
export interface TooMuch {
  webhooks_refused: { source: string; refused_at: Time }[];
  forgotten_at: Time | null;
}

export interface Setting {
  name: string;
  value: string | null;
  from: 'flag' | 'variable' | 'file' | 'default';
}

export interface AuditEntry {
  entry: number;
  at: Time;
  by: Person | null;
  kind: string;
  told: string | null;
}
