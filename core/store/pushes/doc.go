// Package pushes keeps the push services that accounts have enabled. It implements the store of the feature push, on the tables of package
// store. There is no lock and no goroutine.
package pushes
