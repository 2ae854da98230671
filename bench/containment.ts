/** @file What the Docker sandbox holds back: how soon code stops, which programs pass the judge that should not, and what two thousand hostile programs leave behind. */
import { setTimeout as sleep } from 'node:timers/promises';
import { formatOwner, ownerHere } from '../activities/processOwner.ts';
import { DockerBackend } from '../activities/sandbox/docker/backend.ts';
import { type Engine, engineOf, engineVersion } from '../activities/sandbox/docker/engine.ts';
import { ensureImage } from '../activities/sandbox/docker/image.ts';
import { labels } from '../activities/sandbox/docker/labels.ts';
import { ownBoxes } from '../activities/sandbox/docker/reaper.ts';
import { createJudge } from '../activities/sandbox/judge.ts';
import { judgeProgram } from '../activities/tasks/checkCode.ts';
import { soak } from '../test/sandbox/attacks/soak.ts';
import { cheats, honest } from '../test/sandbox/cheats.ts';
import type { Figure } from './figure.ts';

const limits = { wallMs: 30_000, memoryMiB: 96, outputBytes: 4096 };
const signal = new AbortController().signal;

/** @throws Error where no daemon answers: then there is nothing to measure. */
export async function containmentFigures(): Promise<Figure[]> {
  const engine = engineOf();
  await engineVersion(engine);
  const image = await ensureImage(engine);
  const backend = new DockerBackend({ engine, image, purpose: 'bench', memoryBudgetBytes: 2 ** 30, spare: { count: 0, memoryMiB: limits.memoryMiB } });
  try {
    return [await cancelFigure(backend), ...(await judgeFigures(backend)), ...(await soakFigures(engine, image))];
  } finally {
    await backend.shutdown();
  }
}

async function cancelFigure(backend: DockerBackend): Promise<Figure> {
  const ms: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const controller = new AbortController();
    const running = backend.run({ owner: 'bench', code: 'while True: pass', stdin: '', limits, signal: controller.signal }).catch(() => undefined);
    await sleep(100);
    const cancelledAt = performance.now();
    controller.abort();
    await running;
    ms.push(performance.now() - cancelledAt);
  }
  ms.sort((a, b) => a - b);
  const value = ms[ms.length / 2] ?? Number.NaN;
  const how = 'from the abort of a busy loop until its box has answered; median of 20';
  return { name: 'docker cancel', value, unit: 'ms', bar: '≤ 50', pass: value <= 50, spread: [ms[0] ?? value, ms.at(-1) ?? value], how };
}

async function judgeFigures(backend: DockerBackend): Promise<Figure[]> {
  const judge = createJudge(async () => backend);
  const cases = Array.from({ length: 3 }, (_, index) => ({ stdin: JSON.stringify([index, 40]), stdout: String(index + 40) }));
  const accepted = async (programs: Readonly<Record<string, string>>) => {
    const verdicts = await Promise.all(Object.values(programs).map((program) => judgeProgram(program, { entry: 'add', cases }, judge, limits, signal)));
    return verdicts.filter(({ passed }) => passed).length;
  };
  const [wrongly, rightly] = [await accepted(cheats), await accepted(honest)];
  const honestOnes = Object.keys(honest).length;
  return [
    exactly('docker judge, cheating programs accepted', wrongly, 'programs', 0, `of ${Object.keys(cheats).length}`),
    exactly('docker judge, honest programs accepted', rightly, 'programs', honestOnes, `of ${honestOnes}`),
  ];
}

async function soakFigures(engine: Engine, image: string): Promise<Figure[]> {
  const [count, boxes, memoryMiB] = [2000, 6, 96];
  const place = { engine, image, purpose: 'soak' };
  const backend = new DockerBackend({ ...place, memoryBudgetBytes: boxes * memoryMiB * 2 ** 20, spare: { count: 0, memoryMiB } });
  const startedAt = performance.now();
  const counts = await soak(backend, count, boxes).finally(() => backend.shutdown());
  const owner = formatOwner(ownerHere());
  const leftBoxes = (await ownBoxes(engine.docker)).filter((box) => box.labels[labels.owner] === owner && box.labels[labels.purpose] === 'soak').length;
  const how = `${counts.programs} hostile programs in ${boxes} boxes, ${((performance.now() - startedAt) / 1000).toFixed(0)} s, ${counts.broken} boxes broken`;
  const left = counts.leftFiles + counts.leftProcesses + counts.leftDescriptors;
  return [
    exactly('docker soak, wrong answers', counts.wrong, 'answers', 0, how),
    exactly('docker soak, processes, files and descriptors left', left, 'left', 0, how),
    exactly('docker soak, boxes left', leftBoxes, 'boxes', 0, how),
  ];
}

function exactly(name: string, value: number, unit: string, bar: number, how: string): Figure {
  return { name, value, unit, bar: `= ${bar}`, pass: value === bar, spread: null, how };
}
