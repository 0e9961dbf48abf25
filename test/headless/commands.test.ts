/** install and uninstall: what they write, say and refuse. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Workshop } from "../support/headless.ts";

const kernels = (folder: string): string => join(folder, "share/jupyter/kernels");

describe("install and uninstall", () => {
  test("--prefix: a kernelspec that is whole and starts this very program", async () => {
    using shop = new Workshop();
    const { code, stdout } = await shop.heddle("install", "--prefix", "there");
    expect(code).toBe(0);
    const folder = join(kernels(join(shop.folder, "there")), "heddle");
    expect(stdout).toContain("there/share/jupyter/kernels/heddle");
    expect(readdirSync(folder).toSorted()).toEqual([
      "kernel.json",
      "logo-32x32.png",
      "logo-64x64.png",
      "logo-svg.svg",
      "plotly.min.js",
    ]);
    const { argv, ...rest } = JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8"));
    expect(argv).toEqual([
      process.execPath,
      expect.stringMatching(/cli\/main\.js$/),
      "kernel",
      "--connection-file",
      "{connection_file}",
    ]);
    expect(rest).toEqual({
      display_name: "TypeScript (heddle)",
      language: "typescript",
      interrupt_mode: "message",
      metadata: { debugger: true },
    });
    expect(execFileSync(argv[0], [argv[1], "--version"], { encoding: "utf8" })).toMatch(/^\d+\.\d+\.\d+\n$/);
    for (const size of [32, 64]) {
      const png = readFileSync(join(folder, `logo-${size}x${size}.png`));
      expect([png.subarray(1, 4).toString(), png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(["PNG", size, size]);
    }
  });

  test("a second install replaces the first; other names stand beside it; uninstall takes only its own", async () => {
    using shop = new Workshop();
    const folder = kernels(shop.folder);
    const at = ["--prefix", "."];
    expect((await shop.heddle("install", ...at)).code).toBe(0);
    writeFileSync(join(folder, "heddle/kernel.json"), "{}");
    expect((await shop.heddle("install", ...at)).code).toBe(0);
    expect((await shop.heddle("install", ...at, "--name", "other")).code).toBe(0);
    expect(readFileSync(join(folder, "heddle/kernel.json"), "utf8")).toContain("interrupt_mode");
    expect(readdirSync(folder).toSorted()).toEqual(["heddle", "other"]);
    expect((await shop.heddle("uninstall", ...at)).code).toBe(0);
    expect(readdirSync(folder)).toEqual(["other"]);
    const again = await shop.heddle("uninstall", ...at);
    expect(again).toMatchObject({ code: 1, stderr: expect.stringContaining("there is no kernel heddle in") });
  });

  test("uninstall leaves another program's kernel alone", async () => {
    using shop = new Workshop();
    const folder = join(kernels(shop.folder), "python3");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "kernel.json"), '{"argv": ["python", "-m", "ipykernel_launcher"]}');
    const { code, stderr } = await shop.heddle("uninstall", "--prefix", ".", "--name", "python3");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("is not heddle's; it was left alone"),
    });
    expect(existsSync(join(folder, "kernel.json"))).toBe(true);
  });

  test("--sys-prefix goes into the active environment, --user into Jupyter's folder of the user", async () => {
    using shop = new Workshop();
    const env = { VIRTUAL_ENV: join(shop.folder, "venv"), JUPYTER_DATA_DIR: join(shop.folder, "user") };
    expect((await shop.start(["install", "--sys-prefix"], env).finished).code).toBe(0);
    expect((await shop.start(["install", "--user"], env).finished).code).toBe(0);
    expect(existsSync(join(kernels(env.VIRTUAL_ENV), "heddle/kernel.json"))).toBe(true);
    expect(existsSync(join(env.JUPYTER_DATA_DIR, "kernels/heddle/kernel.json"))).toBe(true);
    const { code, stdout } = await shop.start(["doctor"], env).finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok +kernelspec: .*kernels\/heddle\/kernel\.json$/m);
  });

  test("a place that cannot be written is named, and nothing is left half done", async () => {
    using shop = new Workshop();
    shop.write("file", "");
    const { code, stderr } = await shop.heddle("install", "--prefix", "file");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^heddle install: cannot write file\/share\/jupyter\/kernels\/heddle: /);
    expect(readdirSync(shop.folder)).toEqual(["file"]);
  });
});

test.each([
  ["--help"],
  ["run", "--help"],
  ["install", "--help"],
  ["kernel", "--help"],
  ["convert", "--help"],
  ["doctor", "--help"],
])("heddle %s explains and succeeds", async (...args) => {
  using shop = new Workshop();
  const { code, stderr, stdout } = await shop.heddle(...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout.length).toBeGreaterThan(80);
});
