// Package private keeps whatever XML a client wants to keep at the server (XEP-0049): one
// element for each namespace and name. It has no goroutine and no lock.
package private
