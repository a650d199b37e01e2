// Package server assembles the XMPP server from a configuration: features.go is the ordered list
// of the features that a served domain has, listen.go opens the ports, run.go starts and stops
// everything in order, periodic.go has the work that is done at intervals.
// Other parts of the process can serve further domains: they create an endpoint with Server.Router and
// pass it to Attach (service.go) before Run. transports/gateways does so.
// Run owns every goroutine of the package and returns when all have ended. The package has one lock, in
// settings.go, for the reloaded certificate.
package server
