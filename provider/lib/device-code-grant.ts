/** The name the device grant has on the wire (RFC 8628 §3.4); documents say `device_code`. */
export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code';
