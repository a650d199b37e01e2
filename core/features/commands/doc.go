// Package commands offers the ad-hoc commands of a host (XEP-0050). Features declare them in the HostDisco of router.Feature. Who may not
// run a command does not find it in the list either.
// There is no goroutine; package command has the only lock.
//
// Specification: XEP-0050.
package commands
