// One measurement of one pool: pool-process.mjs PEER MEASURE COUNT THREADS. Prints the figure.
import { handMadeArrays, heddleArrays } from "./array-measures.mjs";
import { heddleMeasures } from "./heddle-measures.mjs";
import { poolMeasures } from "./pool-measures.mjs";
import { openPool } from "./pool-openers.mjs";

const [peer, what, count, threads] = process.argv.slice(2);
const measures = peer === "heddle" ? { ...heddleMeasures, ...heddleArrays } : { ...poolMeasures, ...handMadeArrays };
const pool = await openPool(peer, Number(threads));
const figure = await measures[what](pool, Number(count), Number(threads));
await pool.close();
console.log(JSON.stringify(figure));
