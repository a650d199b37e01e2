// Package retention has the table of how long the archives of accounts are kept, and deletes from each archive what is older.
// It is a part of package store.
//
// There is no goroutine and no lock. SQL is for both dialects, as the doc of package store says.
package retention
