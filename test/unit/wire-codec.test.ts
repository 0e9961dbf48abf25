import { expect, test } from "vitest";
import { Codec, WireError } from "../../kernel/wire/codec.ts";
import { type Message, publishFor, replyTo } from "../../kernel/wire/message.ts";

const header = {
  msg_id: "1",
  session: "s",
  username: "u",
  date: "",
  msg_type: "execute_request",
  version: "5.3",
  extra: 1,
};

function request(content: Record<string, unknown> = { code: "1" }): Message {
  const identities = [Buffer.from("client")];
  return {
    channel: "shell",
    identities,
    header,
    parentHeader: {},
    metadata: { cellId: "c" },
    content,
    buffers: [Buffer.from([0, 255])],
  };
}

test("a message comes out as it went in, its header whole", () => {
  const frames = new Codec("key").encode(request());
  expect(new Codec("key").decode("shell", frames)).toEqual(request());
});

test("a wrong key, a changed part and a repeated message are refused", () => {
  const codec = new Codec("key");
  const frames = new Codec("key").encode(request());
  expect(() => new Codec("other").decode("shell", frames)).toThrow("wrong signature");
  const changed = frames.with(6, Buffer.from('{"code":"2"}'));
  expect(() => codec.decode("shell", changed)).toThrow("wrong signature");
  codec.decode("shell", frames);
  expect(() => codec.decode("shell", frames)).toThrow("repeated message");
});

test("without a key nothing is signed, and messages may repeat", () => {
  const codec = new Codec("");
  const frames = codec.encode(request());
  expect(String(frames[2])).toBe("");
  expect(codec.decode("shell", frames)).toEqual(codec.decode("shell", frames));
});

test.each([
  ["no delimiter", ["client", "{}"]],
  ["truncated", ["<IDS|MSG>", "", "{}", "{}", "{}"]],
  ["not JSON", ["<IDS|MSG>", "", "{", "{}", "{}", "{}"]],
  ["not an object", ["<IDS|MSG>", "", "{}", "[]", "{}", "{}"]],
  ["the header's msg_id is not a text", ["<IDS|MSG>", "", '{"msg_id":1,"msg_type":"x"}', "{}", "{}", "{}"]],
  [
    "the header's session is not a text",
    ["<IDS|MSG>", "", '{"msg_id":"1","msg_type":"x","session":2}', "{}", "{}", "{}"],
  ],
])("damaged: %s", (complaint, frames) => {
  const decode = () =>
    new Codec("").decode(
      "shell",
      frames.map((frame) => Buffer.from(frame)),
    );
  expect(decode).toThrow(WireError);
  expect(decode).toThrow(complaint);
});

test("replies go to the asker on its channel, publications to all, both with the request as parent", () => {
  const reply = replyTo(request(), "execute_reply", { status: "ok" });
  expect(reply).toMatchObject({ channel: "shell", identities: [Buffer.from("client")], parentHeader: header });
  const output = publishFor(request(), "stream", { name: "stdout", text: "x" });
  expect(output).toMatchObject({ channel: "iopub", identities: [], parentHeader: header });
  expect(output.header.msg_id).not.toBe(reply.header.msg_id);
  expect(output.header.session).toBe(reply.header.session);
});
