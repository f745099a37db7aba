// What each address means.
import { expect, test } from 'vitest';
import { parse } from './route';

test.each([
  ['/', { page: 'board' }],
  ['', { page: 'board' }],
  ['/sign-in', { page: 'sign-in' }],
  ['/sign-in/', { page: 'sign-in' }],
  ['/welcome', { page: 'welcome' }],
  ['/guest', { page: 'guest' }],
  ['/admin', { page: 'admin', part: 'people' }],
  ['/admin/audit/', { page: 'admin', part: 'audit' }],
  ['/admin/nothing', { page: 'nowhere', path: '/admin/nothing' }],
  ['/incidents/465', { page: 'incident', number: 465, whole: false }],
  ['/incidents/465/', { page: 'incident', number: 465, whole: false }],
  ['/incidents/465/document', { page: 'incident', number: 465, whole: true }],
  ['/incidents/465/documents', { page: 'nowhere', path: '/incidents/465/documents' }],
  ['/incidents/0', { page: 'nowhere', path: '/incidents/0' }],
  ['/incidents/-1', { page: 'nowhere', path: '/incidents/-1' }],
  ['/incidents/1e3', { page: 'nowhere', path: '/incidents/1e3' }],
  ['/incidents/9999999999', { page: 'nowhere', path: '/incidents/9999999999' }],
  ['/incidents/<img>', { page: 'nowhere', path: '/incidents/<img>' }],
  ['//evil.example', { page: 'nowhere', path: '//evil.example' }],
])('%s', (path, route) => expect(parse(path)).toEqual(route));
