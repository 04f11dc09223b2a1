/** Every service of Sluice, in the order they start; the gateway listens, so it comes last. */
import { agentBridgesService } from "@sluice/agent-bridges-service/service"
import { dispatcherService } from "@sluice/dispatcher-service/service"
import { gatewayService } from "@sluice/gateway-service/service"
import { plannerService } from "@sluice/planner-service/service"
import { policyService } from "@sluice/policy-service/service"
import type { Service } from "@sluice/process/service"
import { targetsService } from "@sluice/targets-service/service"
import { verifierService } from "@sluice/verifier-service/service"

export const services = (onListening: (url: string) => void): ReadonlyArray<Service> => [
  plannerService,
  targetsService,
  policyService,
  dispatcherService,
  verifierService,
  agentBridgesService,
  gatewayService(onListening),
]
