// What is one's own: how one signs in, where one is signed in, keys for programs.

import { useMe } from "../session/session";
import { Facts } from "../ui/facts";
import { Page, Section } from "../ui/page";
import { FactorSection } from "./factor-section";
import { KeySection } from "./key-section";
import { LinkSection } from "./link-section";
import { PasskeySection } from "./passkey-section";
import { PasswordSection } from "./password-section";
import { SessionSection } from "./session-section";

export function AccountPage() {
  const me = useMe();
  return (
    <Page title="Your account" lead="How you sign in, where you are signed in, and keys for your programs.">
      <div className="grid items-start gap-5 lg:grid-cols-2">
        <div className="flex flex-col gap-5">
          <Section title="You">
            <Facts
              facts={[
                ["User", me.user],
                ["Name", me.displayName],
                ["Groups", me.groups.length === 0 ? "None" : me.groups.join(", ")],
              ]}
            />
          </Section>
          <KeySection />
          <SessionSection />
        </div>
        <div className="flex flex-col gap-5">
          <FactorSection />
          <PasskeySection />
          <LinkSection />
          <PasswordSection />
        </div>
      </div>
    </Page>
  );
}
