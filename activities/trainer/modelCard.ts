/** @file README.md of a policy: what it is and how it was made. Without dates and run names, so that equal training gives equal files. */
import type { RunConfig } from '../../core/run/config.ts';
import { adapterConfigFileName } from '../checkpoint/adapterDirectory.ts';
import type { PolicyFiles } from '../checkpoint/policyFiles.ts';
import type { TrainerState } from '../checkpoint/trainerState.ts';

export function modelCard(config: RunConfig, state: Pick<TrainerState, 'globalStep' | 'warmupStep' | 'configSha256'>, files: PolicyFiles): string {
  const { policy, tasks, training, credit, seed } = config;
  const made =
    policy.path === null ? `built from nothing (preset \`${policy.preset}\`, vocabulary \`${policy.vocabulary}\`)` : 'fine-tuned from an existing model';
  const tokenizer = policy.path === null ? 'PreTrainedTokenizerFast' : 'AutoTokenizer';
  const isAdapter = files.has(adapterConfigFileName);
  const [library, model] = isAdapter ? ['peft', 'AutoPeftModelForCausalLM'] : ['transformers', 'AutoModelForCausalLM'];
  const method =
    credit.method === 'gtpo' ? 'Group Turn Policy Optimization (GTPO, arXiv 2511.14846)' : 'Group Relative Policy Optimization (GRPO, arXiv 2402.03300)';
  return `---
library_name: ${library}
pipeline_tag: text-generation
tags: [reinforcement-learning, tool-use, ${credit.method}]
---

# A policy trained on multi-turn tool use

${isAdapter ? 'An adapter (LoRA) of a causal language model' : 'A causal language model'} ${made}, trained with turnwise by ${method}.

| | |
|---|---|
| supervised warm-up steps | ${state.warmupStep} of ${config.warmup.steps} |
| reinforcement learning steps | ${state.globalStep} of ${training.steps} |
| rollouts a step | ${training.tasksPerStep} tasks × ${training.groupSize} |
| tasks | ${tasks.map((source) => source.name).join(', ')} |
| seed | ${seed} |
| sha256 of the configuration | \`${state.configSha256}\` |

A turn ends at the tokenizer's end-of-sequence token. The chat template marks what the policy writes with \`{% generation %}\`.
${policy.path === null ? 'Load the tokenizer as below: `AutoTokenizer` of transformers 5 gives every model of this type the pre-tokenizer of Qwen2 instead.\n' : ''}
\`\`\`python
${isAdapter ? `from peft import ${model}\nfrom transformers import ${tokenizer}` : `from transformers import ${model}, ${tokenizer}`}

model = ${model}.from_pretrained("PATH")
tokenizer = ${tokenizer}.from_pretrained("PATH")
\`\`\`
`;
}
