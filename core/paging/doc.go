// Package paging implements Result Set Management (XEP-0059): it reads the <set/> of a request, writes
// that of an answer, and cuts pages out of ordered lists in memory.
// It has no state, no goroutine and no lock.
//
// Specification: XEP-0059.
package paging
