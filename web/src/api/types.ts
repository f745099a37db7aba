// What the API answers, as far as the page reads it. See GET /api/v1/openapi.json.
import type { Change, Differing, Permission, PermissionAsk } from './changes';
import type { Sighting, TellerCut } from './sightings';
import type { Criterion, DocumentView, Marked, Todo } from './document';

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
  /** A guest's ends with " (guest)". */
  name: string;
  /** Came by an invite, and is in one incident alone. */
  guest?: boolean;
  /** Of the example incident's cast. */
  scripted?: boolean;
}

export interface Me {
  person: Person;
  admin: boolean;
  scope: 'read' | 'respond' | 'admin';
  /** Null when a token, not a session, lets the reader in. */
  session?: { id: string; opened_at: Time } | null;
  /** The one incident that a guest is in. */
  guest_of: number | null;
}

/** Where somebody is signed in. */
export interface Session {
  id: string;
  device: string;
  opened_at: Time;
  last_seen_at: Time;
  current: boolean;
}

/** A passkey of the reader's. */
export interface Passkey {
  id: string;
  label: string | null;
  added_at: Time;
  used_at: Time | null;
  /** The name that it is bound to. */
  host: string | null;
}

/** What a passkey has to sign; bytes are in base64url. */
export interface ToSign {
  challenge: string;
  host: string;
  passkeys: string[];
}

/** What a passkey is made of. */
export interface ToMake {
  challenge: string;
  host: string;
  algorithms: number[];
  known: string[];
  user: { id: string; handle: string | null; name: string };
}

/** What a one-time link is for. */
export interface Link {
  kind: 'first_admin' | 'person';
  person: { handle: string; name: string } | null;
  expires_at: Time;
}

/** What a guest link tells before it is used. */
export interface GuestLink {
  invited_by: { name: string };
  expires_at: Time;
}

/** A guest link that was just made: the only time that its secret is told. */
export interface MadeInvite {
  id: string;
  path: string;
  expires_at: Time;
}

/** A link that lets guests in, as responders see it. */
export interface Invite {
  id: string;
  by: Person;
  made_at: Time;
  expires_at: Time;
  used: number;
  uses_max: number;
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
  /** There when the incident is restricted: who may know of it. */
  invited?: string[];
  last_entry: number;
}

/** The one thing that somebody should do next in an incident. People stand as their ids. */
export type Next =
  | { do: 'take'; role: RolePath; offer: number; by: string; lapses_at: Time }
  | { do: 'confirm'; proposal: number; by: string }
  | { do: 'still_with_us'; unseen_since: Time }
  | { do: 'confirm_change'; change: number; announced_at: Time }
  | { do: 'clear'; roadblock: number; by: string }
  | { do: 'sort_change'; change: number; by: string }
  | { do: 'sort_sighting'; sighting: number; service: string }
  | { do: 'see_sorted'; service: string; operations: string; waiting: number }
  | { do: 'come_in'; by: string; sighting: number; service: string }
  | { do: 'permit'; by: string; services: string[] }
  | { do: 'say_way_back'; change: number; due_at: Time }
  | { do: 'assume'; commander: string; unseen_since: Time | null }
  | { do: 'answer'; role: RolePath; by: string }
  | { do: 'offer_operations'; to: string[] }
  | { do: 'clock'; clock: number; due_at: Time }
  | { do: 'still_true'; due_at: Time }
  | { do: 'delegate'; role: RolePath; reports: number };

/** A reminder of what is one's own to do, by what it is about. */
export type Nudge =
  | { of: 'doing_both' }
  | { of: 'clock'; clock: number; due_at: Time }
  | { of: 'still_true'; due_at: Time }
  | { of: 'unconfirmed'; change: number; due_at: Time }
  | { of: 'way_back'; change: number; due_at: Time }
  | { of: 'span'; role: RolePath };

/** How a next step may come before its reader's eyes. */
export type Bring =
  | { how: 'at_once' }
  | { how: 'when_free'; nudge: Nudge }
  | { how: 'quietly'; nudge: Nudge; until: Time; put_off: boolean };

/** POST /incidents/N/prompts. */
export interface PromptAnswer {
  prompted: boolean;
  until: Time | null;
}

/** GET /next: the most urgent first. */
export interface NextAnswer {
  next: { incident: number; next: Next; prompt: Bring }[];
  people: Record<string, Person>;
}

/** GET /directory. */
export interface Directory {
  people: (Person & { admin: boolean; active: boolean; guest_of: number | null })[];
  teams: Record<string, unknown>;
  services: Record<string, unknown>;
}

/** What an accepted command did. */
export interface Accepted {
  incident: number;
  first_entry: number;
  last_entry: number;
  cursor: string;
}

export type Channel = 'push' | 'mail' | 'pager';

