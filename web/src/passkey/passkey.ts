// Passkeys, as the browser makes them and has them sign. Bytes go over the wire in base64url.
import { Refused, send } from '../api/client';
import type { ToMake, ToSign } from '../api/types';
import { base64, bytes, isBare } from './bytes';

/** Whether passkeys can be used at this address, in this browser. */
export function possible(): boolean {
  return isSecureContext && 'PublicKeyCredential' in window && !isBare(location.hostname);
}

/** What to say of a browser's error. Whoever changed their mind is told nothing. */
export function told(error: unknown): string | null {
  if (error instanceof Refused) return error.message;
  if (!(error instanceof DOMException)) throw error;
  switch (error.name) {
    case 'AbortError':
      return null;
    case 'InvalidStateError':
      return 'This device holds a passkey of yours already. Use that one.';
    case 'NotAllowedError':
      return 'No passkey was used: it was called off, took too long, or there is none here.';
    default:
      return 'This browser could not use a passkey here.';
  }
}

const ids = (names: string[]): PublicKeyCredentialDescriptor[] =>
  names.map((id) => ({ type: 'public-key', id: bytes(id) }));

/** Has a passkey made, and adds it. */
export async function add(label: string): Promise<void> {
  const options = await send<ToMake>('POST', '/passkeys/challenge', {});
  const made = (await navigator.credentials.create({
    publicKey: {
      challenge: bytes(options.challenge),
      rp: { id: options.host, name: 'Wardroom' },
      user: {
        id: bytes(options.user.id),
        name: options.user.handle ?? options.user.name,
        displayName: options.user.name,
      },
      pubKeyCredParams: options.algorithms.map((alg) => ({ type: 'public-key', alg })),
      excludeCredentials: ids(options.known),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      attestation: 'none',
    },
  })) as PublicKeyCredential;
  const response = made.response as AuthenticatorAttestationResponse;
  await send('POST', '/passkeys', {
    client_data: base64(response.clientDataJSON),
    attestation: base64(response.attestationObject),
    ...(label !== '' && { label }),
  });
}

/** Has a challenge signed; what to send of it. */
export async function sign(options: ToSign, how: CredentialRequestOptions = {}): Promise<unknown> {
  const signed = (await navigator.credentials.get({
    ...how,
    publicKey: {
      challenge: bytes(options.challenge),
      rpId: options.host,
      allowCredentials: ids(options.passkeys),
      userVerification: 'required',
    },
  })) as PublicKeyCredential;
  const response = signed.response as AuthenticatorAssertionResponse;
  return {
    id: base64(signed.rawId),
    client_data: base64(response.clientDataJSON),
    authenticator_data: base64(response.authenticatorData),
    signature: base64(response.signature),
    ...(response.userHandle && { user: base64(response.userHandle) }),
  };
}
