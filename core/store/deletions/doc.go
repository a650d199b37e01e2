// Package deletions keeps a file beside a SQLite database that lists the offline messages which clients have received, until
// the transaction that deletes them has committed. A plain write to a file survives the end of the process at
// once, a commit comes only some milliseconds later: without the file, a server that is killed in between would deliver
// them twice.
//
// It has no goroutines. The lock of a Log is held across a plain write to its file.
package deletions
