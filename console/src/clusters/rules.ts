// What names and labels may be, so that forms say it before the hub does.

const name = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const word = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const longest = 63;

export const clusterName = {
  required: "Give it a name.",
  maxLength: { value: longest, message: `A name has at most ${longest} characters.` },
  pattern: {
    value: name,
    message: "Small letters, digits and dashes; it begins and ends with a letter or digit.",
  },
};

export const labelName = {
  required: "A label has a name.",
  validate: (text: string): true | string => {
    const parts = text.split("/");
    const isRight =
      parts.length <= 2 && parts.every((part) => word.test(part)) && (parts.at(-1) ?? "").length <= longest;
    return isRight || "Letters, digits, dashes, dots and underscores, after a prefix with a slash at most.";
  },
};

export const labelValue = {
  maxLength: { value: longest, message: `A value has at most ${longest} characters.` },
  validate: (text: string): true | string =>
    text === "" || word.test(text) || "Letters, digits, dashes, dots and underscores.",
};

const kubernetes = /^v\d+\.\d+\.\d+$/;

export const clusterVersion = {
  required: "Choose a version.",
  pattern: { value: kubernetes, message: "As in v1.36.3." },
};

/** Of labels that are typed in one line. */
export const labelList = {
  validate: (text: string): true | string => {
    for (const [name, value] of Object.entries(readLabels(text))) {
      const fault = [labelName.validate(name), labelValue.validate(value)].find((told) => told !== true);
      if (fault !== undefined) {
        return `${name}: ${fault}`;
      }
    }
    return true;
  },
};

/** Labels of a text such as `tier=gold, region=north`. */
export function readLabels(text: string): Record<string, string> {
  const pairs = text
    .split(",")
    .map((pair) => pair.trim())
    .filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = "", ...value] = pair.split("=");
      return [name.trim(), value.join("=").trim()];
    }),
  );
}
