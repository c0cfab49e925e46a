// Says that the hub is away, from when what is shown is, and that it is being tried again.

import { useQueryClient } from "@tanstack/react-query";
import { CloudOff } from "lucide-react";
import { useEffect, useRef } from "react";
import { Button } from "../ui/button";
import { connection, useConnection } from "./connection";

export function ConnectionBanner() {
  const { state, since, refusal } = useConnection();
  const client = useQueryClient();
  const wasAway = useRef(false);
  useEffect(() => {
    if (state === "live" && wasAway.current) {
      void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "clusters" });
    }
    wasAway.current = state === "away";
  }, [state, client]);

  if (state !== "away" || since === undefined) {
    return null;
  }
  const isSignedOut = refusal?.code === "unauthenticated";
  const time = new Date(since).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  return (
    <div
      role="status"
      className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-warn bg-warn-soft px-4 py-2 text-sm sm:px-6"
    >
      <CloudOff aria-hidden className="size-4 shrink-0 text-warn" />
      <p className="min-w-0 flex-1 basis-60">
        <strong className="font-semibold">
          {isSignedOut ? "You are signed out." : "The hub does not answer."}
        </strong>{" "}
        You see what it said at {time}.{" "}
        {isSignedOut ? "Sign in to go on." : "It is tried again by itself, and catches up."}{" "}
        {!isSignedOut && refusal?.message}
      </p>
      <Button onClick={() => connection.retry()}>{isSignedOut ? "Sign in" : "Try now"}</Button>
    </div>
  );
}
