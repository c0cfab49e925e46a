// From which template a cluster was made, as its labels say.

import { Link } from "react-router";
import { pathTo } from "../../objects/objects";

export function TemplateFact({ labels }: { labels: Record<string, string> }) {
  const name = labels["flotilla.dev/template"] ?? "";
  return (
    <>
      <Link to={pathTo("templates", name)} className="text-accent underline">
        {name}
      </Link>{" "}
      {labels["flotilla.dev/template-version"]}
    </>
  );
}
