// Package server assembles the XMPP server and its gateways from a configuration: hosts.go joins
// the features of a served domain, stages.go lists what stanzas pass, gateways.go attaches the
// bridges, listen.go opens the ports, run.go starts and stops it all in order.
//
// Run owns every goroutine that is started here and returns when all have ended.
package server
