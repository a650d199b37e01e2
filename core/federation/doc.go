// Package federation sets up the links to other servers (package s2s) from the configuration: which domains the server communicates with, how
// their servers are found (package s2s/locate), and the limits. It starts no goroutine.
package federation
