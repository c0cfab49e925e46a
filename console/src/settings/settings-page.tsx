// Settings of the hub: what it is called, how long people stay signed in, and the limits that its flags set.

import { Loading, Page, Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { Limits } from "./limits";
import { useSettings } from "./settings";
import { SettingsForm } from "./settings-form";

export function SettingsPage() {
  const { data, error, refetch } = useSettings();
  return (
    <Page title="Settings" lead="What holds for this hub as a whole.">
      {error !== null && <ProblemPanel error={error} onRetry={refetch} />}
      {data === undefined && error === null && <Loading label="Settings are on their way" rows={8} />}
      {data !== undefined && (
        <div className="grid items-start gap-5 lg:grid-cols-2">
          <SettingsForm settings={data} />
          <Section title="Limits">
            <Limits limits={data.limits} />
          </Section>
        </div>
      )}
    </Page>
  );
}
