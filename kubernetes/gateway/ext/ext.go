// Package ext is the empty form of Traefik's extension point for its configuration: Traefik asks for it
// by a replacement in its own go.mod, and the module proxies do not serve it.
package ext

// HTTP extends the configuration of HTTP; with nothing here.
type HTTP struct{}

// Router extends the configuration of a router; with nothing here.
type Router struct{}
