package main

import (
	"go.temporal.io/server/common/authorization"
	"go.temporal.io/server/common/cluster"
	"go.temporal.io/server/common/config"
	"go.temporal.io/server/common/log"
	"go.temporal.io/server/common/membership/static"
	sqliteplugin "go.temporal.io/server/common/persistence/sql/sqlplugin/sqlite"
	"go.temporal.io/server/common/primitives"
	"go.temporal.io/server/temporal"
)

// clusterName is stored in every database; changing it orphans them.
const clusterName = "active"

// servicePorts says where each service of the server listens.
type servicePorts map[primitives.ServiceName]*reservation

// reserveServices adds to frontend the ports of the services that talk to each
// other on loopback.
func reserveServices(frontend *reservation) (servicePorts, error) {
	ports := servicePorts{primitives.FrontendService: frontend}
	for _, service := range []primitives.ServiceName{
		primitives.HistoryService, primitives.MatchingService, primitives.WorkerService,
	} {
		port, err := reserveInternal()
		if err != nil {
			return nil, err
		}
		ports[service] = port
	}
	return ports, nil
}

// newServer wires a Temporal server; it listens on nothing before Start.
func newServer(ports servicePorts, db *config.SQL, logger log.Logger) (temporal.Server, error) {
	hosts := make(map[primitives.ServiceName]static.Hosts, len(ports))
	for service, port := range ports {
		hosts[service] = static.SingleLocalHost(port.dialAddress())
	}
	return temporal.NewServer(
		temporal.ForServices(temporal.DefaultServices),
		temporal.WithConfig(serverConfig(ports, db)),
		temporal.WithStaticHosts(hosts),
		temporal.WithDynamicConfigClient(dynamicConfig()),
		temporal.WithLogger(logger),
		temporal.WithAuthorizer(authorization.NewNoopAuthorizer()),
		temporal.WithClaimMapper(func(*config.Config) authorization.ClaimMapper {
			return authorization.NewNoopClaimMapper()
		}),
	)
}

// serverConfig describes one cluster of one shard without archival. Metrics,
// pprof and the HTTP API stay off: their ports would be more to collide on.
func serverConfig(ports servicePorts, db *config.SQL) *config.Config {
	frontend := ports[primitives.FrontendService].dialAddress()
	services := make(map[string]config.Service, len(ports))
	for name, port := range ports {
		services[string(name)] = config.Service{RPC: config.RPC{
			GRPCPort: int(port.addr.Port()),
			BindOnIP: port.addr.Addr().String(),
		}}
	}
	return &config.Config{
		Services: services,
		Persistence: config.Persistence{
			DefaultStore:     sqliteplugin.PluginName,
			VisibilityStore:  sqliteplugin.PluginName,
			NumHistoryShards: 1,
			DataStores:       map[string]config.DataStore{sqliteplugin.PluginName: {SQL: db}},
		},
		ClusterMetadata: &cluster.Config{
			FailoverVersionIncrement: 10,
			MasterClusterName:        clusterName,
			CurrentClusterName:       clusterName,
			ClusterInformation: map[string]cluster.ClusterInformation{
				clusterName: {Enabled: true, InitialFailoverVersion: 1, RPCAddress: frontend},
			},
		},
		DCRedirectionPolicy: config.DCRedirectionPolicy{Policy: "noop"},
		PublicClient:        config.PublicClient{HostPort: frontend}, // the server's own workers
		Archival: config.Archival{
			History:    config.HistoryArchival{State: "disabled"},
			Visibility: config.VisibilityArchival{State: "disabled"},
		},
		NamespaceDefaults: config.NamespaceDefaults{Archival: config.ArchivalNamespaceDefaults{
			History:    config.HistoryArchivalNamespaceDefaults{State: "disabled"},
			Visibility: config.VisibilityArchivalNamespaceDefaults{State: "disabled"},
		}},
	}
}
