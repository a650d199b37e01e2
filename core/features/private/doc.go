// Package private stores XML of clients (XEP-0049): one element for each namespace and name. It has no
// goroutine and no lock.
package private
