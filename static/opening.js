// The grid opened by its address: its pictures first. The desk's scripts are asked for, all at once,
// when they are painted.

import { painted } from "./grid.js";
import { afterPaint } from "./painting.js";

await painted();
afterPaint(() => {
  document.head.append(document.querySelector("#scripts").content);
  import("./review.js");
});
