// Chromium with a page of Converse.js, for one person.
//
// Each line on standard input is a JSON object {"order": n, "do": name, ...arguments}; each line on standard output is
// {"order": n, "ok": result}, {"order": n, "error": text} or an event {"event": "console" | "error", "raw": text}.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const print = (line) => process.stdout.write(JSON.stringify(line) + "\n");
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
let page;

const row = (text) => page.locator("converse-chat-message:visible", { hasText: text }).last();

const commands = {
  // open shows an address in a page of its own, as large as a screen or a telephone.
  async open({ url, width = 1280, height = 800, limit }) {
    const context = await browser.newContext({ viewport: { width, height } });
    page = await context.newPage();
    page.setDefaultTimeout(limit);
    page.on("pageerror", (err) => print({ event: "error", raw: String(err) }));
    page.on("console", (line) => print({ event: "console", kind: line.type(), raw: line.text() }));
    page.on("response", (answer) => answer.status() >= 400 && print({ event: "refused", kind: String(answer.status()), raw: answer.url() }));
    await page.goto(url);
  },
  async login({ username, password }) {
    await page.fill("input[name=jid]", username);
    await page.fill("input[name=password]", password);
    await page.click("input[type=submit], button[type=submit]");
    await page.locator("converse-controlbox .xmpp-status, converse-user-profile").first().waitFor();
  },
  // choose clicks what has a text in the list of rooms and contacts.
  async choose({ text }) {
    await page.locator("converse-rooms-list, converse-roster").getByText(text, { exact: true }).first().click();
  },
  async write({ text }) {
    const field = page.locator("textarea.chat-textarea:visible").first();
    await field.fill(text);
    await field.press("Enter");
  },
  // sees waits until a text is shown, and gone until it is no longer.
  async sees({ text }) {
    await page.getByText(text).last().waitFor({ state: "visible" });
  },
  async gone({ text }) {
    await page.getByText(text).last().waitFor({ state: "hidden" });
  },
  // message returns the text of the last message with this text: its author, its time and its words.
  async message({ text }) {
    await row(text).waitFor();
    return { text: await row(text).innerText() };
  },
  async upload({ path }) {
    await page.locator("input.fileupload").first().setInputFiles(path);
  },
  async text() {
    return { text: await page.locator("body").innerText() };
  },
  async picture({ path }) {
    await page.screenshot({ path });
  },
  // fits reports how wide the page is and how much of it a screen shows.
  async fits() {
    return page.evaluate(() => ({ width: document.documentElement.scrollWidth, shown: window.innerWidth }));
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { order, do: name, ...args } = JSON.parse(line);
  try {
    print({ order, ok: (await commands[name](args)) ?? null });
  } catch (err) {
    print({ order, error: String(err) });
  }
}
await browser.close();
