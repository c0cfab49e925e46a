// What this hub is called, and where its people find help. Whoever runs the hub says it; it is text only.

import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { answer, hub } from "../api/hub";

/** Of what is told to those who have not signed in, too. */
export const brandingKey = ["session", "branding"];

interface Branding {
  /** Nothing while it is on its way. */
  name: string | undefined;
  notice: string | undefined;
  /** An address that begins with https, or nothing. */
  supportUrl: string | undefined;
}

export function useBranding(): Branding {
  const { data, isPending } = useQuery({
    queryKey: brandingKey,
    queryFn: () => answer(hub.GET("/api/v1/branding")),
    staleTime: 60_000,
  });
  return {
    name: data?.name ?? (isPending ? undefined : "Flotilla"),
    notice: data?.notice ?? undefined,
    supportUrl: isHttps(data?.supportUrl) ? data.supportUrl : undefined,
  };
}

/** Whether it may be linked. */
export function isHttps(url: string | null | undefined): url is string {
  return typeof url === "string" && URL.canParse(url) && new URL(url).protocol === "https:";
}

/** What the browser calls the page. */
export function useTitle(title: string): void {
  const { name } = useBranding();
  useEffect(() => {
    document.title = name === undefined ? title : `${title} · ${name}`;
  }, [title, name]);
}
