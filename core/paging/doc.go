// Package paging is Result Set Management (XEP-0059): it reads the <set/> of a request,
// writes that of an answer, and pages through ordered lists that are at hand.
//
// It has no state, no goroutine and no lock.
package paging
