// In which themes and widths pages are looked at.

const narrow = { width: 390, height: 844 };
const middle = { width: 820, height: 1180 };
const wide = { width: 1440, height: 900 };

// What a theme breaks it breaks at any width, and the other way round: each is looked at, and all pairs for pictures.
const views = [
  { colorScheme: "light", viewport: narrow },
  { colorScheme: "dark", viewport: middle },
  { colorScheme: "light", viewport: wide },
] as const;
const others = [
  { colorScheme: "dark", viewport: narrow },
  { colorScheme: "light", viewport: middle },
  { colorScheme: "dark", viewport: wide },
] as const;
export type View = (typeof views | typeof others)[number];
export const looked: readonly [View, ...View[]] =
  process.env.SCREENSHOTS === undefined ? views : [...views, ...others];
