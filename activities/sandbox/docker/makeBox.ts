/** @file A box as this worker makes them all: same image, same supervisor, this process as its owner. */

import { ownerHere } from '../../processOwner.ts';
import { Box } from './box.ts';
import type { Lifetimes } from './channel.ts';
import { boxLimits, type UserMode } from './containerOptions.ts';
import type { Engine } from './engine.ts';
import { supervisorEnvironment, supervisorSource } from './supervisorSource.ts';

/** Where boxes are made and what of. */
export interface BoxPlace {
  readonly engine: Engine;
  readonly image: string;
  /** Of the daemon, for example `runsc`; undefined is its default. */
  readonly runtime?: string | undefined;
  readonly userMode?: UserMode | undefined;
  /** For labels: `worker`, `judge`, `doctor`. */
  readonly purpose: string;
  readonly cpus?: number;
  readonly lifetimes?: Lifetimes;
}

/** Loaded before the first program, where the image has them. */
const preload = ['numpy', 'sympy'];

const minute = 60_000;

/** A worker that is stopped or cut off leaves its boxes for a minute, however it lives on. */
export const defaultLifetimes: Lifetimes = { silenceMs: minute, lifetimeMs: 120 * minute };

/** @throws SandboxBroken, or SandboxUnavailable where no other attempt can do better. */
export function makeBox(place: BoxPlace, memoryBytes: number, onEnd: () => void): Promise<Box> {
  const { engine, image, runtime, userMode = 'separate', purpose, cpus = boxLimits.cpus, lifetimes = defaultLifetimes } = place;
  const plan = {
    image,
    ...(runtime === undefined ? {} : { runtime }),
    limits: { ...boxLimits, memoryBytes, cpus },
    userMode,
    owner: ownerHere(),
    purpose,
    ttlMs: lifetimes.lifetimeMs,
    supervisor: supervisorSource(),
    environment: supervisorEnvironment({ preload }),
  };
  return Box.create(engine, plan, lifetimes, onEnd);
}
