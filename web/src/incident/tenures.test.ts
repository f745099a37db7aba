// The picture of tenures: what a lane shows is what the log says.
import { expect, test } from 'vitest';
import type { Entry, IncidentView, Role } from '../api/types';
import { lanes } from './tenures';

const at = (minute: number): string => `2026-11-23T15:${String(minute).padStart(2, '0')}:00Z`;
const sabrina = { id: 'sabrina', handle: 'sabrina', name: 'Sabrina' };
const jennifer = { id: 'jennifer', handle: 'jennifer', name: 'Jennifer' };

function entry(number: number, kind: string, body: Record<string, unknown>): Entry {
  const rest = { cursor: '', incident: 1, told: null, matters: false, stands_out: false };
  return { ...rest, entry: number, at: at(number), actor: 'sabrina', kind, body };
}

function view(last_entry: number, ...roles: Partial<Role>[]): IncidentView {
  const none = { holder: null, since: null, effective_holder: null, members: [], offer: null, asked_by: [] };
  const all = roles.map((role) => ({ ...none, ...role }));
  return { roles: all, last_entry, last_at: at(last_entry) } as unknown as IncidentView;
}

const opened = entry(1, 'opened', { by: 'sabrina' });
const offered = entry(2, 'role_offered', { role: 'command', by: 'sabrina' });
const taken = entry(5, 'role_taken', { role: 'command', by: 'jennifer' });

test('a role that changed hands shows both holders, and the offer between them', () => {
  const now = view(5, { role: 'command', holder: jennifer, since: at(5) });
  const [command] = lanes(now, [opened, offered, taken]);
  expect(command?.bars).toEqual([
    { role: 'command', person: 'sabrina', from: at(1), to: at(5) },
    { role: 'command', person: 'jennifer', from: at(5), to: null },
  ]);
  expect(command?.offers).toEqual([{ role: 'command', from: at(2), to: at(5) }]);
});

test('a view that is older than the entries adds nobody', () => {
  const before = view(2, { role: 'command', holder: sabrina, since: at(1) });
  const [command] = lanes(before, [opened, offered, taken]);
  expect(command?.bars.map(({ person }) => person)).toEqual(['sabrina', 'jennifer']);
});

test('a tenure whose beginning is not loaded is drawn from the view', () => {
  const now = view(9, { role: 'operations', holder: jennifer, since: at(3) });
  expect(lanes(now, [entry(9, 'noted', {})])[0]?.bars).toEqual([
    { role: 'operations', person: 'jennifer', from: at(3), to: null },
  ]);
});

test('a role that fell ends, and one that nobody ever held has no lane', () => {
  const fell = entry(7, 'role_fell', { role: 'operations', from: 'jennifer', to: 'sabrina' });
  const took = entry(6, 'role_taken', { role: 'operations', by: 'jennifer' });
  const all = lanes(view(7, { role: 'operations' }, { role: 'planning' }), [took, fell]);
  expect(all.map(({ role }) => role)).toEqual(['operations']);
  expect(all[0]?.bars[0]?.to).toBe(at(7));
});
