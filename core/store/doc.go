// Package store keeps what has to survive a restart, in one SQLite file.
//
// Everything that is written goes through one goroutine, which commits in groups: it takes
// what is waiting, runs each function in a savepoint of its own (a single statement needs
// none), commits once, and tells each waiter only then (Write, WriteAsync). With
// synchronous=FULL a commit is on the disk when it returns, so an answer that waits for Write
// may promise it. A group that cannot be committed fails for each of its functions. Readers
// are a pool of read-only connections beside it (Reader) and never wait for the writer (WAL).
//
// One method is one statement or one transaction, with its SQL as a constant beside it.
// The methods are named by the interfaces that features and the bridge declare; this
// package implements them. All rows of an account hang on accounts(jid) by foreign keys
// with ON DELETE CASCADE, so that deleting the account deletes them.
//
// The SQL keeps to what PostgreSQL understands too: text and BIGINT keys, no rowid,
// ON CONFLICT for upserts, times as microseconds since 1970 in BIGINT. Only connection
// set-up (open.go), savepoint-per-function with its error handling (group.go) and
// Backup are particular to SQLite.
//
// A commit takes milliseconds. What clients have got in them is noted in a plain file beside
// the database (collected.go), which outlives the process at once: a restart deletes it first.
//
// Locks: queue.mu, never held across I/O, and collected.mu, held across that plain write;
// neither while the other is taken. The writer's goroutine is started by Open and ends in Close.
package store
