/** The rows the job actor writes, by the names `react` uses. */
import { writeJobSets, writeJobs } from "@sluice/store/job-projections"

export const projections = { job: writeJobs, jobSet: writeJobSets }
