// What is done with a tenant: changed, suspended, handed over, let go.

import { MoreHorizontal } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { change, pathTo, remove, useAll } from "../objects/objects";
import { ButtonLink, IconButton } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { SelectField } from "../ui/field";
import { counted } from "../ui/format";
import { Menu, MenuItem, MenuSeparator } from "../ui/menu";
import { statusOf, subtree, type Tenant } from "./tenant";

type Open = "suspend" | "keep" | "hand-over" | "leave" | "delete";

interface DialogProps {
  tenant: Tenant;
  onClose: () => void;
}

export function TenantActions({ tenant }: { tenant: Tenant }) {
  const [open, setOpen] = useState<Open>();
  const dialog = { tenant, onClose: () => setOpen(undefined) };
  const isActive = (tenant.spec.state ?? "Active") === "Active";
  return (
    <>
      <ButtonLink to={`${pathTo("tenants", tenant.name)}/edit`} look="primary">
        Edit
      </ButtonLink>
      <Menu
        trigger={<IconButton label="More actions" look="plain" />}
        face={<MoreHorizontal aria-hidden className="size-4" />}
      >
        {isActive ? (
          <MenuItem onClick={() => setOpen("suspend")}>Suspend</MenuItem>
        ) : (
          <MenuItem onClick={() => setOpen("keep")}>Make active again</MenuItem>
        )}
        <MenuItem onClick={() => setOpen("hand-over")}>Hand over</MenuItem>
        <MenuSeparator />
        {tenant.spec.state !== "Leaving" && (
          <MenuItem isDangerous onClick={() => setOpen("leave")}>
            Let it leave
          </MenuItem>
        )}
        <MenuItem isDangerous onClick={() => setOpen("delete")}>
          Delete at once
        </MenuItem>
      </Menu>
      {open === "suspend" && <Suspend {...dialog} />}
      {open === "keep" && <Keep {...dialog} />}
      {open === "hand-over" && <HandOver {...dialog} />}
      {open === "leave" && <Leave {...dialog} />}
      {open === "delete" && <Delete {...dialog} />}
    </>
  );
}

/** What goes to sleep or is deleted with a tenant. */
function contents(tenant: Tenant): string {
  const { total, children = 0 } = statusOf(tenant);
  const below = children === 0 ? "" : `, and ${counted(children, "tenant")} right below it`;
  return `${counted(total?.clusters ?? 0, "cluster")} of it and of tenants below${below}`;
}

function Suspend({ tenant, onClose }: DialogProps) {
  return (
    <Confirmed
      title={`Suspend ${tenant.name}?`}
      action="Suspend"
      done={`${tenant.name} is suspended`}
      run={() => change("tenants", tenant, { state: "Suspended" })}
      onClose={onClose}
    >
      <p>
        Control planes go to sleep: {contents(tenant)}. Nothing is lost, but nothing can be made or woken
        until the suspension is taken back. Workers go on with what they run.
      </p>
    </Confirmed>
  );
}

function Keep({ tenant, onClose }: DialogProps) {
  return (
    <Confirmed
      title={`Make ${tenant.name} active again?`}
      action="Make active"
      done={`${tenant.name} is active`}
      run={() => change("tenants", tenant, { state: "Active" })}
      onClose={onClose}
    >
      <p>What was awake before wakes, as far as quotas have room. What slept before sleeps on.</p>
    </Confirmed>
  );
}

function HandOver({ tenant, onClose }: DialogProps) {
  const tenants = useAll("tenants").data ?? [];
  const [parent, setParent] = useState(tenant.spec.parent ?? "");
  const within = subtree(tenants, tenant.name);
  return (
    <Confirmed
      title={`Hand ${tenant.name} over`}
      action="Hand over"
      done={`${tenant.name} is handed over`}
      run={() => change("tenants", tenant, { parent: parent === "" ? null : parent })}
      onClose={onClose}
      isDisabled={parent === (tenant.spec.parent ?? "")}
    >
      <p>
        It takes along {contents(tenant)}. Its people stay; whoever had rights from the tenant above loses
        them, and whoever has some at the new one gets them. There must be room in the quotas above.
      </p>
      <SelectField
        label="New tenant above"
        value={parent}
        onChange={(event) => setParent(event.target.value)}
      >
        <option value="">None: at the top</option>
        {tenants
          .filter(({ name }) => !within.has(name))
          .map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
      </SelectField>
    </Confirmed>
  );
}

function Leave({ tenant, onClose }: DialogProps) {
  return (
    <Confirmed
      title={`Let ${tenant.name} leave?`}
      action="Let it leave"
      done={`${tenant.name} leaves`}
      run={() => change("tenants", tenant, { state: "Leaving" })}
      onClose={onClose}
      isDangerous
      typed={tenant.name}
    >
      <p>
        It is suspended now. After {tenant.spec.deletionGracePeriod ?? "its grace period"} it is deleted with{" "}
        {contents(tenant)}, and with everything in them. Until then it can be made active again.
      </p>
    </Confirmed>
  );
}

function Delete({ tenant, onClose }: DialogProps) {
  const navigate = useNavigate();
  const { own, children = 0 } = statusOf(tenant);
  const isEmpty = children === 0 && (own?.clusters ?? 0) === 0;
  return (
    <Confirmed
      title={`Delete ${tenant.name}?`}
      action="Delete"
      done={`${tenant.name} is deleted`}
      run={() => remove("tenants", tenant.name)}
      onClose={onClose}
      onDone={() => navigate("/tenants")}
      isDangerous
      isDisabled={!isEmpty}
      typed={tenant.name}
    >
      {isEmpty ? (
        <p>
          It has no clusters and no tenants below it. Its namespace, projects, providers and grants go with
          it.
        </p>
      ) : (
        <p>
          It still has {contents(tenant)}. Delete these first, or let it leave: then all goes together, after
          a time in which it can be kept.
        </p>
      )}
    </Confirmed>
  );
}
