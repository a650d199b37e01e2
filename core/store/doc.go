// Package store keeps what has to survive a restart, in one SQLite file or one PostgreSQL
// database. It is the SQL engine for the tables of others too, and has the core's own tables.
//
// # Writing
//
// Everything is written through partitions (Partition). A partition is a queue, a goroutine and a
// connection: it takes what is waiting, runs the functions one after the other in one
// transaction, commits, and only then calls those who wait. A commit is on the disk when it
// returns, so whoever waits for Write may then send an acknowledgement. A function that fails undoes its own
// changes only; a group that cannot be committed fails for each of its functions. SQLite has
// one partition, PostgreSQL several. A key (an account, a room) always has the same partition;
// there is no order between two partitions. Many rows of one shape are written by an Insert. What
// is written for every message is queued as rows (Bulk), which are written together, instead of as
// functions: a row costs neither a closure, nor a savepoint, nor a statement.
//
// On PostgreSQL a transaction that conflicted with another one, or whose connection was lost
// before COMMIT, is repeated. Where the answer to COMMIT is lost, the server is asked how the
// transaction ended.
//
// Notes that must survive the end of the process at once, and for which nobody waits, go through a pipeline
// on PostgreSQL, and into a file beside a SQLite database (deletions).
//
// Readers are a pool of read-only connections (Reader). They see everything that is committed,
// never wait for a writer, and have one snapshot in a transaction.
//
// # Deleting
//
// SQLite overwrites what is deleted, and Erase removes it from the log, so that a deleted account leaves no text in the files.
// A file that a release before this wrote to may have old text in unused pages, which VACUUM removes. PostgreSQL's
// files keep deleted rows until VACUUM and until new rows take their place.
//
// # SQL
//
// A statement is a constant beside the method that uses it, written once for both dialects:
//
//   - arguments are ? or ?1; on PostgreSQL the driver's wrapper makes $1 of them
//   - /*postgres FOR UPDATE*/ is a comment for SQLite, and FOR UPDATE for PostgreSQL. SQLite has
//     one writer; on PostgreSQL a row that is read to be changed has to be locked, as another
//     process or partition may change it at the same time
//   - ON CONFLICT for upserts, TRUE and FALSE, times as microseconds since 1970, no rowid, no max()
//     of two values, no group_concat, a name for each subquery in FROM
//
// A package with tables of its own has its own migrations (Migrations, Store.Migrate), and
// its methods use Reader, Partition and Insert as this package does.
//
// The methods on the core's tables are named by the interfaces that the features declare. All
// rows of an account refer to accounts(jid) by foreign keys with ON DELETE CASCADE, so that
// deleting the account deletes them; other tables use OnDeleteAccount.
//
// # Parts
//
// archives has the tables of message archives, authentication the credentials of accounts; schema prepares
// migrations for a dialect, and scan reads rows; postgres has the connections to PostgreSQL, and pipeline sends
// statements there whose answers nobody waits for; deletions is a file beside a SQLite database; directory has the user directory, retention deletes what is too old from single archives, moderation whom accounts have blocked, rooms the rooms of the server; clock is the time by
// which old rows are deleted; wordindex has the words of messages, and indexing decides when they are indexed; exclusive locks a database for one server; transfer copies a database to another
// one; storetest makes databases for tests, which all run on both engines.
//
// # Goroutines and locks
//
// Each partition's goroutine is started by Open and ends in Close. Locks: queue.mu and health.mu,
// never held across I/O, and the lock of a deletions.Log, held across a plain write to a file; none of them is
// taken while another one is held.
package store
