// Package scan reads the rows of a query into a list, for the packages that hold SQL.
//
// It has no goroutines and no locks.
package scan