/** How far telling somebody by one way is. */
export interface Way {
  channel: Channel;
  state: 'due' | 'quiet' | 'refused' | 'failed' | 'accepted' | 'spared';
  at: Time;
  attempts: number;
  why: string | null;
}

/** Somebody who is to hear of an offer. */
export interface Told {
  person: Person;
  seen_at: Time | null;
  ways: Way[];
}

/** GET /me/reach. */
export interface Reach {
  channels: Channel[];
  quiet: { from: string; to: string; zone: string } | null;
  mail: { possible: boolean; address: string | null };
  pager: { host: string | null };
  push: {
    /** The server's public key: browsers are bound to it. */
    key: string;
    /** Those in which push is on; `here` is one that was turned on in the session that asks. */
    browsers: { id: string; device: string; added_at: Time; here: boolean }[];
  };
}

export interface Offer {
  id: number;
  to: { person: Person } | { team: string };
  by: Person;
  at: Time;
  lapses_at: Time;
  note: string | null;
  told: Told[];
}

/** What the reader may do with a role. */
export type RoleAct =
  | 'offer'
  | 'withdraw'
  | 'take'
  | 'decline'
  | 'ask'
  | 'take_back_ask'
  | 'release'
  | 'take_back'
  | 'open_under'
  | 'staff'
  | 'close';

export interface Role {
  role: RolePath;
  holder: Person | null;
  since: Time | null;
  /** Who answers for it, and by holding which role: itself, or one above. */
  effective_holder: Person | null;
  held_through: RolePath | null;
  may: RoleAct[];
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
  /** Of what whoever takes command has to have seen. */
  matters: boolean;
  /** Shown and read aloud as standing out. */
  stands_out: boolean;
}

/** `code` is stable; `detail` is a sentence for a tired person. */
export interface Problem {
  status: number;
  code: string;
  detail: string;
  [more: string]: unknown;
}

/** A way to reach the command of an incident. */
export interface CommandPost {
  id: number;
  label: string | null;
  link: string | null;
}

export interface Clock {
  id: number;
  label: string | null;
  due_at: Time;
  every_minutes: number | null;
  rang_at: Time | null;
}

/** Somebody proposes to assume command and waits for a second person. */
export interface Assumption {
  by: Person;
  grounds: 'unseen' | 'unfit';
  reason: string | null;
  lapses_at: Time;
}

/** Something that is worth keeping of an affected service. Words are null once they were taken out. */
export interface Worth {
  service: string;
  what: string | null;
  /** A URL, `capture:NAME`, or a command that changes nothing. */
  how: string | null;
  stands: 'by_hand' | 'when_declared' | 'under_way' | 'only_shown' | 'not_kept';
  /** Why it was not kept by itself. */
  why: string | null;
}

/** An incident as one reader gets it. */
export interface IncidentView {
  number: number;
  title: string | null;
  kind: Kind;
  phase: Phase;
  severity: Severity;
  services: string[];
  unknown_services: string[];
  began: Time | null;
  opened_at: Time;
  declared_at: Time | null;
  phase_since: Time;
  restricted: boolean;
  posts: CommandPost[];
  commander: Person;
  commander_unseen_since: Time | null;
  assumption: Assumption | null;
  roles: Role[];
  responders: Responder[];
  /** Live ones; for responders who are no guests. */
  invites: Invite[];
  /** Whether the reader may let guests in, once they are here themselves. */
  may_invite_guests: boolean;
  roadblocks: Roadblock[];
  criteria: Criterion[];
  todos: Todo[];
  may_add: { criteria: boolean; todos: boolean };
  /** What is still to be seen to, and the newest of the others. */
  changes: Change[];
  changes_recorded: number;
  differing: Differing[];
  /** The reader may announce changes: operations, and whoever may change something for a while. */
  may_announce: boolean;
  /** Who else may change services for a while. */
  /** Changes of which other systems told: all that is to be sorted, and the newest of the others. */
  sightings: Sighting[];
  sightings_seen: number;
  /** No more of them are kept. */
  sightings_full: boolean;
  /** Of whom no more is kept, because they told of too much. Not there where this browser kept it of an older server. */
  sightings_cut?: TellerCut[];
  permissions: Permission[];
  /** Who asks to, the longest first. */
  permission_asks: PermissionAsk[];
  /** The reader is of operations, who let others change services. */
  may_grant_permission: boolean;
  document: DocumentView;
  /** What is worth keeping and is not kept, for whoever may change services. */
  worth_keeping: Worth[];
  clocks: Clock[];
  pinned: number[];
  merged_into: number | null;
  read_only: string | null;
  next: Next | null;
  prompt: Bring | null;
  last_entry: number;
  last_at: Time;
  cursor: string;
}

/** What whoever takes command reads first. */
export interface Briefing {
  briefed_to: number;
  matters: Entry[];
  pinned: Entry[];
  /** Null when nothing was marked yet. */
  document: Marked | null;
  state: IncidentView;
}
