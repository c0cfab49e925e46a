// One's second factor: an authenticator app, and codes for when it is lost.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, hub } from "../api/hub";
import type { components } from "../api/schema";
import { queries } from "../app/queries";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { counted } from "../ui/format";
import { Loading, Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { toast } from "../ui/toast";
import { ProofDialog } from "./proof-dialog";
import { RecoveryCodes } from "./recovery-codes";
import { TotpDialog } from "./totp-dialog";

type Open =
  | { step: "begin" | "disable" | "renew" }
  | { step: "read"; begun: components["schemas"]["Begun2"] }
  | { step: "codes"; codes: string[] };

const key = ["me", "factors"];
const anew = () => queries.invalidateQueries({ queryKey: key });

export function FactorSection() {
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: () => answer(hub.GET("/api/v1/me/factors")),
  });
  const [open, setOpen] = useState<Open>();
  return (
    <Section title="Second factor">
      <ProblemPanel error={error} onRetry={refetch} />
      {data === undefined && error === null && <Loading label="Factors are on their way" />}
      {data !== undefined && (
        <div className="flex flex-col items-start gap-3 text-sm">
          <p className="flex flex-wrap items-center gap-2">
            <Badge tone={data.totp ? "ok" : "warn"}>{data.totp ? "On" : "Off"}</Badge>
            {data.totp
              ? `${counted(data.recoveryCodes, "recovery code")} left.`
              : "Your password alone signs in. An app that shows six digits makes it safe when somebody else has the password."}
          </p>
          <div className="flex flex-wrap gap-2">
            {data.totp ? (
              <>
                <Button onClick={() => setOpen({ step: "renew" })}>New recovery codes</Button>
                <Button look="danger" onClick={() => setOpen({ step: "disable" })}>
                  Turn off
                </Button>
              </>
            ) : (
              <Button look="primary" onClick={() => setOpen({ step: "begin" })}>
                Add an app
              </Button>
            )}
          </div>
        </div>
      )}
      <Steps open={open} onOpen={setOpen} />
    </Section>
  );
}

function Steps({ open, onOpen }: { open: Open | undefined; onOpen: (open: Open | undefined) => void }) {
  const onClose = () => onOpen(undefined);
  switch (open?.step) {
    case "begin":
      return (
        <ProofDialog
          title="Add an authenticator app"
          told="Show first that it is you."
          action="Go on"
          run={(proof) => answer(hub.POST("/api/v1/me/totp/begin", { body: proof }))}
          onClose={onClose}
          onDone={(begun) => onOpen({ step: "read", begun })}
        />
      );
    case "read":
      return (
        <TotpDialog
          begun={open.begun}
          onClose={onClose}
          onDone={(codes) => {
            void anew();
            onOpen({ step: "codes", codes });
          }}
        />
      );
    case "codes":
      return <RecoveryCodes codes={open.codes} onClose={onClose} />;
    case "renew":
      return (
        <ProofDialog
          title="Make new recovery codes?"
          told="Those that you have are of no use any more."
          action="Make them"
          run={(proof) => answer(hub.POST("/api/v1/me/recovery-codes", { body: proof }))}
          onClose={onClose}
          onDone={({ recoveryCodes }) => {
            void anew();
            onOpen({ step: "codes", codes: recoveryCodes });
          }}
        />
      );
    case "disable":
      return (
        <ProofDialog
          title="Turn the second factor off?"
          told="Your password alone signs in then. Recovery codes go, too."
          action="Turn off"
          isDangerous
          run={(proof) => hub.POST("/api/v1/me/totp/disable", { body: proof })}
          onClose={onClose}
          onDone={() => {
            void anew();
            toast.done("Your second factor is off");
            onClose();
          }}
        />
      );
    default:
      return null;
  }
}
