/** Adds fields of ours to what a model of the library stores and brings back. */
export function keepFields(model: { IN_PAYLOAD: string[] }, fields: string[]): void {
  const names = [...model.IN_PAYLOAD, ...fields];
  Object.defineProperty(model, 'IN_PAYLOAD', { get: () => names });
}
