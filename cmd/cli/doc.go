// Package cli is the command line of a server with gateways: serve, component, account, config and
// version. A main of this or of another module calls Main with the networks that its program has.
package cli
