/**
 * @file Copies a run's policy, verified, to a directory that other software loads.
 * @example npm run export -- quickstart-1123-141503 --out my-policy
 * @example npm run export -- quickstart-1123-141503 --step 20 --out policy-after-20-steps
 * @example npm run export -- lora-1123-141503 --merge --out my-policy
 * @example npm run export -- ./my-model --onnx --out my-model-onnx
 */
import { exportAsOnnx, exportRun } from '../workers/export.ts';
import { commandNamed, exitCodes, runCommand, say } from './runs/command.ts';
import { wholeNumber } from './runs/options.ts';
import { isRunOnDisk, requireRun } from './runs/runName.ts';

const program = commandNamed('export')
  .description('Copy the policy of a checkpoint to a Hugging Face directory. Every file is checked against the checkpoint’s manifest, before and after.')
  .argument('<run>', 'name of the run; with --onnx also the directory of a checkpoint or of a Hugging Face model')
  .option('--step <n>', 'after this step of reinforcement learning; 0 is the policy it started from (default: the newest checkpoint)', wholeNumber)
  .option('--merge', 'add an adapter to its base and write the whole model', false)
  .option('--onnx', 'float32, with model.onnx for ONNX Runtime beside model.safetensors, its external data')
  .requiredOption('--out <directory>', 'must not exist, or be empty')
  .parse();

const [run = ''] = program.args;
const { step, out, merge, onnx } = program.opts<{ step?: number; out: string; merge: boolean; onnx?: boolean }>();

await runCommand(async () => {
  if (onnx && merge) throw new Error('export: expected --merge or --onnx, got both: merge first, then export the merged directory with --onnx');
  const isRun = isRunOnDisk(run);
  if (!isRun && /[/:\\]/.test(run)) refuseForDirectory();
  else if (!onnx || step !== undefined) requireRun(run);
  const { checkpoint, directory, files } = await (onnx ? exportAsOnnx(run, step, out, say) : exportRun(run, step, out, merge));
  say(`${isRun ? `${checkpoint} of ${run}` : run} → ${directory}`);
  for (const [name, { size }] of Object.entries(files)) say(`  ${name}  ${size.toLocaleString('en')} bytes`);
  const isAdapter = Object.hasOwn(files, 'adapter_config.json');
  const load = isAdapter ? 'AutoPeftModelForCausalLM' : 'AutoModelForCausalLM';
  say(`\nLoad it: ${load}.from_pretrained("${directory}"); README.md there says how to load the tokenizer.`);
  return exitCodes.done;
});

/** Of a directory or a name on the hub there is no checkpoint to choose, and nothing to copy. */
function refuseForDirectory(): void {
  if (!onnx) throw new Error(`export: expected the name of a run, got ${run}; of a directory or a name on the hub it makes --onnx alone`);
  if (step !== undefined) throw new Error(`export --step: it has no effect on ${run}; name a run, or the checkpoint's own directory without --step`);
}
