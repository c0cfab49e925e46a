// What the played hub does, by method and path of the description.

import { accountHandlers } from "./handlers/account.ts";
import { backupHandlers } from "./handlers/backups.ts";
import { clusterHandlers } from "./handlers/clusters.ts";
import { importHandlers } from "./handlers/imports.ts";
import { meteringHandlers } from "./handlers/metering.ts";
import { objectHandlers } from "./handlers/objects.ts";
import { peopleHandlers } from "./handlers/people.ts";
import { recordHandlers } from "./handlers/records.ts";
import { sessionHandlers } from "./handlers/session.ts";
import { settingsHandlers } from "./handlers/settings.ts";
import { storeHandlers } from "./handlers/stores.ts";
import { templateHandlers } from "./handlers/templates.ts";
import type { Handler } from "./world.ts";

export const handlers: Record<string, Handler> = {
  ...sessionHandlers,
  ...accountHandlers,
  ...backupHandlers,
  ...clusterHandlers,
  ...importHandlers,
  ...meteringHandlers,
  ...objectHandlers,
  ...peopleHandlers,
  ...recordHandlers,
  ...storeHandlers,
  ...settingsHandlers,
  ...templateHandlers,
};
