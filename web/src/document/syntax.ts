// Markdown as the editor reads it: CommonMark with tables, task lists, struck words and bare links.
import { Language, LanguageSupport, defineLanguageFacet } from '@codemirror/language';
import { GFM, parser } from '@lezer/markdown';

const markdown = new Language(defineLanguageFacet(), parser.configure([GFM]), [], 'markdown');

export const syntax = new LanguageSupport(markdown);

/** Where a link may lead, or null: nothing that runs in this page. */
export function openable(address: string): string | null {
  const plain = address.replace(/^<|>$/g, '').trim();
  if (/^(https?:\/\/|mailto:|tel:)[^\s]+$/i.test(plain)) return plain;
  if (/^www\.[^\s]+$/i.test(plain)) return `https://${plain}`;
  // Another place of ours; two slashes would be another server.
  return /^\/(?![/\\])[^\s]*$/.test(plain) ? plain : null;
}

/** Whether a picture comes from what is kept as evidence here: no other is fetched. */
export function isEvidence(address: string): boolean {
  return /^\/api\/v1\/incidents\/[1-9]\d{0,8}\/evidence\/[0-9a-f]{64}$/.test(address);
}

/** Somebody by their handle; behind a letter or an `@` it is part of something else. */
export const MENTION = /(?<![\p{L}\p{N}@./_-])@([a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?)/giu;
/** An entry of this incident's timeline. */
export const ENTRY = /(?<![\p{L}\p{N}#&/_-])#([1-9]\d{0,8})(?![\p{L}\p{N}_-])/gu;
