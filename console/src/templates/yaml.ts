// The library for YAML, loaded when something needs it.

import { useEffect, useState } from "react";

type Yaml = typeof import("yaml");

export function useYaml(): Yaml | undefined {
  const [yaml, setYaml] = useState<Yaml>();
  useEffect(() => {
    void import("yaml").then(setYaml);
  }, []);
  return yaml;
}
