// Package disco is service discovery (XEP-0030) for everything that has an address here,
// with extension forms (XEP-0128), paging (XEP-0059), and entity capabilities (XEP-0115)
// both ways.
//
// A Registry holds what is known of fixed addresses; a Source tells what has to be asked
// for. Registry and Cache may be used by any number of goroutines; each has one lock,
// which is never held while a Source is asked. No goroutine is started here.
//
// Specifications: XEP-0030, XEP-0059, XEP-0115, XEP-0128.
package disco
