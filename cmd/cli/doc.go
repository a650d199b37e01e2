// Package cli implements the command line of a server with gateways: serve, component, account, config,
// store and version. The main function of a program, in this module or another one, calls Main with the
// program's networks.
//
// Main owns the goroutine that waits for signals, until the process ends; serve and component own the one
// that logs the state on SIGUSR1. There is no lock.
package cli
