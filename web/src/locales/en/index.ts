import { account } from "./account.ts";
import { common } from "./common.ts";
import { dashboard } from "./dashboard.ts";
import { problems } from "./problems.ts";
import { templates } from "./templates.ts";

export default {
  common,
  account,
  dashboard,
  templates,
  problems,
};
