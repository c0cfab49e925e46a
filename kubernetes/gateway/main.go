// Command gateway is the Gateway of the end-to-end stories: Traefik's Gateway API provider and TCP router,
// without the rest of Traefik. It serves TLSRoutes in passthrough mode on the addresses that it is given.
//
//	KUBECONFIG=FILE gateway ADDRESS:PORT...
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	ptypes "github.com/traefik/paerser/types"
	"github.com/traefik/traefik/v3/pkg/config/dynamic"
	"github.com/traefik/traefik/v3/pkg/config/runtime"
	"github.com/traefik/traefik/v3/pkg/provider/kubernetes/gateway"
	"github.com/traefik/traefik/v3/pkg/safe"
	tcpmiddleware "github.com/traefik/traefik/v3/pkg/server/middleware/tcp"
	tcprouter "github.com/traefik/traefik/v3/pkg/server/router/tcp"
	tcpservice "github.com/traefik/traefik/v3/pkg/server/service/tcp"
	"github.com/traefik/traefik/v3/pkg/tcp"
	traefiktls "github.com/traefik/traefik/v3/pkg/tls"
)

// suffix qualifies names by their provider, as Traefik's aggregator does.
const suffix = "@kubernetesgateway"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(addresses []string) error {
	if len(addresses) == 0 {
		return fmt.Errorf("name at least one ADDRESS:PORT to listen on")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	host, _, err := net.SplitHostPort(addresses[0])
	if err != nil {
		return err
	}

	provider := &gateway.Provider{
		EntryPoints:   map[string]gateway.Entrypoint{},
		StatusAddress: &gateway.StatusAddress{IP: host},
	}
	provider.SetDefaults()
	routers := map[string]*atomic.Pointer[tcprouter.Router]{}
	for _, address := range addresses {
		provider.EntryPoints[address] = gateway.Entrypoint{Address: address}
		routers[address] = &atomic.Pointer[tcprouter.Router]{}
		if err := serve(ctx, address, routers[address]); err != nil {
			return err
		}
	}
	if err := provider.Init(); err != nil {
		return err
	}
	pool := safe.NewPool(ctx)
	defer pool.Stop()
	messages := make(chan dynamic.Message)
	if err := provider.Provide(messages, pool); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case message := <-messages:
			for name, router := range build(ctx, addresses, message.Configuration) {
				routers[name].Store(router)
			}
		}
	}
}

// build makes one router per address from what the provider found.
func build(ctx context.Context, addresses []string, found *dynamic.Configuration) map[string]*tcprouter.Router {
	qualified := dynamic.Configuration{TCP: &dynamic.TCPConfiguration{
		Routers:  map[string]*dynamic.TCPRouter{},
		Services: map[string]*dynamic.TCPService{},
	}}
	for name, router := range found.TCP.Routers {
		qualified.TCP.Routers[name+suffix] = router
	}
	for name, service := range found.TCP.Services {
		qualified.TCP.Services[name+suffix] = service
	}
	configuration := runtime.NewConfig(qualified)
	configuration.PopulateUsedBy()

	dialers := tcp.NewDialerManager(nil)
	dialers.Update(map[string]*dynamic.TCPServersTransport{
		"default@internal": {DialTimeout: ptypes.Duration(5 * time.Second)},
	})
	services := tcpservice.NewManager(configuration, dialers)
	middlewares := tcpmiddleware.NewBuilder(configuration.TCPMiddlewares)
	manager := tcprouter.NewManager(configuration, services, middlewares, nil, nil, traefiktls.NewManager(nil), nil)
	return manager.BuildHandlers(ctx, addresses)
}

// serve accepts connections and hands each to the newest router.
func serve(ctx context.Context, address string, current *atomic.Pointer[tcprouter.Router]) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			router := current.Load()
			if router == nil {
				connection.Close()
				continue
			}
			go router.ServeTCP(connection.(*net.TCPConn))
		}
	}()
	return nil
}
