// Who holds which role in a tenant, a project or a cluster, and by which grant.

import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { answer, hub } from "../api/hub";
import type { components } from "../api/schema";
import { pathTo, remove } from "../objects/objects";
import { Badge } from "../ui/badge";
import { Button, ButtonLink } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { Empty, Loading, Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";

type Member = components["schemas"]["Member"];
type Held = components["schemas"]["Held"];

interface MembersProps {
  noun: "tenants" | "projects" | "clusters";
  name: string;
  title?: string;
}

export function Members({ noun, name, title = "Members" }: MembersProps) {
  const [taken, setTaken] = useState<Held>();
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ["members", noun, name],
    queryFn: ({ pageParam }) => {
      const query = pageParam === "" ? {} : { after: pageParam };
      // The three differ in nothing but their path.
      const path = `/api/v1/${noun}/{name}/members` as "/api/v1/tenants/{name}/members";
      return answer(hub.GET(path, { params: { path: { name }, query } }));
    },
    initialPageParam: "",
    getNextPageParam: ({ next }) => next,
  });
  const members = data?.pages.flatMap(({ items }) => items);
  const give = `/grants/new?${noun.slice(0, -1)}=${encodeURIComponent(name)}`;
  return (
    <Section title={title} actions={<ButtonLink to={give}>Give a role</ButtonLink>}>
      <ProblemPanel error={error} onRetry={refetch} />
      {members === undefined && error === null && <Loading label="Members are on their way" />}
      {members?.length === 0 && (
        <Empty title="Nobody has a grant here">Grants of the platform and its tenants hold here, too.</Empty>
      )}
      <ul className="-my-3 divide-y divide-line">
        {members?.map((member) => (
          <MemberRow key={`${member.grant} ${member.to}`} member={member} onTake={setTaken} />
        ))}
      </ul>
      {hasNextPage && (
        <Button className="mt-4" isBusy={isFetchingNextPage} onClick={() => fetchNextPage()}>
          Show more
        </Button>
      )}
      {taken !== undefined && <TakeGrant held={taken} onClose={() => setTaken(undefined)} />}
    </Section>
  );
}

function MemberRow({ member, onTake }: { member: Member; onTake: (held: Held) => void }) {
  return (
    <li className="flex flex-wrap items-center gap-x-3 gap-y-1 py-3 text-sm">
      <span className="min-w-0 flex-1 basis-56">
        <span className="font-medium wrap-anywhere">{member.to}</span>{" "}
        <Link to={pathTo("roles", member.role)} className="text-accent underline">
          {member.role}
        </Link>
        <span className="block text-xs text-muted wrap-anywhere">
          by {member.grant}
          {member.inherited && `, at ${member.at}`}
        </span>
      </span>
      {member.inherited ? (
        <Badge>Inherited</Badge>
      ) : (
        <Button
          look="quiet"
          aria-label={`Take away ${member.role} from ${member.to}`}
          onClick={() => onTake(member)}
        >
          Take away
        </Button>
      )}
    </li>
  );
}

/** Asks before a grant is taken away. */
export function TakeGrant({ held, onClose }: { held: Held; onClose: () => void }) {
  const { grant, role, to, at } = held;
  return (
    <Confirmed
      title={`Take ${role} from ${to}?`}
      action="Take away"
      done={`${to} has ${role} at ${at} no more`}
      run={() => remove("grants", grant)}
      onClose={onClose}
      isDangerous
    >
      <p>
        The grant {grant} gives {role} at {at}. It ends with the next request; open shells and logs are cut
        off within seconds. What they made stays.
      </p>
    </Confirmed>
  );
}
