/** The control connection: verdicts from the broker, on a session of their own that no flood of frames holds up. */

import type { Intake } from "../gateway/ports.ts";
import { createIntake, type IntakeOptions } from "./intake.ts";

/** Verdicts that are delivered and not answered; the broker keeps the rest. */
const RECEIVE_MAXIMUM = 64;

/**
 * The same machinery as for frames: a persistent session, QoS 1, acknowledged when told to, in order.
 * @throws Error on options that can never work
 */
export function createControl(options: Omit<IntakeOptions, "receiveMaximum">): Intake {
  return createIntake({ ...options, receiveMaximum: RECEIVE_MAXIMUM });
}
