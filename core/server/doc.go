// Package server assembles the XMPP server from a configuration: features.go is the ordered list
// of the features that a served domain has, listen.go opens the ports, run.go starts and stops
// everything in order, periodic.go does what has no other cause.
//
// Other parts of the process serve domains of their own beside it: they make an endpoint at
// Server.Router and hand it over with Attach (service.go) before Run. transports/gateways does so.
//
// Run owns every goroutine that is started here and returns when all have ended.
package server
