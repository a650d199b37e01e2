// Package schema prepares the files of migrations for a dialect of SQL. Each file is written once, for SQLite, unless
// the dialects need different statements.
//
// It has no goroutines and no locks.
package schema
