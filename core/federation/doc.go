// Package federation makes the links to other servers (package s2s) of what a configuration says: who may be reached, where servers are, and
// the limits. It starts no goroutine.
package federation
