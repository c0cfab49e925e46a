// What names of objects may be.

import { clusterName } from "../clusters/rules";

/** As those of clusters: both are names of Kubernetes' objects. */
export const objectName = clusterName;

/** A name made of words, such as `dana-tenant-owner-acme` of a grant to be. */
export function nameOf(...words: string[]): string {
  return words
    .join("-")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, objectName.maxLength.value)
    .replace(/^-+|-+$/g, "");
}
