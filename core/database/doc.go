// Package database opens the database that a configuration names: for the server, for gateways that run as components, and for commands that
// work on it. Only one process of a kind may use it at a time (exclusive.Role). A missing database is made; an empty one where there was a server before is refused: a
// backup was not restored whole.
//
// The package starts no goroutine and has no lock.
package database
