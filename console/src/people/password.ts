// Passwords that nobody has to think of.

/** Letters and digits that are not taken for one another. */
const letters = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const groups = 4;
const long = 5;

/** Four groups of five: about 115 bits. `random` fills with random bytes. */
export function newPassword(random: (bytes: Uint8Array) => Uint8Array): string {
  // Bytes beyond the last whole multiple would make some letters likelier.
  const fair = 256 - (256 % letters.length);
  let text = "";
  while (text.length < groups * long) {
    const bytes = [...random(new Uint8Array(32))].filter((byte) => byte < fair);
    text += bytes.map((byte) => letters[byte % letters.length]).join("");
  }
  return Array.from({ length: groups }, (_, group) => text.slice(group * long, (group + 1) * long)).join("-");
}
