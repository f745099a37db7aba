// What admins are answered. See GET /api/v1/openapi.json.
import type { Person, Time } from '../api/types';

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
  services: Record<string, { owner: string | null; depends_on: string[] }>;
}

export type Scope = 'read' | 'respond' | 'admin';

export interface Token {
  id: string;
  person: Person;
  scope: Scope;
  label: string | null;
  issued_at: Time;
  expires_at: Time | null;
  current: boolean;
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
