import type { ClaimScope } from '../lib/oidc-scopes.ts';

/** A scope of an API that a client may request. */
export interface ApiScope {
  name: string;
  /** For the consent page, where it follows the words "… wants to". */
  description: string;
  /** The permission that a person needs for the scope to have an effect. */
  permission: string;
}

/** A claim about a person whose value is a field in the metadata of the account. */
export interface MetadataClaim {
  name: string;
  /** The name of the field in the account's metadata. */
  field: string;
  /** An app with this scope gets the claim. */
  scope: ClaimScope;
}

/** A resource server (RFC 8707). */
export interface Api {
  audience: string;
  name: string;
  scopes: readonly ApiScope[];
}

export interface AccessModel {
  apis: readonly Api[];
  /** The permissions of each role. The object has no prototype, so any text can safely be used as a key. */
  roles: Readonly<Record<string, readonly string[]>>;
  claims: readonly MetadataClaim[];
}

/** The settings that an access model must be consistent with. */
export interface AccessModelContext {
  issuer: string;
  /** GATEHOUSE_AUDIENCE, the default API. */
  audience: string;
}

/** A model with only the default API, which has no scopes, and without roles and claims. */
export function defaultAccessModel(audience: string): AccessModel {
  return { apis: [{ audience, name: audience, scopes: [] }], roles: Object.create(null), claims: [] };
}
