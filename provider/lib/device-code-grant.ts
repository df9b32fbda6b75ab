/** The name of the device grant in requests (RFC 8628 §3.4). Client documents use `device_code`. */
export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code';
