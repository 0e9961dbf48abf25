"""A kernel's life under Jupyter's own client: interrupt, restart, input, death of the session, shutdown. Prints a JSON line a test."""

import time
import unittest

import json_report
import psutil
from jupyter_client.manager import start_new_kernel

TIMEOUT = 30


class KernelLifeTests(unittest.TestCase):
    def setUp(self):
        self.manager, self.client = start_new_kernel(kernel_name="heddle")
        self.addCleanup(self.manager.shutdown_kernel, now=True)
        self.addCleanup(self.client.stop_channels)

    def run_cell(self, code, stdin_hook=None):
        """The reply's content and the outputs; each output must have come before the reply's idle."""
        outputs = []
        reply = self.client.execute_interactive(
            code, timeout=TIMEOUT, output_hook=outputs.append, stdin_hook=stdin_hook, allow_stdin=stdin_hook is not None
        )
        return reply["content"], [message["content"] for message in outputs if message["msg_type"] != "status"]

    def value(self, code):
        reply, outputs = self.run_cell(code)
        self.assertEqual(reply["status"], "ok", reply)
        return next(content["data"]["text/plain"] for content in outputs if "execution_count" in content and "data" in content)

    def start_cell(self, code):
        """Starts a cell and waits until it prints its first line."""
        message_id = self.client.execute(code)
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "stream":
                return message_id

    def interrupt(self, message_id):
        """The reply to the interrupted cell and the milliseconds it took."""
        began = time.perf_counter()
        self.manager.interrupt_kernel()
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"]["msg_id"] == message_id:
                return reply["content"], (time.perf_counter() - began) * 1000

    def test_endless_loop_is_interrupted_and_state_kept(self):
        self.run_cell("let x = 41;")
        message_id = self.start_cell("x += 1; console.log('looping'); while (true) {}")
        reply, milliseconds = self.interrupt(message_id)
        self.assertEqual(reply["status"], "error")
        self.assertLess(milliseconds, 400)
        self.assertEqual(self.value("x"), "42")

    def test_endless_await_is_interrupted_and_finally_runs(self):
        message_id = self.start_cell(
            "let cleaned = false; try { console.log('waiting'); await new Promise(() => {}); } finally { cleaned = true; }"
        )
        reply, milliseconds = self.interrupt(message_id)
        self.assertEqual(reply["status"], "error")
        self.assertLess(milliseconds, 400)
        self.assertEqual(self.value("cleaned"), "true")

    def test_interrupt_ends_the_tasks_of_the_cell(self):
        self.run_cell("import { get, remote } from 'heddle'; const endless = remote(async () => { await new Promise(() => {}); });")
        message_id = self.start_cell("const ref = endless.remote(); console.log('waiting'); await get(ref);")
        reply, milliseconds = self.interrupt(message_id)
        self.assertEqual(reply["status"], "error")
        self.assertLess(milliseconds, 1000)
        self.assertEqual(self.value("await get(ref).then(() => 'finished', (error) => error.name)"), "'TaskCancelledError'")

    def test_control_channel_answers_while_a_cell_computes(self):
        message_id = self.start_cell("console.log('looping'); while (true) {}")
        request = self.client.session.msg("kernel_info_request")
        self.client.control_channel.send(request)
        reply = self.client.get_control_msg(timeout=TIMEOUT)
        self.assertEqual(reply["msg_type"], "kernel_info_reply")
        self.assertEqual(reply["parent_header"]["msg_id"], request["header"]["msg_id"])
        self.interrupt(message_id)

    def test_restart_forgets_everything(self):
        self.run_cell("let x = 1;")
        self.manager.restart_kernel(now=False)
        self.client.wait_for_ready(timeout=TIMEOUT)
        self.assertEqual(self.value("typeof globalThis"), "'object'")
        reply, _ = self.run_cell("x")
        self.assertEqual(reply["status"], "error")

    def test_input_asks_the_user(self):
        prompts = []

        def answer(message):
            prompts.append(message["content"]["prompt"])
            self.client.input("Ada")

        reply, outputs = self.run_cell(
            "import { input } from 'heddle/notebook'; console.log(`hello ${await input('your name? ')}`);", answer
        )
        self.assertEqual(reply["status"], "ok", reply)
        self.assertEqual(prompts, ["your name? "])
        self.assertEqual("".join(content["text"] for content in outputs if content.get("name") == "stdout"), "hello Ada\n")

    def test_kernel_survives_the_death_of_its_session(self):
        reply, _ = self.run_cell("process.abort()")
        self.assertEqual(reply["status"], "error")
        self.assertEqual(self.value("1 + 1"), "2")

    def test_an_error_stops_the_cells_behind_it(self):
        first = self.client.execute("throw new Error('on purpose')")
        second = self.client.execute("1 + 1")
        replies = {}
        while len(replies) < 2:
            reply = self.client.get_shell_msg(timeout=TIMEOUT)
            replies[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
        self.assertEqual(replies[first], "error")
        self.assertIn(replies[second], ("aborted", "error"))

    def test_shutdown_leaves_no_process(self):
        self.run_cell("import { get, init, remote } from 'heddle'; await init({ numCpus: 2 }); await get(remote(() => 1).remote());")
        kernel = psutil.Process(self.manager.provisioner.pid)
        family = [kernel, *kernel.children(recursive=True)]
        self.assertIn(int(self.value("process.pid")), [process.pid for process in family])
        self.manager.shutdown_kernel(now=False)
        _, alive = psutil.wait_procs(family, timeout=10)
        self.assertEqual(alive, [])

    def test_late_output_belongs_to_its_cell(self):
        first = self.client.execute("setTimeout(() => console.log('late'), 300); 'done'")
        self.client.execute("await new Promise((resolve) => setTimeout(resolve, 600)); 'done as well'")
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["msg_type"] == "stream" and message["content"]["text"] == "late\n":
                self.assertEqual(message["parent_header"]["msg_id"], first)
                return


if __name__ == "__main__":
    json_report.run(KernelLifeTests)
