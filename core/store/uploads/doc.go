// Package uploads keeps what is known about the files that accounts upload. It implements the store of the feature upload, on the tables of
// package store. There is no lock and no goroutine.
package uploads
