// Package delivery sends messages to the server and remembers which of them it has.
//
// A message of a direct chat is kept in its ready event of the inbox until it is delivered, which is until a socket has
// taken it or the server has written it, and archived. The Log notes the two as they come: with SQLite in two plain
// files, whose writes survive the end of the process at once; with PostgreSQL in a table, by statements whose answers it
// does not wait for (tables.Marks). It marks the events in the inbox later, many in one transaction. Recover, at the
// start, delivers what a crash left unnoted, under the same ids, and archives what a socket had taken and the archive
// has not. What is lost of the notes in a power failure, or a failure of the database server, is delivered again.
//
// Files that an earlier run left beside a database that is now PostgreSQL are read once, and removed.
//
// The Log starts no goroutine of its own besides those of the gateway's Group. Locks: Log.flushing → Log.mu. Log.mu is
// held while 8 bytes are appended to a file or a statement is put into a socket; Log.flushing is held while events are
// marked, and nobody waits for it.
package delivery
