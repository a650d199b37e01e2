// Package gateways makes the gateways of the networks that a configuration enables, and runs
// them in one of two forms:
//
//   - Server makes a core/server with the gateways attached: each gets an endpoint of the
//     server's router and is handed over by server.Attach, which starts it before clients are
//     accepted, stops it after they have gone, lists it in the hosts' disco#items, gives it the
//     privileges of XEP-0356 and calls RemoveUser when a login is deleted.
//   - Component runs the gateways under a foreign server: each has a link of core/component
//     (XEP-0114), which reconnects by itself, and a database of its own.
//
// Component owns the goroutines that it starts and returns when they have ended; those of Server
// belong to server.Run.
package gateways
