// Amounts as Kubernetes writes them, such as `500m`, `16` and `32Gi`.

const units: Record<string, number> = {
  m: 1e-3,
  "": 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
};

const written = /^(\d+(?:\.\d+)?)(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/;

/** The amount in whole units: cores, bytes; nothing if it cannot be read. */
export function amountOf(quantity: unknown): number | undefined {
  const [, number, unit = ""] = written.exec(String(quantity ?? "").trim()) ?? [];
  return number === undefined ? undefined : Number(number) * (units[unit] ?? 1);
}

/** For fields where an amount may be left out. */
export const optionalQuantity = {
  validate: (text: string): true | string =>
    text.trim() === "" || amountOf(text) !== undefined || "A number with a unit, such as 500m, 8 or 16Gi.",
};

export const optionalCount = {
  validate: (text: string): true | string => /^\d*$/.test(text.trim()) || "A whole number.",
};
