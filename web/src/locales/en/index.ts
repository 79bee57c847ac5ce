import { account } from "./account.ts";
import { chat } from "./chat.ts";
import { common } from "./common.ts";
import { contacts } from "./contacts.ts";
import { dashboard } from "./dashboard.ts";
import { problems } from "./problems.ts";
import { templates } from "./templates.ts";

export default {
  common,
  account,
  dashboard,
  chat,
  contacts,
  templates,
  problems,
};
