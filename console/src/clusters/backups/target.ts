// Where archives of backups are kept, as it is typed and as the hub takes it.

import type { components } from "../../api/schema";

export type Target = components["schemas"]["BackupTarget"];

export interface TypedTarget {
  kind: "s3" | "volume" | "directory";
  bucket: string;
  endpoint: string;
  region: string;
  prefix: string;
  secretName: string;
  claimName: string;
}

const nothing: TypedTarget = {
  kind: "s3",
  bucket: "",
  endpoint: "",
  region: "",
  prefix: "",
  secretName: "",
  claimName: "",
};

/** What stands in the fields for a target: that of the last backup, or nothing. */
export function typedTarget(target: Target | undefined): TypedTarget {
  if (target?.s3 != null) {
    const { bucket, endpoint, region, prefix, secretName } = target.s3;
    return {
      ...nothing,
      bucket,
      endpoint: endpoint ?? "",
      region: region ?? "",
      prefix: prefix ?? "",
      secretName,
    };
  }
  if (target?.persistentVolumeClaim != null) {
    return { ...nothing, kind: "volume", claimName: target.persistentVolumeClaim.claimName };
  }
  return target?.directory == null ? nothing : { ...nothing, kind: "directory" };
}

export function writtenTarget(typed: TypedTarget): Target {
  if (typed.kind === "directory") {
    return { directory: {} };
  }
  if (typed.kind === "volume") {
    return { persistentVolumeClaim: { claimName: typed.claimName } };
  }
  const { bucket, endpoint, region, prefix, secretName } = typed;
  return {
    s3: {
      bucket,
      secretName,
      ...(endpoint === "" ? {} : { endpoint }),
      ...(region === "" ? {} : { region }),
      ...(prefix === "" ? {} : { prefix }),
    },
  };
}

/** Whether all is typed that has to be. */
export function isWhole({ kind, bucket, secretName, claimName }: TypedTarget): boolean {
  return kind === "directory" || (kind === "s3" ? bucket !== "" && secretName !== "" : claimName !== "");
}

export function targetText({ s3, persistentVolumeClaim }: Target): string {
  if (s3 != null) {
    const place = s3.prefix ? `${s3.bucket}/${s3.prefix}` : s3.bucket;
    return `bucket ${place} at ${s3.endpoint ?? "AWS"}`;
  }
  return persistentVolumeClaim == null
    ? "the operator's directory"
    : `volume ${persistentVolumeClaim.claimName}`;
}
