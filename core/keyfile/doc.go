// Package keyfile reads and writes files that hold keys: only their owner may read them, and a crash leaves the old file or the new
// one, whole. Errors say what the operator can do. The package has no goroutine and no lock.
package keyfile
