/** @file Asks for one comparison that takes a while and says what came out: a process that a test can hold up. */
import { createMathChecker } from '../../activities/tasks/checkMath.ts';

const math = createMathChecker({ processorMs: 1000, memoryMiB: 256 });
await math.equal('x+x', '2x');
const expression = Array.from({ length: 24 }, (_, i) => `\\sin(${i}x)^2+\\cos(${i}x)^2`).join('+');
const asked = math.equal(expression, '24');
setImmediate(() => process.stdout.write('asked'));
const equal = await asked;
process.stdout.write(equal ? 'equal' : 'not equal');
await math.close();
