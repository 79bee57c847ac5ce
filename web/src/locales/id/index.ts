import type { Messages } from "../index.ts";
import { account } from "./account.ts";
import { chat } from "./chat.ts";
import { common } from "./common.ts";
import { contacts } from "./contacts.ts";
import { dashboard } from "./dashboard.ts";
import { problems } from "./problems.ts";
import { templates } from "./templates.ts";

const id: Messages = {
  common,
  account,
  dashboard,
  chat,
  contacts,
  templates,
  problems,
};

export default id;
