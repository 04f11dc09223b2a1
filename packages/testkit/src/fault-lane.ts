/**
 * What every fault test does around its fault: an installation under load, the measured recovery, the end in which every
 * target is settled or names its wait, and the checker's verdict over all that was acknowledged.
 */
import type { CheckReport } from "@sluice/checker/report"
import { type Installation, type InstallationOptions, openInstallation } from "./installation.ts"
import { judge } from "./installation-judge.ts"
import type { ServicesProcess } from "./installation-process.ts"
import { type Load, type LoadOptions, type Progress, prepareLoad } from "./load.ts"

/** The promise of the lane: after a fault's end it goes on within this time. */
export const recoverySecondsMax = 10
const settleSecondsMax = 60
/** Until the first jobs are through: the load begins on a cold process. */
const warmUpSecondsMax = 40

export interface FaultLane {
  readonly here: Installation
  readonly load: Load
  readonly process: ServicesProcess
  /**
   * The fault is over now: waits until, for every deployment, a job that was created from here on has succeeded. Answers
   * the milliseconds it took.
   */
  readonly recovers: (from?: string) => Promise<number>
  /** Ends the load and waits until every target runs the newest version and rests, or `good` holds. */
  readonly settles: (good?: (progress: Progress) => boolean) => Promise<Progress>
  readonly verdict: () => Promise<CheckReport>
  /** The database's time, which is what jobs are stamped with. */
  readonly now: () => Promise<string>
  readonly close: () => Promise<void>
}

export interface LaneOptions extends Partial<LoadOptions> {
  /** What must stand before the first version arrives, such as an agent. */
  readonly beforeLoad?: (lane: Pick<FaultLane, "here" | "load">) => Promise<void>
}

export const openFaultLane = async (options: InstallationOptions = {}, load: LaneOptions = {}): Promise<FaultLane> => {
  const here = await openInstallation(options)
  try {
    return await laneOn(here, load)
  } catch (error) {
    await here.close()
    throw error
  }
}

const laneOn = async (here: Installation, options: LaneOptions): Promise<FaultLane> => {
  const load = await prepareLoad(here, options)
  const [process] = here.processes
  if (process === undefined) throw new Error("the installation has no process")
  const now = async () => (await here.query<{ now: string }>("SELECT clock_timestamp()::text AS now"))[0]?.now ?? ""
  const recovers = async (from?: string, seconds = recoverySecondsMax): Promise<number> => {
    const since = from ?? (await reachable(now))
    const begun = Date.now()
    await here.feed.until(
      `every deployment to have a job that began after ${since} and succeeded`,
      () => here.query<{ deployment: string }>(recoveredQuery, [load.deploymentIds, since]),
      rows => rows.length === load.deploymentIds.length,
      seconds,
    )
    return Date.now() - begun
  }
  await here.feed.until(
    `${load.environmentId} to have its targets`,
    () => load.progress(),
    progress => progress.targets === load.targets,
  )
  await options.beforeLoad?.({ here, load })
  load.start()
  await recovers(undefined, warmUpSecondsMax)
  return {
    here,
    load,
    process,
    now,
    recovers,
    settles: async (good = progress => progress.current === progress.targets) => {
      await load.stop()
      return here.feed.until("every target to settle", () => load.progress(), good, settleSecondsMax)
    },
    verdict: () => judge(here, load.acknowledged),
    close: () => here.close(),
  }
}

const recoveredQuery = `
  SELECT r.deployment_id AS deployment FROM job j JOIN release r ON r.id = j.release_id
  WHERE r.deployment_id = ANY($1::uuid[]) AND j.status = 'successful' AND j.created_at > $2::timestamptz GROUP BY 1`

/** The database may be coming back itself. */
const reachable = async (now: () => Promise<string>): Promise<string> => {
  const giveUpAt = Date.now() + recoverySecondsMax * 1_000
  while (true) {
    try {
      return await now()
    } catch (error) {
      if (Date.now() > giveUpAt) throw error
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }
}
