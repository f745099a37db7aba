// Which service a line about a change is about.
import type { Problem } from '../api/types';

/** Those to choose from: what the incident affects first, then the others that are known, each once. */
export const choices = (affected: string[], known: string[]): string[] => [
  ...new Set([...affected, ...[...known].sort((one, other) => one.localeCompare(other))]),
];

/** The line without the name before its colon, where it begins with that. */
export function withoutName(words: string, named: string): string {
  const colon = words.indexOf(': ');
  const rest = words.slice(colon + 2).trim();
  return colon > 0 && rest && words.slice(0, colon).trim().toLowerCase() === named ? rest : words;
}

/** What a refusal asks to have named: what stood before the colon, and nobody knows. */
export function toName(refused: Problem | null): string | null {
  const remedy = refused?.remedy as { do?: string; service?: string } | undefined;
  return remedy?.do === 'name_service' ? (remedy.service ?? null) : null;
}
