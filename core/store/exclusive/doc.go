// Package exclusive makes sure that only one server uses a data directory or a database. The error for a second one names the
// process that uses it.
//
// A directory is locked by flock(2) on a file in it, which the system releases when the process ends, however it ends. A PostgreSQL
// database is locked by an advisory lock of a connection of its own. A goroutine watches that connection until Close: if it is lost
// the lock is taken again, and Lost reports if another process was faster.
//
// Commands that manage accounts work beside a server. They take the lock if nobody holds it, so that no copy of the store
// begins meanwhile. There is no mutex.
package exclusive
