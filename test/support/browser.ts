/** A real Chromium, driven through Playwright's protocol; the browser is the system's own. */
import { accessSync, constants } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** Debian's, Fedora's and macOS's places; the first that is there is used. */
const places = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const executablePath = places.find(isExecutable);

/** Why browser tests cannot run here; undefined where they can. */
export const browserMissing = executablePath ? undefined : `no Chromium at any of ${places.join(", ")}`;

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A page with a record of everything that must not happen on it. */
export interface WatchedPage extends AsyncDisposable {
  readonly page: Page;
  /** Console errors and uncaught exceptions so far. */
  readonly errors: string[];
  /** Addresses asked for so far that are not on this machine. */
  readonly outside: string[];
}

const usualSize = { width: 1400, height: 1800 };

/** Opens a page in a browser of its own with an empty profile. Requests to any other machine are recorded and refused. */
export async function openPage(url: string, size = usualSize): Promise<WatchedPage> {
  if (!executablePath) throw new Error(browserMissing);
  const browser = await chromium.launch({
    executablePath,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  try {
    return await watchedPage(browser, url, size);
  } catch (error) {
    await browser.close();
    throw error;
  }
}

async function watchedPage(browser: Browser, url: string, viewport: typeof usualSize): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport });
  const outside = await refuseOutside(context);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => errors.push(`uncaught ${error.stack ?? error}`));
  await page.goto(url);
  return { page, errors, outside, [Symbol.asyncDispose]: () => browser.close() };
}

async function refuseOutside(context: BrowserContext): Promise<string[]> {
  const outside: string[] = [];
  await context.route(
    (address) => /^(https?|wss?):$/.test(address.protocol) && address.hostname !== "127.0.0.1",
    async (route) => {
      outside.push(route.request().url());
      await route.abort();
    },
  );
  return outside;
}
