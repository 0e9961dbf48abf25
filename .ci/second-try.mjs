/** Tells which tests passed only when they were run a second time: their timing did not bear what else the machine did. */
export default class SecondTry {
  #names = [];

  onTestCaseResult(test) {
    if (test.diagnostic()?.flaky && !test.options.fails)
      this.#names.push(`${test.module.relativeModuleId} > ${test.fullName}`);
  }

  onTestRunEnd() {
    for (const name of this.#names) console.log(`passed at the second try: ${name}`);
  }
}
