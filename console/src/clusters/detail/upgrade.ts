// What another version means for a cluster, as far as it can be said before.

export interface Judgement {
  isPossible: boolean;
  /** What will happen, or why it cannot. */
  told: string[];
}

interface Version {
  major: number;
  minor: number;
  patch: number;
}

function read(text: string): Version | undefined {
  const [, major, minor, patch] = /^v(\d+)\.(\d+)\.(\d+)/.exec(text) ?? [];
  return patch === undefined
    ? undefined
    : { major: Number(major), minor: Number(minor), patch: Number(patch) };
}

/** `pods` is how many the control plane has. The hub and its cluster have the last word. */
export function judge(from: string, to: string, pods: number): Judgement {
  const [now, then] = [read(from), read(to)];
  const roll =
    pods > 1
      ? "Pods are replaced one after the other; the cluster stays reachable."
      : pods === 1
        ? "A new pod starts before the old one goes; the cluster stays reachable, with one short change-over."
        : "The cluster sleeps: it has the new version when it is woken.";
  if (now === undefined || then === undefined) {
    return { isPossible: then !== undefined, told: [roll] };
  }
  const steps = (then.major - now.major) * 1000 + (then.minor - now.minor);
  if (steps < 0 || (steps === 0 && then.patch < now.patch)) {
    return { isPossible: false, told: ["That is older than what runs: Kubernetes cannot go back."] };
  }
  if (steps > 1) {
    return {
      isPossible: false,
      told: [`Kubernetes goes up one minor version at a time: v${now.major}.${now.minor + 1} is next.`],
    };
  }
  if (steps === 0 && then.patch === now.patch) {
    return { isPossible: false, told: ["It runs this version already."] };
  }
  const workers =
    "Workers keep their version. Upgrade them afterwards; they may be up to three minor versions behind.";
  return { isPossible: true, told: steps === 0 ? [roll] : [roll, workers] };
}
