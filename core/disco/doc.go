// Package disco is service discovery (XEP-0030) for everything that has an address here, with
// extension forms (XEP-0128), paging (XEP-0059) and our own entity capabilities (XEP-0115).
//
// A Registry has what is fixed about addresses; a Source is asked for the rest. A Registry may be
// used by any number of goroutines; its one lock is never held while a Source is asked. No
// goroutine is started here.
//
// Specifications: XEP-0030, XEP-0059, XEP-0115, XEP-0128.
package disco
