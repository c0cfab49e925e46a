// In place of a page that is not there, or failed.

import { isRouteErrorResponse, useRouteError } from "react-router";
import { Button, ButtonLink } from "../ui/button";
import { Empty, Page } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";

export function NotFoundPage() {
  return (
    <Page title="There is no such page">
      <Empty
        title="Nothing stands at this address"
        actions={<ButtonLink to="/">Go to the overview</ButtonLink>}
      >
        What was here may have been deleted or have another name now. Ctrl K finds clusters and pages by name.
      </Empty>
    </Page>
  );
}

export function FailurePage() {
  const error = useRouteError();
  if (isRouteErrorResponse(error) && error.status === 404) {
    return <NotFoundPage />;
  }
  // A page that was not loaded yet is gone after an upgrade of the hub: the page anew brings the one of now.
  return (
    <Page title="This page failed">
      <ProblemPanel error={error}>
        <Button className="mt-2" onClick={() => globalThis.location.reload()}>
          Load it anew
        </Button>
      </ProblemPanel>
    </Page>
  );
}
