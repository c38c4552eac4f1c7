package main

import (
	"time"

	"go.temporal.io/server/common/dynamicconfig"
)

// plenty is a rate per second that no test on one machine reaches.
const plenty = 100_000

// dynamicConfig is where this server differs from Temporal's defaults. Worker
// deployments, updates and update-with-start need no switch in this version.
func dynamicConfig() dynamicconfig.StaticClient {
	settings := dynamicconfig.StaticClient{
		// It would ask the internet for newer versions.
		dynamicconfig.EnableServerVersionCheck.Key(): false,

		// One shard polls its queues 20 times a second by default: a tick of
		// 50 ms per task hop that a cluster with many shards does not have.
		dynamicconfig.TransferProcessorMaxPollRPS.Key():         1000,
		dynamicconfig.TimerProcessorMaxPollRPS.Key():            1000,
		dynamicconfig.MatchingNumTaskqueueReadPartitions.Key():  1,
		dynamicconfig.MatchingNumTaskqueueWritePartitions.Key(): 1,

		// The defaults let an hour of load fill gigabytes.
		dynamicconfig.HistoryCacheHostLevelMaxSize.Key():     8192, // workflows
		dynamicconfig.EventsHostLevelCacheMaxSizeBytes.Key(): 32 << 20,

		// By default a version counts as drained after 3 to 6 minutes.
		dynamicconfig.VersionDrainageStatusVisibilityGracePeriod.Key(): 5 * time.Second,
		dynamicconfig.VersionDrainageStatusRefreshInterval.Key():       5 * time.Second,
	}
	for _, key := range rateLimits() {
		settings[key] = plenty
	}
	return settings
}

// rateLimits are the limits, in calls per second, that would fail a load test
// on their own account long before SQLite is the limit. The limit on
// long-running requests (frontend.namespaceCount, 1200) stays: callers must
// live with it in production.
func rateLimits() []dynamicconfig.Key {
	return []dynamicconfig.Key{
		dynamicconfig.FrontendRPS.Key(),
		dynamicconfig.FrontendMaxNamespaceRPSPerInstance.Key(),
		dynamicconfig.FrontendMaxNamespaceVisibilityRPSPerInstance.Key(),
		dynamicconfig.FrontendGlobalWorkerDeploymentReadRPS.Key(),
		dynamicconfig.FrontendPersistenceMaxQPS.Key(),
		dynamicconfig.MatchingRPS.Key(),
		dynamicconfig.MatchingPersistenceMaxQPS.Key(),
		dynamicconfig.HistoryRPS.Key(),
		dynamicconfig.HistoryPersistenceMaxQPS.Key(),
		dynamicconfig.VisibilityPersistenceMaxReadQPS.Key(),
		dynamicconfig.VisibilityPersistenceMaxWriteQPS.Key(),
	}
}
