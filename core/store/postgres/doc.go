// Package postgres reaches a PostgreSQL database through pgx's adapter to database/sql, not its own pool: all methods that
// read and write are then the same for both engines of package store. pgx's own interface is underneath, for arrays and
// for what a connection adds here: statements with ? as SQLite has them, texts that PostgreSQL takes, and transactions
// whose outcome can be found out where the answer to COMMIT was lost.
//
// No goroutine is started. The rewriter's lock is a leaf.
package postgres
