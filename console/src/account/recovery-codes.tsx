// Recovery codes, which are shown once.

import { CopyText } from "../ui/copy";
import { Dialog } from "../ui/dialog";

export function RecoveryCodes({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) {
  return (
    <Dialog
      isOpen
      onClose={onClose}
      isKept
      title="Your recovery codes"
      description="They are shown once. Each stands in for your app once: print them, or put them where the app is not."
    >
      <CopyText label="recovery codes" text={codes.join("\n")} />
    </Dialog>
  );
}
