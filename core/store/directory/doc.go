// Package directory keeps what accounts have entered in the user directory. It implements the store of features/search.
// There is no lock and no goroutine.
package directory
