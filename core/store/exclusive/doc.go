// Package exclusive makes sure that one server works with a data directory and one with a database, and says which process keeps
// another one out.
//
// A directory is locked by flock(2) on a file in it, which the system releases when the process ends, however it ends. A PostgreSQL
// database is locked by an advisory lock of a connection of its own. A goroutine watches that connection until Close: if it is lost
// the lock is taken again, and if another process was faster Lost says so.
//
// Commands that manage accounts work beside a server. They hold the lock as well if nobody else does, so that no copy begins
// meanwhile.
package exclusive
