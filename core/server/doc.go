// Package server assembles the XMPP server from a configuration: hosts.go joins the features of
// a served domain, stages.go lists what stanzas pass, listen.go opens the ports, run.go starts
// and stops everything in order.
//
// Other parts of the process serve domains of their own beside it: they make an endpoint at
// Server.Router and hand it over with Attach (service.go) before Run. transports/gateways does so.
//
// Run owns every goroutine that is started here and returns when all have ended.
package server
